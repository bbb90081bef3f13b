import type { Preprocessing } from "../../data/samples/preprocessing.js";

/** A published file of weights. */
export interface WeightsEntry {
  readonly name: string;
  readonly url: string;
  /** File name in the cache folder. */
  readonly file: string;
  readonly format: "pth" | "caffemodel";
  /**
   * A name for `models.create`; for a `backbone`, its own name: `resnet18` for `fcn32s-resnet18` and similar models.
   */
  readonly model: string;
  /** `net`: a complete segmentation net. `backbone`: a classifier whose backbone is used. */
  readonly part: "net" | "backbone";
  readonly numClasses: number;
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
