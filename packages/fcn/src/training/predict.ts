import type { Preprocessing } from "../data/preprocessing.js";
import type { RasterImage } from "../data/sample.js";
import { predictSamples } from "./evaluate.js";
import type { SegmentationNet } from "./model.js";

/** One class per pixel of the picture, row by row. */
export interface Prediction {
  readonly labels: Uint8Array;
  readonly height: number;
  readonly width: number;
}

/**
 * The class of each pixel of one picture. `preprocessing` must be the one the net was trained with; the metadata of a loaded weights
 * file holds it.
 */
export async function predict(
  model: SegmentationNet,
  image: RasterImage,
  options: { readonly preprocessing: Preprocessing },
): Promise<Prediction> {
  const sample = { name: "image", image, labels: new Uint8Array(0) };
  const [labels] = await predictSamples(model, [sample], options);
  return { labels: labels as Uint8Array, height: image.height, width: image.width };
}
