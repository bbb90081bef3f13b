import { planLocalResponseNorm, planLocalResponseNormBackward } from "@fcn/kernels";
import { record } from "../core/autograd.js";
import { planned } from "../core/planned.js";
import { inOrder, Tensor } from "../core/tensor.js";
import { invalidShape, show } from "../plain/errors.js";
import { activationOrder } from "../plain/layout.js";
import { checkOptions } from "../plain/options.js";
import { finite, required, whole } from "../plain/rules.js";
import { checkReal, inputGradient } from "./operands.js";

export interface LocalResponseNormOptions {
  /** Number of channels in a window. */
  readonly size: number;
  /** Default 1e-4. */
  readonly alpha?: number | undefined;
  /** Default 0.75. */
  readonly beta?: number | undefined;
  /** Default 1. */
  readonly k?: number | undefined;
}

/**
 * `y = x / (k + alpha/size * sum of squares over a window of channels)^beta` for x [N, C, ...]
 * (torch.nn.functional.local_response_norm; Caffe's LRN layer across channels). Throws `invalid-shape` below rank 3 and
 * `invalid-argument` if the size is not a positive whole number.
 */
export function localResponseNorm(x: Tensor, options: LocalResponseNormOptions): Tensor {
  const op = "localResponseNorm";
  checkReal(op, "x", x);
  checkOptions<LocalResponseNormOptions>(op, options, {
    size: required(whole(1)),
    alpha: finite,
    beta: finite,
    k: finite,
  });
  const { size, alpha = 1e-4, beta = 0.75, k = 1 } = options;
  const { runtime, shape, dtype } = x;
  if (shape.length < 3) {
    throw invalidShape(
      `${op}: x has shape ${show(shape)}, expected [N, C, ...] of rank 3 or more`,
      "reshape x to [N, C, H, W]",
    );
  }
  const order = activationOrder(shape.length);
  const g = { count: x.size, channels: shape[1]!, size, alpha, beta, k };
  using xs = inOrder(x, order);
  using d = Tensor.empty(runtime, shape, { order, tracked: false });
  const y = Tensor.empty(runtime, shape, { dtype: x.dtype, order });
  runtime.run(op, planned(planLocalResponseNorm, g), { x: xs, y, d });
  return record(op, y, [x], [xs, d], (grad, [savedX, savedD]) => {
    const plan = planned(planLocalResponseNormBackward, g);
    return inputGradient(op, plan, grad, { shape, dtype, order }, { x: savedX, d: savedD });
  });
}
