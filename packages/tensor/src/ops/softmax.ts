import { type Lines, planSoftmax, planSoftmaxBackward } from "@fcn/kernels";
import { record } from "../core/autograd.js";
import { method } from "../core/method.js";
import { planned } from "../core/planned.js";
import { inOrder, Tensor } from "../core/tensor.js";
import type { Order } from "../plain/layout.js";
import { checkOptions } from "../plain/options.js";
import { integer, type RulesOf, required } from "../plain/rules.js";
import { dimIndex } from "../plain/shape.js";
import { to } from "./cast.js";
import { checkReal, inputGradient } from "./operands.js";

export interface SoftmaxOptions {
  /** The dim along which values sum to 1. Negative ones count from the end. */
  readonly dim: number;
}

/** @internal */
export const SOFTMAX: RulesOf<SoftmaxOptions> = { dim: required(integer) };

function linesOf(shape: readonly number[], order: Order, dim: number): Lines {
  const at = order.indexOf(dim);
  const sizeOf = (dims: readonly number[]) => dims.reduce((n, d) => n * shape[d]!, 1);
  return {
    outer: sizeOf(order.slice(0, Math.max(at, 0))),
    size: shape[dim] ?? 1,
    inner: sizeOf(order.slice(at + 1)),
  };
}

/** The order of x. If x is larger than a binding, an order that allows cuts between any two lines. */
function orderFor(x: Tensor, dim: number): Order {
  if (x.size * 4 <= x.runtime.capabilities.bindingLimit) return x.order;
  return [...x.order.filter((d) => d !== dim), dim];
}

function normalise(op: string, x: Tensor, options: SoftmaxOptions, log: boolean): Tensor {
  checkReal(op, "x", x);
  checkOptions<SoftmaxOptions>(op, options, SOFTMAX);
  if (x.dtype === "float16") {
    // The kernel keeps exponentials in y, which must not be rounded on the way.
    using wide = to(x, "float32");
    using y = normalise(op, wide, options, log);
    return to(y, "float16");
  }
  const { runtime, shape, dtype } = x;
  const dim = dimIndex(op, options.dim, shape.length);
  const order = orderFor(x, dim);
  const lines = linesOf(shape, order, dim);
  using xs = inOrder(x, order);
  const y = Tensor.empty(runtime, shape, { order });
  runtime.run(op, planned(planSoftmax, lines, log), { x: xs, y });
  return record(op, y, [x], [y], (grad, [result]) => {
    const plan = planned(planSoftmaxBackward, lines, log);
    return inputGradient(op, plan, grad, { shape, dtype, order }, { y: result });
  });
}

/**
 * `exp(x) / sum exp(x)` along `dim` (torch.softmax). x: float32 or float16 of any shape.
 * @function
 */
export const softmax = /* @__PURE__ */ method(
  "softmax",
  (x: Tensor, options: SoftmaxOptions): Tensor => normalise("softmax", x, options, false),
);

/**
 * `x - log sum exp(x)` along `dim` (torch.log_softmax). x: float32 or float16 of any shape.
 * @function
 */
export const logSoftmax = /* @__PURE__ */ method(
  "logSoftmax",
  (x: Tensor, options: SoftmaxOptions): Tensor => normalise("logSoftmax", x, options, true),
);
