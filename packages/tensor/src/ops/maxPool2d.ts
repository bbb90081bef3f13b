import { planMaxPool2d, planMaxPool2dBackward } from "@fcn/kernels";
import { record, recording } from "../core/autograd.js";
import { planned } from "../core/planned.js";
import { inOrder, Tensor } from "../core/tensor.js";
import { CHANNELS_LAST } from "../plain/layout.js";
import { checkOptions } from "../plain/options.js";
import { extent, type RulesOf } from "../plain/rules.js";
import { inputGradient } from "./operands.js";
import { POOL_WINDOW, type PoolWindow, poolGeometry } from "./poolWindow.js";

export interface MaxPool2dOptions extends PoolWindow {
  /** Distance between the elements of a window. Default 1. */
  readonly dilation?: number | readonly number[] | undefined;
}

/** @internal */
export const MAX_POOL2D: RulesOf<MaxPool2dOptions> = { ...POOL_WINDOW, dilation: extent(1) };

/**
 * Largest value of each window (torch.nn.functional.max_pool2d): [N, C, H, W] -> [N, C, OH, OW]. Padding never wins. Of
 * equal values, the first in row-major order gets the gradient. Throws `invalid-argument` for a padding above half the
 * kernel size and `invalid-shape` if the window does not fit.
 */
export function maxPool2d(x: Tensor, options: MaxPool2dOptions): Tensor {
  const op = "maxPool2d";
  checkOptions<MaxPool2dOptions>(op, options, MAX_POOL2D);
  const g = poolGeometry(op, x, options, options.dilation);
  const { runtime, shape, dtype } = x;
  const outShape = [g.n, g.channels, g.outH, g.outW];
  using xs = inOrder(x, CHANNELS_LAST);
  const save = recording([x]);
  using index = save
    ? Tensor.empty(runtime, outShape, { dtype: "int32", order: CHANNELS_LAST, tracked: false })
    : undefined;
  const y = Tensor.empty(runtime, outShape, { dtype, order: CHANNELS_LAST });
  runtime.run(op, planned(planMaxPool2d, g, save), { x: xs, y, index });
  return record(op, y, [x], [index], (grad, [won]) => {
    const plan = planned(planMaxPool2dBackward, g);
    return inputGradient(op, plan, grad, { shape, dtype, order: CHANNELS_LAST }, { index: won });
  });
}
