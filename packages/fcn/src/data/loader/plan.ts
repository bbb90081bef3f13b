import { createRandom, hashSeeds, shuffledIndices } from "../random.js";

/** The order in which an epoch visits the samples. */
export type SampleOrder = (typeof ORDERS)[number];

const ORDERS = ["shuffle", "sequential", "replacement"] as const;

export const sampleOrders = (): SampleOrder[] => [...ORDERS];

export interface EpochOptions {
  readonly length: number;
  readonly batchSize: number;
  /**
   * "replacement" draws every sample from the whole set, like the published training; an epoch has as many draws as
   * there are samples.
   */
  readonly order: SampleOrder;
  readonly seed: number;
  readonly epoch: number;
  /** Drops an incomplete last batch. */
  readonly dropLast: boolean;
  /**
   * Fills an incomplete last batch with the first samples of the next epoch that it does not yet contain; the next
   * epoch starts after them. Cannot be combined with `dropLast` or `buckets`.
   */
  readonly fillLast?: boolean;
  /** The bucket of each sample; all samples of a batch come from one bucket. */
  readonly buckets?: readonly string[];
}

/** One sample of a batch, and the epoch whose order it comes from, which determines its random changes. */
export interface Draw {
  readonly index: number;
  readonly epoch: number;
}

/** The batches of one epoch as sample indices, determined by the options alone. */
export const planEpoch = (options: EpochOptions): number[][] =>
  planDraws(options).map((batch) => batch.map(({ index }) => index));

/** {@link planEpoch} with the epoch of each sample. */
export function planDraws(options: EpochOptions): Draw[][] {
  const { length, batchSize, epoch, fillLast } = options;
  if (fillLast && length >= batchSize) return filledBatches(options);
  return ownBatches(options).map((batch) => batch.map((index) => ({ index, epoch })));
}

function ownBatches({ length, batchSize, order, seed, epoch, dropLast, buckets }: EpochOptions): number[][] {
  const random = createRandom(hashSeeds(seed, epoch));
  const indices = drawOrder(length, order, random);
  const groups = buckets ? groupBy(indices, (index) => buckets[index] as string) : [indices];
  const batches = groups.flatMap((group) => chunks(group, batchSize, dropLast));
  if (!buckets || order === "sequential") return batches;
  return shuffledIndices(batches.length, random).map((i) => batches[i] as number[]);
}

/** The batches that begin in this epoch, when all epochs in a row are cut into batches. */
function filledBatches(options: EpochOptions): Draw[][] {
  const { length, batchSize, epoch } = options;
  const drawsOf = (own: number): Draw[] => filledOrder(options, own).map((index) => ({ index, epoch: own }));
  const used = usedBefore(options, epoch);
  const count = Math.ceil((length - used) / batchSize);
  const row = used + count * batchSize > length ? [...drawsOf(epoch), ...drawsOf(epoch + 1)] : drawsOf(epoch);
  return chunks(row.slice(used, used + count * batchSize), batchSize, false);
}

/** The number of samples of an epoch that fill the last batch of the previous one. */
const usedBefore = ({ length, batchSize }: EpochOptions, epoch: number): number =>
  (batchSize - ((epoch * length) % batchSize)) % batchSize;

/**
 * The order of an epoch, starting with the samples that complete the previous epoch's last batch: the first ones that
 * it does not yet contain. An order with replacement is unchanged.
 */
function filledOrder(options: EpochOptions, epoch: number): number[] {
  const { length, batchSize, order } = options;
  const own = ownOrder(options, epoch);
  const used = usedBefore(options, epoch);
  if (used === 0 || order === "replacement") return own;
  // Samples move only within the first `batchSize`, so the end of a longer epoch equals its own order.
  const before = (length < 2 * batchSize ? filledOrder : ownOrder)(options, epoch - 1);
  const begun = new Set(before.slice(length - (batchSize - used)));
  const filling = new Set(own.filter((index) => !begun.has(index)).slice(0, used));
  return [...filling, ...own.filter((index) => !filling.has(index))];
}

const ownOrder = ({ length, order, seed }: EpochOptions, epoch: number): number[] =>
  drawOrder(length, order, createRandom(hashSeeds(seed, epoch)));

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

function chunks<T>(row: readonly T[], size: number, dropLast: boolean): T[][] {
  const batches: T[][] = [];
  for (let at = 0; at < row.length; at += size) {
    const batch = row.slice(at, at + size);
    if (batch.length === size || !dropLast) batches.push(batch);
  }
  return batches;
}
