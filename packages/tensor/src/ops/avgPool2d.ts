import { planAveragePool2d, planAveragePool2dBackward } from "@fcn/kernels";
import { record } from "../core/autograd.js";
import { planned } from "../core/planned.js";
import { inOrder, Tensor } from "../core/tensor.js";
import { invalidArgument } from "../plain/errors.js";
import { CHANNELS_LAST } from "../plain/layout.js";
import { checkOptions } from "../plain/options.js";
import { boolean, type RulesOf } from "../plain/rules.js";
import { sides } from "../plain/shape.js";
import { inputGradient } from "./operands.js";
import { POOL_WINDOW, type PoolWindow, poolGeometry } from "./poolWindow.js";

export interface AvgPool2dOptions extends PoolWindow {
  /** Count the padding in the divisor. Default true; requires the same padding on opposite sides. */
  readonly countIncludePad?: boolean | undefined;
}

/** @internal */
export const AVG_POOL2D: RulesOf<AvgPool2dOptions> = { ...POOL_WINDOW, countIncludePad: boolean };

/**
 * Mean of each window (torch.nn.functional.avg_pool2d): [N, C, H, W] -> [N, C, OH, OW]. The part of a window that
 * extends beyond the padding (with ceilMode) is never counted. Throws `invalid-argument` for a padding above half the
 * kernel size and `invalid-shape` if the window does not fit.
 */
export function avgPool2d(x: Tensor, options: AvgPool2dOptions): Tensor {
  const op = "avgPool2d";
  checkOptions<AvgPool2dOptions>(op, options, AVG_POOL2D);
  const g = poolGeometry(op, x, options);
  const countIncludePad = options.countIncludePad ?? true;
  const uneven = sides(options.padding).some(([before, after]) => before !== after);
  if (countIncludePad && uneven) {
    throw invalidArgument(
      `${op}: padding ${JSON.stringify(options.padding)} differs between opposite sides, which is not supported when the divisor counts the padding`,
      "pass countIncludePad: false, or pad() the input first",
    );
  }
  const { runtime, shape, dtype } = x;
  using xs = inOrder(x, CHANNELS_LAST);
  const y = Tensor.empty(runtime, [g.n, g.channels, g.outH, g.outW], { dtype, order: CHANNELS_LAST });
  runtime.run(op, planned(planAveragePool2d, g, countIncludePad), { x: xs, y });
  return record(op, y, [x], [], (grad) => {
    const plan = planned(planAveragePool2dBackward, g, countIncludePad);
    return inputGradient(op, plan, grad, { shape, dtype, order: CHANNELS_LAST });
  });
}
