import { createRandom, hashSeeds, shuffledIndices } from "../random.js";

/** The order in which a pass goes through a data set. */
export type SampleOrder = (typeof ORDERS)[number];

const ORDERS = ["shuffle", "sequential", "replacement"] as const;

/** Names of the orders. */
export const sampleOrders = (): SampleOrder[] => [...ORDERS];

export interface EpochOptions {
  readonly length: number;
  readonly batchSize: number;
  /** "replacement" draws each sample from all, as the published training does; a pass has as many draws as there are samples. */
  readonly order: SampleOrder;
  readonly seed: number;
  readonly epoch: number;
  /** Leaves out a last batch that is not full. */
  readonly dropLast: boolean;
  /** For each sample the bucket that it belongs to; a batch holds samples of one bucket. */
  readonly buckets?: readonly string[];
}

/** The batches of one pass, as indices. It depends on the options alone. */
export function planEpoch(options: EpochOptions): number[][] {
  const { length, batchSize, order, seed, epoch, dropLast, buckets } = options;
  const random = createRandom(hashSeeds(seed, epoch));
  const indices = drawOrder(length, order, random);
  const groups = buckets ? groupBy(indices, (index) => buckets[index] as string) : [indices];
  const batches = groups.flatMap((group) => chunks(group, batchSize, dropLast));
  if (!buckets || order === "sequential") return batches;
  return shuffledIndices(batches.length, random).map((i) => batches[i] as number[]);
}

function drawOrder(length: number, order: SampleOrder, random: () => number): number[] {
  if (order === "shuffle") return shuffledIndices(length, random);
  return Array.from({ length }, (_, i) => (order === "sequential" ? i : Math.floor(random() * length)));
}

function groupBy(indices: readonly number[], keyOf: (index: number) => string): number[][] {
  const groups = new Map<string, number[]>();
  for (const index of indices) {
    const group = groups.get(keyOf(index));
    if (group) group.push(index);
    else groups.set(keyOf(index), [index]);
  }
  return [...groups.values()];
}

function chunks(indices: readonly number[], size: number, dropLast: boolean): number[][] {
  const batches: number[][] = [];
  for (let at = 0; at < indices.length; at += size) {
    const batch = indices.slice(at, at + size);
    if (batch.length === size || !dropLast) batches.push(batch);
  }
  return batches;
}
