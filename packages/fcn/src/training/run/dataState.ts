import { nodeModule } from "@fcn/tensor/internal";
import type { SegmentationDataset } from "../../data/samples/dataset.js";
import { countAndHash } from "./configuration.js";
import type { RunData } from "./data.js";

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
export async function dataState({ train, validation, report }: RunData): Promise<DataState | undefined> {
  const [images, labels]: [string[], string[]] = [[], []];
  for (const dataset of validation ? [train, validation] : [train]) {
    if (dataset.item === undefined) return undefined;
    for (let i = 0; i < dataset.length; i++) await addSizes(dataset, i, { images, labels });
  }
  const counts = Object.values(report?.splits ?? {}).map(({ histogram }) => histogram.join());
  return { images: countAndHash(images), labels: countAndHash([...labels, ...counts]) };
}

async function addSizes(
  dataset: SegmentationDataset,
  index: number,
  { images, labels }: { readonly images: string[]; readonly labels: string[] },
): Promise<void> {
  const item = dataset.item?.(index);
  for (const { file } of item?.image ?? []) images.push(`${await sizeOf(file)}`);
  if (item && "file" in item.labels) labels.push(`${await sizeOf(item.labels.file)}`);
}

const sizeOf = async (file: string): Promise<number> =>
  (
    await nodeModule("trainRun", "node:fs/promises")
      .stat(file)
      .catch(() => undefined)
  )?.size ?? 0;

/** A remark if a run continues with other data than it began with, or undefined if no difference shows. */
export function tellOtherData(before: DataState | undefined, now: DataState | undefined): string | undefined {
  if (before === undefined || now === undefined) return undefined;
  const changed = (["images", "labels"] as const).filter((part) => before[part] !== now[part]);
  if (changed.length === 0) return undefined;
  const what = changed.map((part) => (part === "images" ? "images" : "masks")).join(" and ");
  return `the ${what} have changed since the checkpoint: the run goes on with those that are there, and is not the run that it began as`;
}
