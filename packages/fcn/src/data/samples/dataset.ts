import type { Colour } from "../../labels/colours.js";
import { checkSample, furtherMaps, type SegmentationSample, VOID_LABEL } from "../../labels/sample.js";
import type { PixelScale } from "../decode/pixelScale.js";
import type { DataRemark } from "../files/remarks.js";
import { loadItem, type SampleItem } from "./item.js";
import type { Preprocessing } from "./preprocessing.js";

/** Labelled images that are loaded one at a time. */
export interface SegmentationDataset {
  readonly length: number;
  /** Names by label. */
  readonly classes: readonly string[];
  /** Red, green, blue by label. */
  readonly palette: readonly Colour[];
  /** The name of a sample, known without loading it. */
  name(index: number): string;
  /** Decodes one sample. Throws a TensorError that names the file when that fails. */
  load(index: number): Promise<SegmentationSample>;
  /** The files behind a sample, as plain data that a worker can load. Absent where samples are in memory. */
  item?(index: number): SampleItem;
}

/** The label map of a data set, and what its labels are called. */
export interface Classes {
  readonly classes: readonly string[];
  readonly palette: readonly Colour[];
}

/** A data set of files. */
export function fileDataset(items: readonly SampleItem[], { classes, palette }: Classes): SegmentationDataset {
  const item = (index: number): SampleItem => items[index] as SampleItem;
  return {
    length: items.length,
    classes,
    palette,
    name: (index) => item(index).name,
    load: (index) => loadItem(item(index)),
    item,
  };
}

/**
 * A data set of samples in memory. Throws a TensorError for a sample that is not complete, has a label without a class,
 * or other extra label maps than the first.
 */
export function sampleDataset(
  samples: readonly SegmentationSample[],
  { classes, palette }: Classes,
): SegmentationDataset {
  const maps = furtherMaps("sampleDataset", samples);
  for (const sample of samples) {
    checkSample("sampleDataset", sample, classes.length);
    // How many classes a further map has is known to the net alone.
    for (const map of maps) checkSample("sampleDataset", sample, VOID_LABEL, map);
  }
  const at = (index: number): SegmentationSample => samples[index] as SegmentationSample;
  return { length: samples.length, classes, palette, name: (i) => at(i).name, load: async (i) => at(i) };
}

/** The samples of `dataset` at `indices`, in that order. */
export function subset(dataset: SegmentationDataset, indices: readonly number[]): SegmentationDataset {
  const at = (index: number): number => indices[index] as number;
  const { classes, palette } = dataset;
  return {
    length: indices.length,
    classes,
    palette,
    name: (index) => dataset.name(at(index)),
    load: (index) => dataset.load(at(index)),
    ...(dataset.item ? { item: (index: number) => dataset.item?.(at(index)) as SampleItem } : {}),
  };
}

/** The data set with all its photographs on a scale; samples in memory stay as they are. */
export function withScale(dataset: SegmentationDataset, { range, depths }: PixelScale): SegmentationDataset {
  if (dataset.item === undefined) return dataset;
  const items = Array.from({ length: dataset.length }, (_, index): SampleItem => {
    const own = dataset.item?.(index) as SampleItem;
    const image = own.image.map(({ file, as }) => {
      if (as !== "rgb") return { file, as };
      return { file, as, ...(range ? { range } : {}), ...(depths ? { depths } : {}) };
    });
    return { ...own, image };
  });
  return fileDataset(items, dataset);
}

/** Loads all samples of a data set, in their order: for sets that fit into memory. */
export async function loadAll(dataset: SegmentationDataset): Promise<SegmentationSample[]> {
  const samples: SegmentationSample[] = [];
  for (let i = 0; i < dataset.length; i++) samples.push(await dataset.load(i));
  return samples;
}

/** An image that `skipBad` left out of a split. */
export interface LeftOut {
  readonly split: string;
  readonly name: string;
  /** The image, mask or annotations at fault. */
  readonly file: string;
  readonly code: string;
  readonly text: string;
  readonly commandText?: string;
}

/** A folder with labelled images, as {@link SegmentationDataset}s by split. */
export interface OpenedData extends Classes, PixelScale {
  readonly root: string;
  readonly layout: string;
  /** "train" and "val" as a rule; what can only be measured on has no "train". */
  readonly splits: Readonly<Record<string, SegmentationDataset>>;
  /** Class names of extra label maps (`SegmentationSample.more`), by name. */
  readonly more?: Readonly<Record<string, Classes>>;
  /** The published means, where the layout is a published set. */
  readonly preprocessing?: Preprocessing;
  /** What was left out while opening, and how masks were understood. */
  readonly remarks: readonly DataRemark[];
  /** The images that `skipBad` left out; absent without that option. */
  readonly leftOut?: readonly LeftOut[];
}
