import { type Lines, planSoftmax, planSoftmaxGradient } from "@fcn/kernels";
import { record } from "../autograd.js";
import { inOrder } from "../layout.js";
import { dimIndex, invalidArgument } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { checkFloat } from "./operands.js";

export interface SoftmaxOptions {
  /** The dim whose values sum to 1; negative ones count from the end. */
  readonly dim: number;
}

function linesOf(x: Tensor, dim: number): Lines {
  const at = x.order.indexOf(dim);
  const sizeOf = (order: readonly number[]) => order.reduce((n, d) => n * x.shape[d]!, 1);
  return {
    outer: sizeOf(x.order.slice(0, Math.max(at, 0))),
    size: x.shape[dim] ?? 1,
    inner: sizeOf(x.order.slice(at + 1)),
  };
}

function normalise(op: string, x: Tensor, options: SoftmaxOptions, log: boolean): Tensor {
  checkFloat(op, "x", x);
  if (typeof options?.dim !== "number") {
    throw invalidArgument(
      `${op}: dim is ${String(options?.dim)}, expected a number`,
      "pass { dim: 1 } for the channels of an image",
    );
  }
  const lines = linesOf(x, dimIndex(op, options.dim, x.shape.length));
  const { device, shape, order } = x;
  const y = device.empty(shape, { order });
  device.run(op, planSoftmax(lines, log), { x, y });
  return record(op, y, [x], [y], (grad, [result]) => {
    using dy = inOrder(grad, order);
    const dx = device.empty(shape, { order, tracked: false });
    device.run(`${op} backward`, planSoftmaxGradient(lines, log), { y: result!, dy, dx });
    return [dx];
  });
}

/** `exp(x) / sum exp(x)` along `dim` (torch.softmax). x: float32 of any shape. */
export const softmax = (x: Tensor, options: SoftmaxOptions): Tensor => normalise("softmax", x, options, false);

/** `x - log sum exp(x)` along `dim` (torch.log_softmax). x: float32 of any shape. */
export const logSoftmax = (x: Tensor, options: SoftmaxOptions): Tensor => normalise("logSoftmax", x, options, true);
