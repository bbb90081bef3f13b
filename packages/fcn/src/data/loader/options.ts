import { type Fix, TensorError } from "@fcn/tensor";
import { checkOptions, type OptionNames } from "@fcn/tensor/internal";
import { type Augmentation, checkAugmentation } from "../augment/options.js";
import type { SegmentationDataset } from "../samples/dataset.js";
import type { Preprocessing } from "../samples/preprocessing.js";
import type { SampleFailure } from "../workers/makeBatch.js";
import type { WorkerOptions } from "../workers/pool.js";
import { type SampleOrder, sampleOrders } from "./plan.js";

/** Where a loader stands: the next batch it will give. Plain data for a checkpoint. */
export interface LoaderState {
  readonly epoch: number;
  /** Place of the next batch in its epoch. */
  readonly batch: number;
}

export interface LoaderOptions extends WorkerOptions {
  readonly batchSize: number;
  readonly preprocessing: Preprocessing;
  /** Fixes the order of the samples and their changes. Default 0. */
  readonly seed?: number;
  /** Default "shuffle". */
  readonly order?: SampleOrder;
  /** Default: none. */
  readonly augmentation?: Augmentation;
  /** Batches that are made ahead. Default: two a worker, at least two. */
  readonly prefetch?: number;
  /** Leave out a last batch that is not full. Default false. */
  readonly dropLast?: boolean;
  /**
   * Fill a last batch that is not full with the first samples of the next epoch: all batches have one size, and no sample is left out. A batch holds
   * no sample twice, but where `order` is "replacement". Neither with `dropLast` nor with buckets. Default false.
   */
  readonly fillLast?: boolean;
  /**
   * Pictures of several sizes in one batch are padded with void to the largest ("pad", the default), or batches are made of pictures that differ
   * by less than 64 pixels in each side ("bucket"), which are padded less.
   */
  readonly sizes?: "pad" | "bucket";
  /** Heights and widths of batches are multiples of this. Default 1. */
  readonly multipleOf?: number;
  /** A sample that cannot be loaded: leave it out of its batch ("skip", the default), or throw. */
  readonly onError?: "skip" | "throw";
  /** Is told of each sample that was left out. */
  readonly onFailure?: (failure: SampleFailure) => void;
  /** Where to go on. Default: the beginning. */
  readonly state?: LoaderState;
}

const NAMES: OptionNames<LoaderOptions> = {
  batchSize: true,
  preprocessing: true,
  seed: true,
  order: true,
  augmentation: true,
  prefetch: true,
  dropLast: true,
  fillLast: true,
  sizes: true,
  multipleOf: true,
  onError: true,
  onFailure: true,
  state: true,
  workers: true,
};

/** Throws a TensorError for options of a loader that do not hold, or that are not known. */
export function checkLoaderOptions(dataset: SegmentationDataset, options: LoaderOptions): void {
  if (typeof dataset?.length !== "number") refuse("there is no data set", "give one of the splits that open found");
  checkOptions<LoaderOptions>("DataLoader", options, NAMES);
  const { batchSize, preprocessing, prefetch = 1, multipleOf = 1, seed = 0, state, workers = 0 } = options;
  const { augmentation = {}, order = "shuffle", sizes = "pad", onError = "skip" } = options;
  checkAugmentation(augmentation);
  checkPreprocessing(preprocessing);
  for (const [name, value, choices] of [
    ["order", order, sampleOrders()],
    ["sizes", sizes, ["pad", "bucket"]],
    ["onError", onError, ["skip", "throw"]],
  ] as const) {
    if (!(choices as readonly string[]).includes(value)) {
      refuse(`${name} is ${JSON.stringify(value)}`, `use one of: ${choices.join(", ")}`);
    }
  }
  if (options.fillLast && (options.dropLast || sizes === "bucket")) {
    refuse(`fillLast with ${options.dropLast ? "dropLast" : 'sizes "bucket"'}`, "leave one of them out");
  }
  if (!Number.isSafeInteger(seed)) refuse(`seed is ${seed}`, "give a whole number");
  const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
  if (!isCount(workers)) refuse(`workers is ${workers}`, "give a whole number from 0 on");
  if (state !== undefined && !(isCount(state.epoch) && isCount(state.batch))) {
    refuse(`state is ${JSON.stringify(state)}`, { code: "give the state of an earlier loader: { epoch, batch }" });
  }
  const isWhole = (value: number): boolean => Number.isInteger(value) && value >= 1;
  if (dataset.length > 0 && isWhole(batchSize) && isWhole(prefetch) && isWhole(multipleOf)) return;
  refuse(
    `${dataset.length} samples, batchSize ${batchSize}, prefetch ${prefetch}, multipleOf ${multipleOf}; each must be a whole number from 1 on`,
    "correct the option, or use a split that is not empty",
  );
}

function checkPreprocessing(preprocessing: Preprocessing | undefined): void {
  const fix = "give data.IMAGENET_MEAN, the one in the metadata of the weights, or { channelOrder, mean, std }";
  if (typeof preprocessing !== "object" || preprocessing === null) {
    refuse(`preprocessing is ${preprocessing === undefined ? "missing" : JSON.stringify(preprocessing)}`, fix);
  }
  const { channelOrder, mean, std } = preprocessing as Preprocessing;
  const areNumbers = (values: unknown): boolean =>
    Array.isArray(values) && values.length > 0 && values.every(Number.isFinite);
  if (["rgb", "bgr"].includes(channelOrder) && areNumbers(mean) && areNumbers(std) && mean.length === std.length)
    return;
  refuse(`preprocessing is ${JSON.stringify(preprocessing)}`, fix);
}

function refuse(message: string, fix: Fix): never {
  throw new TensorError({ code: "invalid-argument", message: `DataLoader: ${message}`, fix });
}
