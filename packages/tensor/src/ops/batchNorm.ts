import type { Tensor } from "../core/tensor.js";
import { invalidArgument, show, TensorError } from "../plain/errors.js";
import { checkOptions } from "../plain/options.js";
import { boolean, checkedInUse, from, probability, type RulesOf } from "../plain/rules.js";
import { EPILOGUE, type Epilogue } from "./epilogue.js";
import { checkNorm, normalise } from "./norm.js";

/** All tensors but the residual are float32 [C]. */
export interface BatchNormOptions extends Epilogue {
  readonly weight?: Tensor | undefined;
  readonly bias?: Tensor | undefined;
  /** Updated in place in training. */
  readonly runningMean?: Tensor | undefined;
  /** Updated in place in training, with the unbiased variance. */
  readonly runningVar?: Tensor | undefined;
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number | undefined;
  /** Weight of the new batch in the running statistics. Default 0.1. */
  readonly momentum?: number | undefined;
  /** Normalise with the statistics of the batch instead of the running ones. Default false. */
  readonly training?: boolean | undefined;
}

const OP = "batchNorm";
/** `details.is` of the error for a batch with one value per channel, which has no variance. */
export const ONE_VALUE = "one value per channel";
const OPTIONS: RulesOf<BatchNormOptions> = {
  weight: checkedInUse,
  bias: checkedInUse,
  runningMean: checkedInUse,
  runningVar: checkedInUse,
  eps: from(0),
  momentum: probability,
  training: boolean,
  ...EPILOGUE,
};

/**
 * Normalises each channel of x [N, C, ...] to mean 0 and variance 1, then scales by `weight` and adds `bias`
 * (torch.nn.functional.batch_norm; Ioffe and Szegedy 2015). Training uses the biased variance of the batch, and moves
 * the running statistics towards the batch by `momentum`. With `residual` and `activation`, the result is that of
 * `relu(add(batchNorm(x, options), residual))`, in one pass forward and with fewer passes and less memory backward.
 * Throws `invalid-shape` if a vector is not [C], the residual has another shape than x or a training batch has one
 * value per channel, and `invalid-argument` if statistics are missing.
 */
export function batchNorm(x: Tensor, options: BatchNormOptions): Tensor {
  checkOptions<BatchNormOptions>(OP, options, OPTIONS);
  const channels = checkNorm(OP, x, options);
  const { runningMean, runningVar, eps = 1e-5, momentum = 0.1, training = false } = options;
  if ((runningMean === undefined) !== (runningVar === undefined) || (!training && !runningMean)) {
    throw invalidArgument(
      `${OP}: ${runningMean ? "runningVar" : runningVar ? "runningMean" : "both running statistics"} missing for x ${show(x.shape)} with training ${training}`,
      "pass runningMean and runningVar, or neither with training: true",
    );
  }
  const rows = x.size / channels;
  if (training && rows < 2) {
    throw new TensorError({
      code: "invalid-shape",
      message: `${OP}: x ${show(x.shape)} has one value per channel, but training needs at least two for a variance`,
      fix: "use a larger batch or image, or training: false",
      details: { is: ONE_VALUE },
    });
  }
  const share = runningMean && momentum;
  const geometry = { images: 1, rows, channels, groups: channels, frozen: !training, eps, momentum: share };
  const y = normalise(OP, x, options, geometry, options);
  if (training) for (const running of [runningMean, runningVar]) running?.bumpVersion();
  return y;
}
