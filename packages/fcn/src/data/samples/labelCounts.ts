import { stampOf } from "../files/files.js";
import type { LabelSource } from "./item.js";

/** The number of pixels of each label in a label map. */
export interface LabelCounts {
  readonly height: number;
  readonly width: number;
  readonly pixels: readonly (readonly [label: number, count: number])[];
}

/** The counts of a file, with the stamp that it had before it was read. */
export interface KnownCounts extends LabelCounts {
  readonly stamp: string;
}

/** Kept outside the items, because those are sent to the workers with each batch. */
const KNOWN = new WeakMap<LabelSource, KnownCounts>();

/** Keeps the counts made while a folder was opened, so that the check need not decode the file again. */
export function rememberCounts(source: LabelSource, counts: KnownCounts): void {
  KNOWN.set(source, counts);
}

/** The counts of a label map, if they are known without decoding it. */
export const knownCounts = (source: LabelSource): KnownCounts | undefined => KNOWN.get(source);

/** Whether the file is unchanged since it was counted. */
export async function isCurrent(file: string, { stamp }: KnownCounts): Promise<boolean> {
  return (await stampOf(file)) === stamp;
}

export function countLabels({
  height,
  width,
  labels,
}: Omit<LabelCounts, "pixels"> & { labels: Uint8Array }): LabelCounts {
  const counts = new Array<number>(256).fill(0);
  for (const label of labels) counts[label]!++;
  return { height, width, pixels: counts.flatMap((count, label) => (count > 0 ? [[label, count] as const] : [])) };
}
