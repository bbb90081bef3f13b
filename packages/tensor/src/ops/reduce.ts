import { planExpand, planIntegerSum, planMax, planSum, type ReductionDim } from "@fcn/kernels";
import * as rows from "@fcn/kernels/pointwise";
import { record } from "../core/autograd.js";
import { method } from "../core/method.js";
import { planned } from "../core/planned.js";
import { contiguous, inOrder, Tensor } from "../core/tensor.js";
import { invalidArgument, show } from "../plain/errors.js";
import type { Order } from "../plain/layout.js";
import { checkOptions } from "../plain/options.js";
import { boolean, checkedInUse, integer, type RulesOf } from "../plain/rules.js";
import { dimIndex } from "../plain/shape.js";
import { checkNumeric, checkReal, inputGradient } from "./operands.js";
import { compute } from "./pointwise.js";

export interface ReduceOptions {
  /** The dims to reduce; negative ones count from the end. All dims if absent or empty. */
  readonly dim?: number | readonly number[] | undefined;
  /** Keep the reduced dims with size 1. Default false. */
  readonly keepdim?: boolean | undefined;
}

export interface ArgmaxOptions {
  /** The dim to search. If absent, all elements in row-major order. */
  readonly dim?: number | undefined;
  readonly keepdim?: boolean | undefined;
}

const OPTIONS: RulesOf<ReduceOptions> = { dim: checkedInUse, keepdim: boolean };

interface Reduction {
  /** The dims of x, from the outermost to the innermost in memory. */
  readonly dims: readonly ReductionDim[];
  /** Shape and memory format of the result: those of x without the reduced dims. */
  readonly shape: readonly number[];
  readonly order: Order;
  /** Number of elements reduced to each result. */
  readonly terms: number;
}

/** Throws unless dims and shape agree. */
function reductionOf(op: string, x: Tensor, options: ReduceOptions): Reduction {
  checkOptions<ReduceOptions>(op, options, OPTIONS);
  const { dim, keepdim = false } = options;
  const rank = x.shape.length;
  const given: readonly number[] = dim === undefined ? [] : Array.isArray(dim) ? dim : [dim as number];
  const chosen = given.map((d) => dimIndex(op, d, rank));
  const reduced = new Set(chosen);
  if (reduced.size !== chosen.length) {
    throw invalidArgument(
      `${op}: dim ${show(given)} names a dimension of shape ${show(x.shape)} twice`,
      "name each dim once",
    );
  }
  const isReduced = (d: number) => given.length === 0 || reduced.has(d);
  const kept = x.shape.map((_, d) => d).filter((d) => !isReduced(d));
  return {
    dims: x.order.map((d) => ({ size: x.shape[d]!, reduced: isReduced(d) })),
    shape: keepdim ? x.shape.map((size, d) => (isReduced(d) ? 1 : size)) : kept.map((d) => x.shape[d]!),
    order: keepdim ? x.order : x.order.filter((d) => !isReduced(d)).map((d) => kept.indexOf(d)),
    terms: x.shape.reduce((n, size, d) => (isReduced(d) ? n * size : n), 1),
  };
}

/** @internal The sum over dims times a number that depends on how many terms each has. */
export function scaledSum(op: string, x: Tensor, options: ReduceOptions, scaleOf: (terms: number) => number): Tensor {
  checkReal(op, "x", x);
  const { dims, shape, order, terms } = reductionOf(op, x, options);
  const scale = scaleOf(terms);
  const { runtime, dtype, shape: inputShape, order: inputOrder } = x;
  const y = Tensor.empty(runtime, shape, { dtype, order });
  runtime.run(op, planned(planSum, dims, scale), { x, y });
  return record(op, y, [x], [], (grad) => {
    const plan = planned(planExpand, dims, scale, false);
    return inputGradient(op, plan, grad, { shape: inputShape, dtype, order: inputOrder, from: order });
  });
}

/**
 * Sum over dims (torch.sum). x: float32, float16 or int32 of any shape; integers are summed modulo 2^32.
 * @function
 */
export const sum = /* @__PURE__ */ method("sum", (x: Tensor, options: ReduceOptions = {}): Tensor => {
  checkNumeric("sum", "x", x);
  if (x.dtype !== "int32") return scaledSum("sum", x, options, () => 1);
  const { dims, shape, order } = reductionOf("sum", x, options);
  const y = Tensor.empty(x.runtime, shape, { dtype: "int32", order });
  x.runtime.run("sum", planned(planIntegerSum, dims), { x, y });
  return y;
});

/**
 * Mean over dims (torch.mean). x: float32 or float16 of any shape.
 * @function
 */
export const mean = /* @__PURE__ */ method(
  "mean",
  (x: Tensor, options: ReduceOptions = {}): Tensor => scaledSum("mean", x, options, (terms) => 1 / terms),
);

