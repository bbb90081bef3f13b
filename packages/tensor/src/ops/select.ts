import { planGather, planGatherBackward, planRank, type Selection } from "@fcn/kernels";
import { record } from "../core/autograd.js";
import { planned } from "../core/planned.js";
import { contiguous, Tensor } from "../core/tensor.js";
import { invalidShape, show } from "../plain/errors.js";
import { checkOptions, checkValue } from "../plain/options.js";
import { boolean, integer, type RulesOf, required, whole } from "../plain/rules.js";
import { checkRank, dimIndex, elementsOf } from "../plain/shape.js";
import { checkInt, checkNumeric, inputGradient } from "./operands.js";

export interface SelectOptions {
  /** The dim along which elements are taken; negative ones count from the end. */
  readonly dim: number;
}

const SELECT: RulesOf<SelectOptions> = { dim: required(integer) };

/** A shape as [outer, size, inner] about a dim. */
const about = (shape: readonly number[], dim: number, places: number): Selection => ({
  outer: elementsOf(shape.slice(0, dim)),
  size: shape[dim] ?? 1,
  places,
  inner: elementsOf(shape.slice(dim + 1)),
});

function take(op: string, x: Tensor, indices: Tensor, dim: number, shape: readonly number[], shared: boolean): Tensor {
  const { runtime, dtype, shape: inputShape } = x;
  const geometry = { ...about(x.shape, dim, shared ? indices.size : (indices.shape[dim] ?? 1)), shared };
  using from = contiguous(x);
  using index = contiguous(indices);
  const y = Tensor.empty(runtime, shape, { dtype });
  runtime.run(op, planned(planGather, geometry, dtype === "int32"), { x: from, index, y });
  if (dtype === "int32") return y;
  return record(op, y, [x], [index], (grad, [places]) => {
    const order = inputShape.map((_, d) => d);
    const plan = planned(planGatherBackward, geometry);
    return inputGradient(op, plan, grad, { shape: inputShape, dtype, order }, { index: places });
  });
}

/**
 * The elements of x at `indices`, int32 [k], along a dim, which gets size k (torch.index_select). x is float32, float16
 * or int32. An index below 0 or past the end, which PyTorch refuses, gives NaN, or 0 of int32, since nothing is read
 * back from the GPU. The gradient adds up repeated indices in their order, and looks at all k for each element of x.
 */
export function indexSelect(x: Tensor, indices: Tensor, options: SelectOptions): Tensor {
  checkNumeric("indexSelect", "x", x);
  checkInt("indexSelect", "indices", indices);
  checkOptions<SelectOptions>("indexSelect", options, SELECT);
  checkRank("indexSelect", "indices", indices.shape, 1, "[k]");
  if (x.shape.length === 0) {
    throw invalidShape("indexSelect: a scalar has no dimension to take from", "reshape it to [1] first");
  }
  const dim = dimIndex("indexSelect", options.dim, x.shape.length);
  const shape = x.shape.map((size, d) => (d === dim ? indices.size : size));
  return take("indexSelect", x, indices, dim, shape, true);
}

/**
 * y[i][j] = x[indices[i][j]][j] for dim 0, x[i][indices[i][j]] for dim 1, and so on (torch.gather). x is float32,
 * float16 or int32; indices are int32 of the shape of x apart from `dim`, and give the shape of the result. An index
 * out of range, and the gradient, are as for {@link indexSelect}.
 */
export function gather(x: Tensor, indices: Tensor, options: SelectOptions): Tensor {
  checkNumeric("gather", "x", x);
  checkInt("gather", "indices", indices);
  checkOptions<SelectOptions>("gather", options, SELECT);
  const dim = dimIndex("gather", options.dim, x.shape.length);
  const fits = x.shape.every((size, d) => d === dim || size === indices.shape[d]);
  if (indices.shape.length !== x.shape.length || !fits) {
    throw invalidShape(
      `gather: indices have shape ${show(indices.shape)}, x ${show(x.shape)}; expected equal sizes apart from dim ${dim}`,
      "slice x, or expand the indices",
    );
  }
  return take("gather", x, indices, dim, indices.shape, false);
}

export interface SortOptions {
  /** The dim that is sorted. Default -1. */
  readonly dim?: number;
  /** Whether the largest come first. Default false. */
  readonly descending?: boolean;
}

export interface TopkOptions {
  /** The dim that is searched. Default -1. */
  readonly dim?: number;
  /** Whether the largest are wanted, or the smallest. Default true. */
  readonly largest?: boolean;
  /** PyTorch's option; the result is always sorted. */
  readonly sorted?: boolean;
}

/** Elements and their places along the dim. */
export interface Sorted {
  readonly values: Tensor;
  /** int32. */
  readonly indices: Tensor;
}

function ranked(op: string, x: Tensor, dim: number, places: number, descending: boolean): Tensor {
  const shape = x.shape.map((size, d) => (d === dim ? places : size));
  using from = contiguous(x);
  const index = Tensor.empty(x.runtime, shape, { dtype: "int32" });
  const kind = { descending, integer: x.dtype === "int32" };
  x.runtime.run(op, planned(planRank, about(x.shape, dim, places), kind), { x: from, index });
  return index;
}

const SORT: RulesOf<SortOptions> = { dim: integer, descending: boolean };

/**
 * The places of the elements along a dim in ascending order (torch.argsort), int32. Equal elements keep their order,
 * and NaN counts as larger than any number. x is float32, float16 or int32. Each element is compared with all others
 * along the dim, so this is for dims of up to some thousands. Has no gradient.
 */
export function argsort(x: Tensor, options: SortOptions = {}): Tensor {
  return order("argsort", x, options);
}

function order(op: string, x: Tensor, options: SortOptions): Tensor {
  checkNumeric(op, "x", x);
  checkOptions<SortOptions>(op, options, SORT);
  const dim = dimIndex(op, options.dim ?? -1, x.shape.length);
  return ranked(op, x, dim, x.shape[dim] ?? 1, options.descending ?? false);
}

/** The elements along a dim in ascending order, and their places (torch.sort, stable). Else as {@link argsort}. */
export function sort(x: Tensor, options: SortOptions = {}): Sorted {
  const indices = order("sort", x, options);
  const dim = dimIndex("sort", options.dim ?? -1, x.shape.length);
  return { values: take("sort", x, indices, dim, x.shape, false), indices };
}

/**
 * The k largest elements along a dim, the largest first, and their places (torch.topk). Of equal elements the first,
 * and NaN counts as larger than any number. Costs what {@link argsort} does.
 */
export function topk(x: Tensor, k: number, options: TopkOptions = {}): Sorted {
  checkNumeric("topk", "x", x);
  checkOptions<TopkOptions>("topk", options, { dim: integer, largest: boolean, sorted: boolean });
  const dim = dimIndex("topk", options.dim ?? -1, x.shape.length);
  checkValue("topk", "k", k, whole(1, x.shape[dim] ?? 1));
  const indices = ranked("topk", x, dim, k, options.largest ?? true);
  return { values: take("topk", x, indices, dim, indices.shape, false), indices };
}
