import { stampOf } from "../files/files.js";
import type { LabelSource } from "./item.js";

/** How many pixels of a label map have each label. */
export interface LabelCounts {
  readonly height: number;
  readonly width: number;
  readonly pixels: readonly (readonly [label: number, count: number])[];
}

/** Counts of a file, and its stamp from before it was read. */
export interface KnownCounts extends LabelCounts {
  readonly stamp: string;
}

/** Counts are no part of an item, which goes to the workers with each batch. */
const KNOWN = new WeakMap<LabelSource, KnownCounts>();

/** Keeps what was counted while a folder was opened, so that the check need not decode the file again. */
export function rememberCounts(source: LabelSource, counts: KnownCounts): void {
  KNOWN.set(source, counts);
}

/** What is known of a label map without decoding it. */
export const knownCounts = (source: LabelSource): KnownCounts | undefined => KNOWN.get(source);

/** Whether the file is still the one that was counted. */
export async function isCurrent(file: string, { stamp }: KnownCounts): Promise<boolean> {
  return (await stampOf(file)) === stamp;
}

/** Counts the labels of a plane. */
export function countLabels({
  height,
  width,
  labels,
}: Omit<LabelCounts, "pixels"> & { labels: Uint8Array }): LabelCounts {
  const counts = new Array<number>(256).fill(0);
  for (const label of labels) counts[label]!++;
  return { height, width, pixels: counts.flatMap((count, label) => (count > 0 ? [[label, count] as const] : [])) };
}
