import { listedOnce } from "../../../data/files/buckets.js";
import { sizeOf } from "../../../data/files/files.js";
import { countAndHash } from "../configuration.js";
import type { RunData } from "../start/data.js";

/**
 * A summary of a run's images and labels: how many there are, their file sizes, and the class counts of their pixels.
 */
export interface DataState {
  readonly images: string;
  readonly labels: string;
}

/**
 * Undefined for samples in memory. A copy of the data has the same state. Files of equal size with equal class counts
 * cannot be told apart.
 */
export const dataState = (data: RunData): Promise<DataState | undefined> =>
  listedOnce([data.opened.root], () => stateOf(data));

async function stateOf({ train, validation, report }: RunData): Promise<DataState | undefined> {
  const [images, labels]: [string[], string[]] = [[], []];
  for (const dataset of validation ? [train, validation] : [train]) {
    for (let i = 0; i < dataset.length; i++) {
      const item = dataset.item?.(i);
      if (item === undefined) return undefined;
      for (const { file } of item.image) images.push(`${await sizeOf(file)}`);
      if ("file" in item.labels) labels.push(`${await sizeOf(item.labels.file)}`);
    }
  }
  const counts = Object.values(report?.splits ?? {}).map(({ histogram }) => histogram.join());
  return { images: countAndHash(images), labels: countAndHash([...labels, ...counts]) };
}

/** A remark if a run continues with other data than it began with, or undefined if no difference shows. */
export function tellOtherData(before: DataState | undefined, now: DataState | undefined): string | undefined {
  if (before === undefined || now === undefined) return undefined;
  const changed = (["images", "labels"] as const).filter((part) => before[part] !== now[part]);
  if (changed.length === 0) return undefined;
  const what = changed.map((part) => (part === "images" ? "images" : "masks")).join(" and ");
  return `the ${what} have changed since the checkpoint: the run continues with those that are there now, so its result is not that of the run that began`;
}
