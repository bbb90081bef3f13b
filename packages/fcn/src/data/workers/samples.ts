import type { SegmentationSample } from "../../labels/sample.js";
import type { SegmentationDataset } from "../samples/dataset.js";
import type { SampleItem } from "../samples/item.js";
import type { TaskPool } from "./pool.js";

/** The samples of a data set, decoded one at a time by a pool; samples in memory are returned as they are. */
export function pooledSamples(
  dataset: SegmentationDataset,
  pool: TaskPool,
): Pick<SegmentationDataset, "length" | "load"> {
  if (dataset.item === undefined) return dataset;
  const load = (index: number): Promise<SegmentationSample> => pool.run("sample", dataset.item?.(index) as SampleItem);
  return { length: dataset.length, load };
}
