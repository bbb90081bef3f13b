import { imageOf, type Preprocessing } from "../../data/samples/preprocessing.js";
import type { HostSamples } from "../../data/workers/makeBatch.js";
import { type Colour, VOID_COLOUR } from "../../labels/colours.js";
import { VOID_LABEL } from "../../labels/sample.js";
import { labelCell, overlayCell, photoCell } from "../../report/images/cells.js";
import { renderPanels } from "../../report/images/panels.js";

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
  const seen = new Set(samples.flatMap(({ labels }) => [...new Set(labels)]));
  const legend = classes.map((name, label) => ({ name, colour: palette[label] ?? VOID_COLOUR, label }));
  return renderPanels({
    title: "Augmented training images",
    columns: [{ title: "Image" }, { title: "Labels" }, { title: "Both" }],
    rows: samples.map(({ name, image, labels }) => ({
      title: name,
      cells: [photoCell(image), labelCell(labels, image, palette), overlayCell(image, labels, palette)],
    })),
    legend: [...legend, { name: "void", colour: VOID_COLOUR, label: VOID_LABEL }].filter(({ label }) =>
      seen.has(label),
    ),
  });
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
