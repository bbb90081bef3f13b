import type { Fix } from "@fcn/tensor";
import { checkOptions, invalidArgument, type RulesOf, rules } from "@fcn/tensor/internal";
import { type Augmentation, checkAugmentation } from "../augment/augmentation.js";
import type { SegmentationDataset } from "../samples/dataset.js";
import type { Preprocessing } from "../samples/preprocessing.js";
import type { SampleFailure } from "../workers/makeBatch.js";
import type { WorkerOptions } from "../workers/pool.js";
import { type SampleOrder, sampleOrders } from "./plan.js";

/** The position of a loader: the next batch that it will yield. Plain data for a checkpoint. */
export interface LoaderState {
  readonly epoch: number;
  /** Index of the next batch in its epoch. */
  readonly batch: number;
}

export interface LoaderOptions extends WorkerOptions {
  readonly batchSize: number;
  readonly preprocessing: Preprocessing;
  /** Seed of the sample order and of the random changes. Default 0. */
  readonly seed?: number;
  /** Default "shuffle". */
  readonly order?: SampleOrder;
  /** Default: none. */
  readonly augmentation?: Augmentation;
  /** Number of batches prepared in advance. Default: two per worker, at least two. */
  readonly prefetch?: number;
  /** Whether to drop an incomplete last batch. Default false. */
  readonly dropLast?: boolean;
  /**
   * Fills an incomplete last batch with the first samples of the next epoch, so that all batches have one size and no
   * sample is dropped. No batch contains a sample twice, unless `order` is "replacement". Cannot be combined with
   * `dropLast` or with buckets. Default false.
   */
  readonly fillLast?: boolean;
  /**
   * How to batch images of different sizes: "pad" (the default) pads them with void to the largest, while "bucket"
   * groups images whose sides differ by less than 64 pixels, which need less padding.
   */
  readonly sizes?: "pad" | "bucket";
  /** Batch heights and widths are rounded up to a multiple of this. Default 1. */
  readonly multipleOf?: number;
  /** What to do with a sample that cannot be loaded: leave it out of its batch ("skip", the default), or throw. */
  readonly onError?: "skip" | "throw";
  /** Called for each sample that is left out. */
  readonly onFailure?: (failure: SampleFailure) => void;
  /** The position to continue from. Default: the beginning. */
  readonly state?: LoaderState;
}

const { boolean, checkedInUse, integer, oneOf, required, rule, whole } = rules;

const RULES: RulesOf<LoaderOptions> = {
  batchSize: required(whole(1)),
  preprocessing: checkedInUse,
  seed: integer,
  order: oneOf(...sampleOrders()),
  augmentation: checkedInUse,
  prefetch: whole(1),
  dropLast: boolean,
  fillLast: boolean,
  sizes: oneOf("pad", "bucket"),
  multipleOf: whole(1),
  onError: oneOf("skip", "throw"),
  onFailure: rule("a function", (value) => typeof value === "function"),
  state: rule("the state of an earlier loader: { epoch, batch }", (value) => {
    const { epoch, batch } = (value ?? {}) as Partial<LoaderState>;
    return whole(0).holds(epoch) && whole(0).holds(batch);
  }),
  workers: whole(0),
};

/** Throws `invalid-argument` for loader options that are unknown or break their rules. */
export function checkLoaderOptions(dataset: SegmentationDataset, options: LoaderOptions): void {
  if (typeof dataset?.length !== "number") refuse("there is no data set", "give one of the splits that open found");
  checkOptions<LoaderOptions>("DataLoader", options, RULES);
  const { preprocessing, augmentation = {}, sizes } = options;
  checkAugmentation(augmentation);
  checkPreprocessing(preprocessing);
  if (options.fillLast && (options.dropLast || sizes === "bucket")) {
    refuse(`fillLast with ${options.dropLast ? "dropLast" : 'sizes "bucket"'}`, "leave one of them out");
  }
  if (dataset.length === 0) refuse("the data set has 0 samples", "use a split that is not empty");
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
  throw invalidArgument(`DataLoader: ${message}`, fix);
}
