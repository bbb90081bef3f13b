import { imageOf, type Preprocessing } from "../../data/samples/preprocessing.js";
import type { HostSamples } from "../../data/workers/makeBatch.js";
import type { Colour } from "../../labels/colours.js";
import { sampleSheet } from "../../report/images/sampleSheet.js";

/** Samples on a sheet. */
export const PREVIEWED = 6;

interface Shown {
  readonly classes: readonly string[];
  readonly palette: readonly Colour[];
  readonly preprocessing: Preprocessing;
}

/** Draws the first samples of batches as a net gets them after augmentation, as a PNG image (Node). */
export async function previewSheet(
  batches: readonly HostSamples[],
  { classes, palette, preprocessing }: Shown,
): Promise<Uint8Array> {
  const samples = batches.flatMap((batch) => samplesOf(batch, preprocessing)).slice(0, PREVIEWED);
  return sampleSheet("Augmented training images", samples, { classes, palette });
}

function samplesOf({ images, labels, shape, names }: HostSamples, preprocessing: Preprocessing) {
  const [, channels, height, width] = shape;
  const pixels = height * width;
  return names.map((name, n) => ({
    name,
    image: imageOf(images.subarray(n * channels * pixels, (n + 1) * channels * pixels), shape, preprocessing),
    labels: Uint8Array.from(labels.subarray(n * pixels, (n + 1) * pixels)),
  }));
}
