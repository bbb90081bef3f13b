import { planExpand, planMax, planSum, type ReductionDim } from "@fcn/kernels";
import { record } from "../core/autograd.js";
import { planned } from "../core/planned.js";
import { contiguous, inOrder, Tensor } from "../core/tensor.js";
import { invalidArgument, show } from "../plain/errors.js";
import type { Order } from "../plain/layout.js";
import { checkOptions } from "../plain/options.js";
import { boolean, checkedInUse, integer, type RulesOf } from "../plain/rules.js";
import { dimIndex } from "../plain/shape.js";
import { checkReal, inputGradient } from "./operands.js";
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

function reductionOf(op: string, x: Tensor, options: ReduceOptions): Reduction {
  checkReal(op, "x", x);
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

function scaledSum(op: string, x: Tensor, options: ReduceOptions, scaleOf: (terms: number) => number): Tensor {
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

/** Sum over dims (torch.sum). x: float32 or float16 of any shape. */
export const sum = (x: Tensor, options: ReduceOptions = {}): Tensor => scaledSum("sum", x, options, () => 1);

/** Mean over dims (torch.mean). x: float32 or float16 of any shape. */
export const mean = (x: Tensor, options: ReduceOptions = {}): Tensor =>
  scaledSum("mean", x, options, (terms) => 1 / terms);

/**
 * Largest values over dims; NaN counts as larger than any number. With a single `dim` (torch.max), the gradient goes to
 * the first of several largest elements. With all dims or a list of dims (torch.amax), they share it equally.
 */
export function max(x: Tensor, options: ReduceOptions = {}): Tensor {
  const { dims, shape, order } = reductionOf("max", x, options);
  const { runtime, dtype, shape: inputShape, order: inputOrder } = x;
  const y = Tensor.empty(runtime, shape, { dtype, order });
  if (typeof options.dim !== "number") {
    runtime.run("max", planned(planMax, dims, { values: true, indices: false }), { x, y });
    return record("max", y, [x], [x, y], (grad, [input, largest]) => [
      sharedGradient(grad, input!, largest!, dims, order),
    ]);
  }
  using index = Tensor.empty(runtime, shape, { order, dtype: "int32", tracked: false });
  runtime.run("max", planned(planMax, dims, { values: true, indices: true }), { x, y, index });
  return record("max", y, [x], [index], (grad, [places]) => {
    const plan = planned(planExpand, dims, 1, true);
    return inputGradient(
      "max",
      plan,
      grad,
      { shape: inputShape, dtype, order: inputOrder, from: order },
      { index: places },
    );
  });
}

/** The gradient of a maximum, shared equally by all elements that are largest. */
function sharedGradient(grad: Tensor, x: Tensor, y: Tensor, dims: Reduction["dims"], order: Order): Tensor {
  const { runtime, shape } = x;
  const isReduced = new Map(x.order.map((d, i) => [d, dims[i]!.reduced]));
  // Reduced dims get size 1, so that the result broadcasts.
  const beside = (t: Tensor) =>
    t.alias({ shape: shape.map((size, d) => (isReduced.get(d) ? 1 : size)), order: x.order });
  using largest = beside(y);
  using places = compute("equal", "forward", { a: x, b: largest }, shape, x.order, {}, false);
  using count = Tensor.empty(runtime, y.shape, { order, tracked: false });
  runtime.run("max backward", planned(planSum, dims, 1), { x: places, y: count });
  using dy = inOrder(grad, order);
  using share = compute("div", "forward", { a: dy, b: count }, y.shape, order, {}, false);
  using shares = beside(share);
  return compute("mul", "forward", { a: places, b: shares }, shape, x.order, {}, false);
}

/**
 * Index of the largest value along a dim, or among all elements in row-major order (torch.argmax), as int32. Of equal
 * values, the first. NaN counts as larger than any number. Has no gradient.
 */
export function argmax(x: Tensor, options: ArgmaxOptions = {}): Tensor {
  checkReal("argmax", "x", x);
  checkOptions<ArgmaxOptions>("argmax", options, { ...OPTIONS, dim: integer });
  const { dim, keepdim = false } = options;
  // Indices over all elements count in memory order, so that must be row-major.
  using source = dim === undefined ? contiguous(x) : x.alias();
  const { dims, shape, order } = reductionOf("argmax", source, { dim, keepdim });
  const index = Tensor.empty(x.runtime, shape, { order, dtype: "int32" });
  x.runtime.run("argmax", planned(planMax, dims, { values: false, indices: true }), {
    x: source,
    index,
  });
  return index;
}
