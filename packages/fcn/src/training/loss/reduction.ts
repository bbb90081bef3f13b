import { checkOptions, rules } from "@fcn/tensor/internal";
import { oneOf } from "../../options/rules.js";

/**
 * How the losses of one step's labelled pixels become one number:
 *
 * - `sum`: their sum. With one image per step, the published VGG nets were trained this way.
 * - `batch`: their sum divided by the number of images, as Caffe's SoftmaxWithLoss with `normalize: false`.
 * - `mean`: the mean over the labelled pixels, weighted by class weights if there are any. This is PyTorch's default,
 * and Caffe's `normalize: true` if a step is one batch.
 * - `imageMeans`: the sum over the images of each one's mean over all of its pixels, void ones included, as in the d2l
 * chapter.
 *
 * A step of several accumulated batches is reduced as one large batch. (For `mean`, Caffe's `iter_size` averages the
 * batches' means instead, which is the same if each batch has as many labelled pixels.)
 */
export type Reduction = "sum" | "batch" | "mean" | "imageMeans";

/** The counts that divisors depend on. */
export interface LossCounts {
  readonly images: number;
  /** Pixels of one image. */
  readonly pixels: number;
  /** Labelled pixels of all images, each weighted by its class. */
  readonly weight: number;
}

const DIVISORS: Readonly<Record<Reduction, (counts: LossCounts) => number>> = {
  sum: () => 1,
  batch: ({ images }) => images,
  // As in Caffe, a step without labels costs 0 rather than 0 / 0.
  mean: ({ weight }) => weight || 1,
  imageMeans: ({ pixels }) => pixels,
};

export const reductionNames = (): Reduction[] => Object.keys(DIVISORS) as Reduction[];

export const reductionRule = oneOf(reductionNames());

/** The number that divides the summed cross-entropy. */
export const divisorOf = (reduction: Reduction, counts: LossCounts): number => DIVISORS[reduction](counts);

/** A change of reduction for a net trained on images like these. */
export interface ReductionChange {
  readonly from: Reduction;
  readonly to: Reduction;
  /** Labelled pixels of an image, or all of its pixels for `imageMeans`. */
  readonly pixels: number;
  /** Images per step. Default 1. */
  readonly batchSize?: number;
}

function changeFactor(op: string, change: ReductionChange): number {
  checkOptions<ReductionChange>(op, change, {
    from: rules.required(reductionRule),
    to: rules.required(reductionRule),
    pixels: rules.required(rules.positive),
    batchSize: rules.whole(1),
  });
  const { from, to, pixels, batchSize = 1 } = change;
  const counts = { images: batchSize, pixels, weight: pixels * batchSize };
  return divisorOf(to, counts) / divisorOf(from, counts);
}

/**
 * The learning rate with which a step on the loss reduced by `to` equals a step at `rate` on the loss reduced by
 * `from`: 1e-10 on a sum over 500 x 375 pixels becomes 1.9e-5 on their mean. Convert the weight decay with {@link
 * convertWeightDecay}.
 */
export const convertLearningRate = (rate: number, change: ReductionChange): number =>
  rate * changeFactor("convertLearningRate", change);

/** The weight decay that goes with {@link convertLearningRate}; the product of rate and decay stays the same. */
export const convertWeightDecay = (decay: number, change: ReductionChange): number =>
  decay / changeFactor("convertWeightDecay", change);
