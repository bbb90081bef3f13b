import type { Colour } from "../../labels/colours.js";
import { checkSample, extraLabelNames, type SegmentationSample, VOID_LABEL } from "../../labels/sample.js";
import type { PixelScale } from "../decode/pixelScale.js";
import type { DataRemark } from "../files/remarks.js";
import { loadItem, type SampleItem } from "./item.js";
import type { Preprocessing } from "./preprocessing.js";

/** Labelled images that are loaded one at a time. */
export interface SegmentationDataset {
  readonly length: number;
  /** Class names by label. */
  readonly classes: readonly string[];
  /** Colours (red, green, blue) by label. */
  readonly palette: readonly Colour[];
  /** The name of a sample, available without loading it. */
  name(index: number): string;
  /** Decodes one sample. Throws a TensorError that names the file if that fails. */
  load(index: number): Promise<SegmentationSample>;
  /** The files of a sample, as plain data that a worker can load. Absent if the samples are in memory. */
  item?(index: number): SampleItem;
}

/** The names and colours of the labels of a data set. */
export interface Classes {
  readonly classes: readonly string[];
  readonly palette: readonly Colour[];
}

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
 * Makes a data set of samples in memory. Throws a TensorError for a sample that is incomplete, has a label without a
 * class, or has other extra labels than the first.
 */
export function sampleDataset(
  samples: readonly SegmentationSample[],
  { classes, palette }: Classes,
): SegmentationDataset {
  const maps = extraLabelNames("sampleDataset", samples);
  for (const sample of samples) {
    checkSample("sampleDataset", sample, classes.length);
    // Only the net knows how many classes extra labels have.
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

/** The samples of all data sets in order, with the classes of the first; there is at least one set. */
export function joined(datasets: readonly SegmentationDataset[]): SegmentationDataset {
  const places = datasets.flatMap((dataset) => Array.from({ length: dataset.length }, (_, i) => [dataset, i] as const));
  const at = (index: number) => places[index] as (typeof places)[number];
  const { classes, palette } = datasets[0] as SegmentationDataset;
  const of = <T>(index: number, use: (dataset: SegmentationDataset, own: number) => T): T => use(...at(index));
  return {
    ...{ length: places.length, classes, palette },
    name: (index) => of(index, (dataset, own) => dataset.name(own)),
    load: (index) => of(index, (dataset, own) => dataset.load(own)),
    ...(datasets.every(({ item }) => item !== undefined)
      ? { item: (index: number) => of(index, (dataset, own) => dataset.item?.(own) as SampleItem) }
      : {}),
  };
}

/** Maps all photographs of a data set by one scale; samples in memory are unchanged. */
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

/** Loads all samples of a data set in order, for sets that fit into memory. */
export async function loadAll(dataset: SegmentationDataset): Promise<SegmentationSample[]> {
  const samples: SegmentationSample[] = [];
  for (let i = 0; i < dataset.length; i++) samples.push(await dataset.load(i));
  return samples;
}

/** An image that `skipBad` removed from a split. */
export interface LeftOut extends Pick<DataRemark, "code" | "text" | "commandText" | "parts"> {
  readonly split: string;
  readonly name: string;
  /** The file at fault: the image, mask or annotations. */
  readonly file: string;
}

/** A folder of labelled images, opened as one {@link SegmentationDataset} per split. */
export interface OpenedData extends Classes, PixelScale {
  readonly root: string;
  readonly layout: string;
  /** Usually "train" and "val"; data that is only for measuring has no "train". */
  readonly splits: Readonly<Record<string, SegmentationDataset>>;
  /** Classes of the extra labels (`SegmentationSample.more`), by name. */
  readonly more?: Readonly<Record<string, Classes>>;
  /** The published preprocessing, if the layout is a published set. */
  readonly preprocessing?: Preprocessing;
  /** What was left out on opening, and how the masks were interpreted. */
  readonly remarks: readonly DataRemark[];
  /** The images that `skipBad` removed; absent without that option. */
  readonly leftOut?: readonly LeftOut[];
}
