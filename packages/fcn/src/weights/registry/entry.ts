import type { Preprocessing } from "../../data/samples/preprocessing.js";
import type { ModelOptions } from "../../models/modelOptions.js";

/** Published weights: a file with an address, or a model in an npm package. */
export type WeightsEntry = PublishedFile | PackagedModel;

/** A published file of weights, which is kept as it is. */
export interface PublishedFile extends PublishedWeights {
  readonly url: string;
  readonly npm?: never;
  readonly format: "pth" | "caffemodel";
}

/** A TensorFlow.js model in an npm package, which is kept with the names of our nets. */
export interface PackagedModel extends PublishedWeights {
  readonly url?: never;
  readonly npm: {
    readonly package: string;
    /** The model's file in the package, a `model.json` or a bundle that contains one. */
    readonly path: string;
    /** The name map of `convert`. */
    readonly names: string;
  };
  readonly format: "safetensors";
}

/** What is known of published weights wherever they come from. */
export interface PublishedWeights {
  readonly name: string;
  /** File name in the cache folder. */
  readonly file: string;
  /**
   * A name for `models.create`; for a `backbone`, its own name: `resnet18` for `fcn32s-resnet18` and similar models.
   */
  readonly model: string;
  /** `net`: a complete segmentation net. `backbone`: a classifier whose backbone is used. */
  readonly part: "net" | "backbone";
  readonly numClasses: number;
  /** Options that the net needs besides, such as `widthMultiplier`. */
  readonly options?: Partial<ModelOptions>;
  /** The preprocessing that the weights expect. */
  readonly preprocessing: Preprocessing;
  /** The published size, in bytes or in mebibytes rounded to three decimals. If absent, the size is not checked. */
  readonly size?: { readonly bytes: number } | { readonly mebibytes: number };
  /** If absent, no checksum is published and none is checked. */
  readonly checksum?: Checksum;
  /** The license of the weights, as far as the publisher states it. */
  readonly license: string;
  /** Anything else that users must know. */
  readonly note?: string;
}

/** `digits` is the hexadecimal digest or its beginning: torchvision's file names contain the first eight digits. */
export interface Checksum {
  readonly algorithm: "sha256" | "sha1" | "md5";
  readonly digits: string;
}
