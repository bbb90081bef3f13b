import { TensorError } from "@fcn/tensor";
import { invalidArgument } from "@fcn/tensor/internal";
import { VOID_COLOUR } from "../../labels/colours.js";
import { type SegmentationSample, VOID_LABEL } from "../../labels/sample.js";
import { labelCell, overlayCell, photoCell } from "../../report/images/cells.js";
import { type PanelCell, renderPanels } from "../../report/images/panels.js";
import { createRandom, shuffledIndices } from "../random.js";
import type { OpenedData, SegmentationDataset } from "../samples/dataset.js";

export interface ContactSheetOptions {
  /** Number of samples. Default 6. */
  readonly count?: number;
  /** Seed that chooses the samples. Default 0. */
  readonly seed?: number;
  /** Default "train". */
  readonly split?: string;
}

/**
 * Renders some samples as a PNG image: the image, its labels, and the labels over the image, with the names of the
 * classes shown (Node). Throws `invalid-argument` for an unknown split, `missing-data` if no image can be read.
 */
export async function contactSheet(data: OpenedData, options: ContactSheetOptions = {}): Promise<Uint8Array> {
  const { count = 6, seed = 0, split = "train" } = options;
  const dataset = data.splits[split];
  if (dataset === undefined) {
    const message = `contactSheet: ${data.root} has no split "${split}"`;
    throw invalidArgument(message, `use ${Object.keys(data.splits).join(", ")}`);
  }
  const samples = await pick(dataset, count, seed);
  if (samples.length === 0) {
    const message = `contactSheet: no image of "${split}" in ${data.root} can be read`;
    throw new TensorError({ code: "missing-data", message, fix: "see what `fcn data check` says" });
  }
  const shown = new Set(samples.flatMap(({ labels }) => [...new Set(labels)]));
  const legend = data.classes.map((name, label) => ({ name, colour: data.palette[label] ?? VOID_COLOUR, label }));
  return renderPanels({
    title: `${split} of ${data.root.replace(/^.*[/\\]/, "")}`,
    columns: [{ title: "Image" }, { title: "Labels" }, { title: "Both" }],
    rows: samples.map((sample) => ({ title: sample.name, cells: cellsOf(sample, data) })),
    legend: [...legend, { name: "void", colour: VOID_COLOUR, label: VOID_LABEL }].filter(({ label }) =>
      shown.has(label),
    ),
  });
}

/** The first loadable samples in a seeded order. */
async function pick(dataset: SegmentationDataset, count: number, seed: number): Promise<SegmentationSample[]> {
  const samples: SegmentationSample[] = [];
  for (const index of shuffledIndices(dataset.length, createRandom(seed))) {
    if (samples.length === count) break;
    const sample = await dataset.load(index).catch(() => undefined);
    if (sample) samples.push(sample);
  }
  return samples;
}

function cellsOf({ image, labels }: SegmentationSample, { palette }: OpenedData): PanelCell[] {
  return [photoCell(image), labelCell(labels, image, palette), overlayCell(image, labels, palette)];
}
