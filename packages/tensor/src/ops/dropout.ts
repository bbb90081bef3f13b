import { planRandom } from "@fcn/kernels";
import { record } from "../core/autograd.js";
import { planned } from "../core/planned.js";
import { inOrder, Tensor } from "../core/tensor.js";
import { CHANNELS_LAST, type Order } from "../plain/layout.js";
import { checkOptions } from "../plain/options.js";
import { boolean, probability, seed } from "../plain/rules.js";
import { checkRank } from "../plain/shape.js";
import { checkFloat } from "./operands.js";

export interface DropoutOptions {
  /** Probability of zeroing an element, in [0, 1]. Default 0.5. */
  readonly p?: number;
  /** Whole number; the same seed gives the same mask. Default: the device's next seed, as for `device.rand`. */
  readonly seed?: number;
  /** If false, the input is returned unchanged. Default true. */
  readonly training?: boolean;
}

/** The random stream of masks, so that they are independent of `device.rand` with the same seed. */
const MASKS = 1;

function drop(op: string, x: Tensor, options: DropoutOptions, order: Order, channelwise: boolean): Tensor {
  checkFloat(op, "x", x);
  checkOptions<DropoutOptions>(op, options, { p: probability, seed, training: boolean });
  const { p = 0.5, training = true } = options;
  if (!training || p === 0) {
    const same = x.alias({ tracked: true });
    return record(op, same, [x], [], (grad) => [grad.alias()]);
  }
  const { runtime, shape } = x;
  const key = runtime.seedFrom(op, options.seed, MASKS);
  const [, c = 1, h = 1, w = 1] = channelwise ? shape : [];
  const plan = planned(planRandom, {
    mode: "dropout",
    count: x.size,
    ...key,
    a: p,
    ...(channelwise ? { period: h * w, channels: c } : {}),
  });
  const apply = (label: string, input: Tensor, tracked: boolean): Tensor => {
    using source = inOrder(input, order);
    const out = Tensor.empty(runtime, shape, { order, tracked });
    runtime.run(label, plan, { x: source, y: out });
    return out;
  };
  // The mask depends only on the seed and the position, so backward computes it again instead of saving it.
  return record(op, apply(op, x, true), [x], [], (grad) => [apply(`${op} backward`, grad, false)]);
}

/**
 * Zeroes each element with probability p and divides the others by 1 - p (torch.nn.functional.dropout). A dropped
 * element that is NaN or infinite becomes NaN.
 */
export const dropout = (x: Tensor, options: DropoutOptions = {}): Tensor => drop("dropout", x, options, x.order, false);

/** Zeroes whole channels of x [N, C, H, W] with probability p (torch.nn.functional.dropout2d). */
export function dropout2d(x: Tensor, options: DropoutOptions = {}): Tensor {
  checkFloat("dropout2d", "x", x);
  checkRank("dropout2d", "x", x.shape, 4, "[N, C, H, W]");
  return drop("dropout2d", x, options, CHANNELS_LAST, true);
}
