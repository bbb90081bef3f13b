import { planRandom } from "@fcn/kernels";
import { record } from "../core/autograd.js";
import { planned } from "../core/planned.js";
import { inOrder, Tensor } from "../core/tensor.js";
import { CHANNELS_LAST, type Order } from "../plain/layout.js";
import { checkOptions } from "../plain/options.js";
import { boolean, probability, seed } from "../plain/rules.js";
import { checkRank } from "../plain/shape.js";
import { checkReal } from "./operands.js";

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

/** @internal How the functions drop. */
export interface Form {
  readonly op: string;
  readonly order: (x: Tensor) => Order;
  readonly channelwise: boolean;
}

/** @internal Single elements. */
export const ELEMENTS: Form = { op: "dropout", order: (x) => x.order, channelwise: false };
/** @internal Whole channels. */
export const CHANNELS: Form = { op: "dropout2d", order: () => CHANNELS_LAST, channelwise: true };

/** @internal Dropout whose seed is asked for whenever a mask is drawn. */
export function drop(form: Form, x: Tensor, options: DropoutOptions, nextSeed: () => number | undefined): Tensor {
  const { op, channelwise } = form;
  checkReal(op, "x", x);
  if (channelwise) checkRank(op, "x", x.shape, 4, "[N, C, H, W]");
  checkOptions<DropoutOptions>(op, options, { p: probability, seed, training: boolean });
  const { p = 0.5, training = true } = options;
  if (!training || p === 0) {
    const same = x.alias({ tracked: true });
    return record(op, same, [x], [], (grad) => [grad.alias()]);
  }
  const { runtime, shape, dtype } = x;
  const order = form.order(x);
  let key = { seed: 0, stream: 0 };
  runtime.each(() => {
    key = runtime.seedFrom(op, nextSeed(), MASKS);
  });
  const [, c = 1, h = 1, w = 1] = channelwise ? shape : [];
  const count = x.size;
  const places = channelwise ? { period: h * w, channels: c } : {};
  const call = () => planned(planRandom, { mode: "dropout", count, ...key, a: p, ...places });
  const apply = (label: string, input: Tensor, tracked: boolean): Tensor => {
    using source = inOrder(input, order);
    const out = Tensor.empty(runtime, shape, { dtype, order, tracked });
    runtime.run(label, call, { x: source, y: out });
    return out;
  };
  // The mask depends only on the seed and the position, so backward computes it again instead of saving it.
  return record(op, apply(op, x, true), [x], [], (grad) => [apply(`${op} backward`, grad, false)]);
}

/**
 * Zeroes each element with probability p and divides the others by 1 - p (torch.nn.functional.dropout). A dropped
 * element that is NaN or infinite becomes NaN.
 */
export const dropout = (x: Tensor, options: DropoutOptions = {}): Tensor =>
  drop(ELEMENTS, x, options, () => options.seed);

/** Zeroes whole channels of x [N, C, H, W] with probability p (torch.nn.functional.dropout2d). */
export const dropout2d = (x: Tensor, options: DropoutOptions = {}): Tensor =>
  drop(CHANNELS, x, options, () => options.seed);
