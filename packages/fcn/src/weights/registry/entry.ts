import type { Preprocessing } from "../../data/samples/preprocessing.js";

/** A published file of weights. */
export interface WeightsEntry {
  readonly name: string;
  readonly url: string;
  /** Its name in the cache folder. */
  readonly file: string;
  readonly format: "pth" | "caffemodel";
  /** A name for `models.create`; of a `backbone`, its backbone: `resnet18` of `fcn32s-resnet18` and its kind. */
  readonly model: string;
  /** `net`: all of a segmentation net. `backbone`: a classifier, of which the backbone is used. */
  readonly part: "net" | "backbone";
  readonly numClasses: number;
  /** What the images must be turned into. */
  readonly preprocessing: Preprocessing;
  /**
   * As published: in bytes, or in mebibytes rounded to three decimals. Where it is not known, none is checked.
   */
  readonly size?: { readonly bytes: number } | { readonly mebibytes: number };
  /** Where none is published, none is checked. */
  readonly checksum?: Checksum;
  /** On the weights, as far as the publisher says. */
  readonly license: string;
  /** What else one must know. */
  readonly note?: string;
}

/**
 * `digits` is the digest in hexadecimal, or its beginning: torchvision gives the first eight digits in the name of the
 * file.
 */
export interface Checksum {
  readonly algorithm: "sha256" | "sha1" | "md5";
  readonly digits: string;
}
