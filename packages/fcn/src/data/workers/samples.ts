import type { SegmentationSample } from "../../labels/sample.js";
import type { SegmentationDataset } from "../samples/dataset.js";
import type { SampleItem } from "../samples/item.js";
import type { TaskPool } from "./pool.js";

/** The samples of a data set one at a time, decoded by a pool; those in memory as they are. */
export function pooledSamples(
  dataset: SegmentationDataset,
  pool: TaskPool,
): Pick<SegmentationDataset, "length" | "load"> {
  if (dataset.item === undefined) return dataset;
  const load = (index: number): Promise<SegmentationSample> => pool.run("sample", dataset.item?.(index) as SampleItem);
  return { length: dataset.length, load };
}
