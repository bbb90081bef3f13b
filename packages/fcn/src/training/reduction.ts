import { invalidArgument } from "@fcn/tensor/internal";

/**
 * How the losses of the labelled pixels of one step become one number:
 *
 * - `sum`: their sum. With one image a step it is the loss that the published VGG nets were trained with.
 * - `batch`: the sum over the number of images: Caffe's SoftmaxWithLoss with `normalize: false`.
 * - `mean`: the mean over the labelled pixels, or with class weights the weighted mean: PyTorch's default, and
 *   `normalize: true` of Caffe where a step is one batch.
 * - `imageMeans`: the sum over the images of each one's mean over all its pixels, void ones counted: that of the d2l
 *   chapter.
 *
 * A step of several accumulated batches is reduced as one batch of them all. (For `mean`, Caffe's `iter_size` takes
 * the average of the batches' means instead, which is the same where each has as many labelled pixels.)
 */
export type Reduction = "sum" | "batch" | "mean" | "imageMeans";

/** What the divisors depend on. */
export interface LossCounts {
  readonly images: number;
  /** Pixels of one image. */
  readonly pixels: number;
  /** Labelled pixels of all images, each with the weight of its class. */
  readonly labelled: number;
}

const DIVISORS: Readonly<Record<Reduction, (counts: LossCounts) => number>> = {
  sum: () => 1,
  batch: ({ images }) => images,
  // As in Caffe a step without labels costs 0, not 0 / 0.
  mean: ({ labelled }) => labelled || 1,
  imageMeans: ({ pixels }) => pixels,
};

/** Names of the reductions. */
export const reductionNames = (): Reduction[] => Object.keys(DIVISORS) as Reduction[];

/** By what the summed cross-entropy is divided. Throws for a name that is none. */
export function divisorOf(reduction: Reduction, counts: LossCounts): number {
  const divisor = Object.hasOwn(DIVISORS, reduction) ? DIVISORS[reduction] : undefined;
  if (divisor !== undefined) return divisor(counts);
  throw invalidArgument(
    `reduction ${JSON.stringify(reduction)} is unknown`,
    `use one of: ${Object.keys(DIVISORS).join(", ")}`,
  );
}

/** A change of reduction, for a net that is trained on images like these. */
export interface ReductionChange {
  readonly from: Reduction;
  readonly to: Reduction;
  /** Labelled pixels of an image; for `imageMeans`, all of them. */
  readonly pixels: number;
  /** Images of a step. Default 1. */
  readonly batchSize?: number;
}

function changeFactor({ from, to, pixels, batchSize = 1 }: ReductionChange): number {
  const ok = pixels > 0 && Number.isFinite(pixels) && Number.isInteger(batchSize) && batchSize >= 1;
  if (!ok) {
    throw invalidArgument(
      `convertLearningRate: pixels ${pixels} and batchSize ${batchSize}; pixels must be a number above 0, batchSize a whole one`,
      "pass the labelled pixels of an image, such as 500 * 375, and the images of a step",
    );
  }
  const counts = { images: batchSize, pixels, labelled: pixels * batchSize };
  return divisorOf(to, counts) / divisorOf(from, counts);
}

/**
 * The learning rate that makes a step on the loss `to` the step that `rate` makes on the loss `from`, weight decay
 * apart: 1e-10 on a sum over 500 x 375 pixels is 1.9e-5 on their mean. Convert the decay with {@link
 * convertWeightDecay}.
 */
export const convertLearningRate = (rate: number, change: ReductionChange): number => rate * changeFactor(change);

/** The weight decay that goes with {@link convertLearningRate}: the product of rate and decay stays what it is. */
export const convertWeightDecay = (decay: number, change: ReductionChange): number => decay / changeFactor(change);
