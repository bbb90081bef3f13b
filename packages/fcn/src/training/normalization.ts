import { TensorError } from "@fcn/tensor";

/**
 * How the cross-entropies of the labelled pixels of one step become one number:
 *
 * - `sum`: their sum. With one image a step it is the loss that the published VGG nets were trained with.
 * - `batch`: the sum over the number of images: Caffe's SoftmaxWithLoss with `normalize: false`.
 * - `mean`: the mean over the labelled pixels, or with class weights the weighted mean: PyTorch's default, and `normalize: true` of Caffe
 *   where a step is one batch.
 * - `imageMeans`: the sum over the images of each one's mean over all its pixels, void ones counted: that of the d2l chapter.
 *
 * A step of several accumulated batches is normalised as one batch of them all. (For `mean`, Caffe's `iter_size` takes the average of the batches'
 * means instead, which is the same where each has as many labelled pixels.)
 */
export type LossNormalization = "sum" | "batch" | "mean" | "imageMeans";

/** What the divisors depend on. */
export interface LossCounts {
  readonly images: number;
  /** Pixels of one image. */
  readonly pixels: number;
  /** Labelled pixels of all images, each with the weight of its class. */
  readonly labelled: number;
}

const DIVISORS: Readonly<Record<LossNormalization, (counts: LossCounts) => number>> = {
  sum: () => 1,
  batch: ({ images }) => images,
  // As in Caffe a step without labels costs 0, not 0 / 0.
  mean: ({ labelled }) => labelled || 1,
  imageMeans: ({ pixels }) => pixels,
};

/** Names of the normalisations. */
export const lossNames = (): LossNormalization[] => Object.keys(DIVISORS) as LossNormalization[];

/** By what the summed cross-entropy is divided. Throws for a name that is none. */
export function lossDivisor(loss: LossNormalization, counts: LossCounts): number {
  const divisor = Object.hasOwn(DIVISORS, loss) ? DIVISORS[loss] : undefined;
  if (divisor !== undefined) return divisor(counts);
  throw new TensorError({
    code: "invalid-argument",
    message: `loss: ${JSON.stringify(loss)} is no normalisation`,
    fix: `use one of: ${Object.keys(DIVISORS).join(", ")}`,
  });
}

/** A change of normalisation, for a net that is trained on images like these. */
export interface LossChange {
  readonly from: LossNormalization;
  readonly to: LossNormalization;
  /** Labelled pixels of an image; for `imageMeans`, all of them. */
  readonly pixels: number;
  /** Images of a step. Default 1. */
  readonly batchSize?: number;
}

function changeFactor({ from, to, pixels, batchSize = 1 }: LossChange): number {
  const ok = pixels > 0 && Number.isFinite(pixels) && Number.isInteger(batchSize) && batchSize >= 1;
  if (!ok) {
    throw new TensorError({
      code: "invalid-argument",
      message: `convertLearningRate: pixels ${pixels} and batchSize ${batchSize}; pixels must be a number above 0, batchSize a whole one`,
      fix: "pass the labelled pixels of an image, such as 500 * 375, and the images of a step",
    });
  }
  const counts = { images: batchSize, pixels, labelled: pixels * batchSize };
  return lossDivisor(to, counts) / lossDivisor(from, counts);
}

/**
 * The learning rate that makes a step on the loss `to` the step that `rate` makes on the loss `from`, weight decay apart:
 * 1e-10 on a sum over 500 x 375 pixels is 1.9e-5 on their mean. Convert the decay with {@link convertWeightDecay}.
 */
export const convertLearningRate = (rate: number, change: LossChange): number => rate * changeFactor(change);

/** The weight decay that goes with {@link convertLearningRate}: the product of rate and decay stays what it is. */
export const convertWeightDecay = (decay: number, change: LossChange): number => decay / changeFactor(change);
