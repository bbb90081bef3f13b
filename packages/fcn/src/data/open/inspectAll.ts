import type { TensorError } from "@fcn/tensor";
import { invalidArgument } from "@fcn/tensor/internal";
import type { Abortable } from "../../async/abort.js";
import { listedOnce } from "../files/buckets.js";
import { stampOf } from "../files/files.js";
import type { OpenedData, SegmentationDataset } from "../samples/dataset.js";
import type { SampleItem } from "../samples/item.js";
import { knownCounts } from "../samples/labelCounts.js";
import { filesOf, type Inspection } from "../workers/inspect.js";
import { type WorkerOptions, withPool } from "../workers/pool.js";

export interface InspectOptions extends WorkerOptions, Abortable {
  /** Called after each image. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** The findings about an item, with the stamps that its files had before they were read. */
const FOUND = new WeakMap<SampleItem, { readonly inspection: Inspection; readonly stamps: string }>();

const stampsOf = async (item: SampleItem): Promise<string> =>
  (await Promise.all(filesOf(item).map(stampOf))).join("\n");

/**
 * Inspects the files of all samples, keyed by {@link keysOf}. A sample that occurs in several splits (trainval) is
 * inspected once, and one whose files have not changed since the last inspection is not inspected again.
 */
export const inspectAll = (opened: OpenedData, options: InspectOptions): Promise<Map<string, Inspection>> =>
  listedOnce([opened.root], () => inspectEach(opened, options));

async function inspectEach(opened: OpenedData, options: InspectOptions): Promise<Map<string, Inspection>> {
  const items = new Map(
    Object.values(opened.splits).flatMap((dataset) => {
      return keysOf(dataset).map((key, i) => [key, dataset.item?.(i)] as const);
    }),
  );
  let done = 0;
  const numClasses = opened.classes.length;
  return withPool(options, items.size, async (pool) => {
    const found = [...items].map(async ([key, item]) => {
      if (item === undefined) throw inMemory(key);
      const stamps = await stampsOf(item);
      const before = FOUND.get(item);
      const isSame = before?.stamps === stamps;
      const inspection = isSame
        ? before.inspection
        : await pool.run("inspect", { item, numClasses, known: knownCounts(item.labels) });
      FOUND.set(item, { inspection, stamps });
      options.onProgress?.(++done, items.size);
      return [key, inspection] as const;
    });
    return new Map(await Promise.all(found));
  });
}

function inMemory(name: string): TensorError {
  return invalidArgument(
    `check: sample "${name}" is in memory, but files are checked`,
    "sampleDataset checked it already; check a folder",
  );
}

/** Keys that distinguish the samples of a data set and are equal for a sample that occurs in several splits. */
export function keysOf(dataset: SegmentationDataset): string[] {
  return Array.from({ length: dataset.length }, (_, i) => {
    const item = dataset.item?.(i);
    return item ? `${item.name}\n${item.labels.file}` : dataset.name(i);
  });
}