/** The largest or smallest values over dims, with their gradient. */
function extreme(op: "max" | "min", x: Tensor, options: ReduceOptions): Tensor {
  checkNumeric(op, "x", x);
  const { dims, shape, order } = reductionOf(op, x, options);
  const { runtime, dtype, shape: inputShape, order: inputOrder } = x;
  const y = Tensor.empty(runtime, shape, { dtype, order });
  const smallest = op === "min";
  const values = planned(planMax, dims, { values: true, indices: false, smallest, integer: dtype === "int32" });
  if (dtype === "int32") {
    runtime.run(op, values, { x, y });
    return y;
  }
  if (typeof options.dim !== "number") {
    runtime.run(op, values, { x, y });
    return record(op, y, [x], [x, y], (grad, [input, found]) => [
      sharedGradient(op, grad, input!, found!, dims, order),
    ]);
  }
  using index = Tensor.empty(runtime, shape, { order, dtype: "int32", tracked: false });
  runtime.run(op, planned(planMax, dims, { values: true, indices: true, smallest }), { x, y, index });
  return record(op, y, [x], [index], (grad, [places]) => {
    const plan = planned(planExpand, dims, 1, true);
    const place = { shape: inputShape, dtype, order: inputOrder, from: order };
    return inputGradient(op, plan, grad, place, { index: places });
  });
}

/**
 * Largest values over dims; NaN counts as larger than any number. x is float32, float16 or int32. With a single `dim`
 * (torch.max), the gradient goes to the first of several largest elements. With all dims or a list of dims
 * (torch.amax), they share it equally.
 * @function
 */
export const max = /* @__PURE__ */ method(
  "max",
  (x: Tensor, options: ReduceOptions = {}): Tensor => extreme("max", x, options),
);

/**
 * Smallest values over dims (torch.min, torch.amin); NaN counts as smaller than any number. Else as {@link max}.
 * @function
 */
export const min = /* @__PURE__ */ method(
  "min",
  (x: Tensor, options: ReduceOptions = {}): Tensor => extreme("min", x, options),
);

/** The gradient of a maximum or minimum, shared equally by all elements that are it. */
function sharedGradient(op: string, grad: Tensor, x: Tensor, y: Tensor, dims: Reduction["dims"], order: Order): Tensor {
  const { runtime, shape } = x;
  const isReduced = new Map(x.order.map((d, i) => [d, dims[i]!.reduced]));
  // Reduced dims get size 1, so that the result broadcasts.
  const beside = (t: Tensor) =>
    t.alias({ shape: shape.map((size, d) => (isReduced.get(d) ? 1 : size)), order: x.order });
  using largest = beside(y);
  using places = compute(rows.equal, "forward", { a: x, b: largest }, shape, x.order, {}, false);
  using count = Tensor.empty(runtime, y.shape, { order, tracked: false });
  runtime.run(`${op} backward`, planned(planSum, dims, 1), { x: places, y: count });
  using dy = inOrder(grad, order);
  using share = compute(rows.div, "forward", { a: dy, b: count }, y.shape, order, {}, false);
  using shares = beside(share);
  return compute(rows.mul, "forward", { a: places, b: shares }, shape, x.order, {}, false);
}

function place(op: string, x: Tensor, options: ArgmaxOptions, smallest: boolean): Tensor {
  checkNumeric(op, "x", x);
  checkOptions<ArgmaxOptions>(op, options, { ...OPTIONS, dim: integer });
  const { dim, keepdim = false } = options;
  // Indices over all elements count in memory order, so that must be row-major.
  using source = dim === undefined ? contiguous(x) : x.alias();
  const { dims, shape, order } = reductionOf(op, source, { dim, keepdim });
  const index = Tensor.empty(x.runtime, shape, { order, dtype: "int32" });
  const outputs = { values: false, indices: true, smallest, integer: x.dtype === "int32" };
  x.runtime.run(op, planned(planMax, dims, outputs), { x: source, index });
  return index;
}

/**
 * Index of the largest value along a dim, or among all elements in row-major order (torch.argmax), as int32. Of equal
 * values, the first. NaN counts as larger than any number. x is float32, float16 or int32. Has no gradient.
 * @function
 */
export const argmax = /* @__PURE__ */ method(
  "argmax",
  (x: Tensor, options: ArgmaxOptions = {}): Tensor => place("argmax", x, options, false),
);

/**
 * Index of the smallest value (torch.argmin), where NaN counts as smaller than any number. Else as {@link argmax}.
 * @function
 */
export const argmin = /* @__PURE__ */ method(
  "argmin",
  (x: Tensor, options: ArgmaxOptions = {}): Tensor => place("argmin", x, options, true),
);
