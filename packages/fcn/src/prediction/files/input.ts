import { basename } from "node:path";
import { TensorError } from "@fcn/tensor";
import type { PixelScale } from "../../data/decode/pixelScale.js";
import { fileError } from "../../data/files/errors.js";
import type { RasterImage } from "../../labels/sample.js";

/** An image named by the user. */
export interface Input {
  /** The name shown in messages and results. */
  readonly name: string;
  /** The name of its results, without an extension. Keeps the folders below the named one. */
  readonly stem: string;
  /** The file of this machine, if it is one. */
  readonly path?: string;
  /** Its address, if it is elsewhere. */
  readonly address?: string;
  /** Decodes the image, on the given scale if it has more than 8 bits. Throws a TensorError that names it. */
  load(scale?: PixelScale): Promise<RasterImage>;
}

export interface InputOptions {
  /** Height and width of the raw image in standard input, four bytes per pixel: red, green, blue, opacity. */
  readonly raw?: readonly [height: number, width: number] | undefined;
  /**
   * The place for results. If it lies in a folder of images, its contents are not inputs; neither are results of
   * `predict` in it that are named.
   */
  readonly out?: string | undefined;
  /** Images at most. Default: as many as there are. */
  readonly most?: number | undefined;
  /** Called with each thing that was left out. */
  readonly onWarning?: ((text: string) => void) | undefined;
}

/** What to do with more images than a run can have. Runs into one place share a list of results there. */
export const SPLIT = {
  code: "split them by folder or prefix into several runs, each with a place for results of its own",
  command: "split them by folder or prefix into several runs, each with an --out of its own",
} as const;

/** Throws `limit-exceeded` for more images than there may be. */
export function checkCount(images: number, most = Number.POSITIVE_INFINITY): void {
  if (images <= most) return;
  const message = `predict: more images are named than the ${most} that a run may have`;
  throw new TensorError({ code: "limit-exceeded", message, fix: SPLIT });
}

/** Characters of patterns. */
export const PATTERN = /[*?[\]{}!()]/;

/** An image that fails to load. */
export const failed = (name: string, error: unknown): Input => ({
  name,
  stem: basename(name),
  load: () => Promise.reject(error),
});

const missing = (name: string, problem: string, fix: string): Input =>
  failed(name, fileError("missing-data", name, problem, fix));

export const noMatch = (name: string): Input => {
  const quoting = /[()[\]{}!]/.test(name) ? '; in a pattern, put "\\" before brackets and "!" that a name has' : "";
  return missing(name, "there is no such file or folder, and no file matches", `check the path${quoting}`);
};

export const noImages = (name: string): Input =>
  missing(name, "it holds no images", "name a folder with JPEG, PNG, WebP, TIFF, AVIF or GIF files");

export const onlyResults = (name: string): Input =>
  missing(name, "all images there are results of fcn predict", "name the images to predict");
