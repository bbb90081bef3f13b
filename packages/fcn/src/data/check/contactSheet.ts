import { TensorError } from "@fcn/tensor";
import { invalidArgument } from "@fcn/tensor/internal";
import type { SegmentationSample } from "../../labels/sample.js";
import { sampleSheet } from "../../report/images/sampleSheet.js";
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
  return sampleSheet(`${split} of ${data.root.replace(/^.*[/\\]/, "")}`, samples, data);
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
