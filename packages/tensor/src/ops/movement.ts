import { planCopy } from "@fcn/kernels";
import { record, recording } from "../core/autograd.js";
import { full } from "../core/create.js";
import { planned } from "../core/planned.js";
import { checkLive, copyOf, Tensor } from "../core/tensor.js";
import { invalidArgument, invalidShape, show } from "../plain/errors.js";
import { stridesOf } from "../plain/layout.js";
import { checkOptions, checkValue } from "../plain/options.js";
import { anyNumber, integer, listOf, type RulesOf, required, rule, whole } from "../plain/rules.js";
import { checkRank, dimIndex, isList } from "../plain/shape.js";
import { checkFloat } from "./operands.js";

/** Where a box begins in each tensor, by default at its first element; with `add` the elements are added to dst. */
interface BoxCopy {
  readonly from?: readonly number[];
  readonly to?: readonly number[];
  readonly add?: boolean;
}

/** Copies a box of `sizes` from src to dst. */
function copyBox(
  op: string,
  src: Tensor,
  dst: Tensor,
  sizes: readonly number[],
  { from, to, add = false }: BoxCopy,
): void {
  const strides = [src, dst].map(({ shape, order }) => stridesOf(shape, order)) as [number[], number[]];
  const offsetOf = (begin: readonly number[] | undefined, side: 0 | 1): number =>
    begin?.reduce((sum, b, i) => sum + b * strides[side][i]!, 0) ?? 0;
  const [fromOffset, toOffset] = [offsetOf(from, 0), offsetOf(to, 1)];
  const box = { sizes, from: strides[0], to: strides[1], fromOffset, toOffset, add };
  const plan = planned(planCopy, box);
  src.runtime.run(op, plan, { src, dst });
}

/** The box of `sizes` that begins at `from` in x. */
function cut(op: string, x: Tensor, from: readonly number[], sizes: readonly number[], tracked: boolean): Tensor {
  const out = Tensor.empty(x.runtime, sizes, { dtype: x.dtype, order: x.order, tracked });
  copyBox(op, x, out, sizes, { from });
  return out;
}

/** Places x at `to` in a tensor that is filled already. Returns that. */
function placed(op: string, x: Tensor, to: readonly number[], onto: Tensor): Tensor {
  copyBox(op, x, onto, x.shape, { to });
  return onto;
}

function sliceBox(op: string, x: Tensor, begin: readonly number[], sizes: readonly number[]): Tensor {
  const { runtime, shape, order, dtype } = x;
  const zeros = () => full("full", runtime, shape, 0, { dtype, order, tracked: false });
  const out = cut(op, x, begin, sizes, true);
  return record(op, out, [x], [], (grad) => [placed(`${op} backward`, grad, begin, zeros())]);
}

const RANGES = rule<readonly unknown[]>(
  "a list of [start, end], one per dimension",
  (ranges) =>
    Array.isArray(ranges) && ranges.every((range) => (range ?? undefined) === undefined || Array.isArray(range)),
);

/**
 * The box [start, end) of each dimension (x[a:b, c:d] in NumPy). Negative bounds count from the end; a missing range or
 * bound means the whole extent. Throws `invalid-shape` if a range is empty or out of range.
 */
export function slice(x: Tensor, ranges: readonly (readonly [number?, number?] | undefined | null)[]): Tensor {
  checkLive("slice", "x", x);
  checkValue("slice", "ranges", ranges, RANGES);
  if (ranges.length > x.shape.length) {
    throw invalidArgument(
      `slice: ${ranges.length} ranges for a tensor of shape ${show(x.shape)}`,
      "pass at most one range per dimension",
    );
  }
  const bounds = x.shape.map((size, i) => {
    const [start = 0, end = size] = ranges[i] ?? [];
    const bound = (v: number) => (v < 0 ? v + size : Math.min(v, size));
    return [bound(start), bound(end)] as const;
  });
  for (const [i, [start, end]] of bounds.entries()) {
    if (!Number.isInteger(start) || !Number.isInteger(end) || start < 0 || end <= start) {
      throw invalidShape(
        `slice: range ${JSON.stringify(ranges[i])} of dimension ${i} of ${show(x.shape)} is empty or out of range`,
        `choose 0 <= start < end <= ${x.shape[i]}`,
      );
    }
  }
  return sliceBox(
    "slice",
    x,
    bounds.map(([start]) => start),
    bounds.map(([start, end]) => end - start),
  );
}

/** A box in pixels. */
export interface CropOptions {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

const CROP: RulesOf<CropOptions> = {
  top: required(integer),
  left: required(integer),
  height: required(integer),
  width: required(integer),
};

/**
 * Rows [top, top + height) and columns [left, left + width), in pixels, of x [N, C, H, W] (Caffe's Crop layer on axis
 * 2). Throws `invalid-shape` if the box does not lie inside x.
 */
export function crop(x: Tensor, options: CropOptions): Tensor {
  checkLive("crop", "x", x);
  checkRank("crop", "x", x.shape, 4, "[N, C, H, W]");
  const [n, c, h, w] = x.shape as [number, number, number, number];
  checkCrop("crop", options, h, w);
  const { top, left, height, width } = options;
  return sliceBox("crop", x, [0, 0, top, left], [n, c, height, width]);
}

/** @internal Throws unless the box lies inside an image of h x w. */
export function checkCrop(op: string, options: CropOptions, h: number, w: number): void {
  checkOptions<CropOptions>(op, options, CROP);
  const { top, left, height, width } = options;
  if (top >= 0 && left >= 0 && height >= 1 && width >= 1 && top + height <= h && left + width <= w) return;
  throw invalidShape(
    `${op}: ${height}x${width} at (${top}, ${left}) does not lie inside ${h}x${w}`,
    "choose a box inside the image",
  );
}

/**
 * Surrounds x with `value` (default 0): one [before, after] pair per dimension, the first dimension first.
 * (torch.nn.functional.pad takes the last dimension first.)
 */
export function pad(
  x: Tensor,
  pairs: readonly (readonly [number, number])[],
  options: { value?: number } = {},
): Tensor {
  checkLive("pad", "x", x);
  checkOptions<{ value?: number }>("pad", options, { value: anyNumber });
  const { value = 0 } = options;
  const rank = x.shape.length;
  const what = `${rank} pairs [before, after] of whole numbers of at least 0, for shape ${show(x.shape)}`;
  checkValue("pad", "pairs", pairs, listOf(what, listOf("a pair", whole(0), 2), rank));
  const begin = pairs.map(([before]) => before);
  const shape = x.shape.map((size, i) => size + pairs[i]![0] + pairs[i]![1]);
  const sizes = x.shape;
  const background = full("full", x.runtime, shape, value, { dtype: x.dtype, order: x.order });
  const out = placed("pad", x, begin, background);
  return record("pad", out, [x], [], (grad) => [cut("pad backward", grad, begin, sizes, false)]);
}

/** Joins tensors along `dim`, by default 0 (torch.cat). All other sizes must be equal. */
export function concat(list: readonly Tensor[], options: { dim?: number } = {}): Tensor {
  if (!isList(list)) {
    throw invalidArgument("concat: the first argument is not a list of tensors", {
      code: "pass concat([a, b], { dim })",
    });
  }
  checkOptions<{ dim?: number }>("concat", options, { dim: integer });
  const { dim = 0 } = options;
  for (const t of list) checkLive("concat", "a tensor", t);
  const [first] = list;
  if (!first) throw invalidArgument("concat: the list is empty", "pass at least one tensor");
  if (first.shape.length === 0) {
    throw invalidShape("concat: a scalar has no dimension to join along", "reshape each to [1] first");
  }
  const axis = dimIndex("concat", dim, first.shape.length);
  for (const t of list) {
    const fits =
      t.shape.length === first.shape.length && t.shape.every((size, i) => i === axis || size === first.shape[i]);
    if (!fits || t.dtype !== first.dtype) {
      throw invalidShape(
        `concat: ${show(t.shape)} (${t.dtype}) does not join ${show(first.shape)} (${first.dtype}) along dim ${axis}`,
        "make the dtypes equal, and all sizes except that of dim",
      );
    }
  }
  const shape = first.shape.map((size, i) => (i === axis ? list.reduce((sum, t) => sum + t.shape[axis]!, 0) : size));
  const out = Tensor.empty(first.runtime, shape, { dtype: first.dtype, order: first.order });
  let end = 0;
  const parts = list.map((t) => {
    const begin = shape.map((_, i) => (i === axis ? end : 0));
    copyBox("concat", t, out, t.shape, { to: begin });
    end += t.shape[axis]!;
    return { begin, sizes: t.shape };
  });
  return record("concat", out, list, [], (grad, _saved, needs) =>
    parts.map(({ begin, sizes }, k) => (needs[k] ? cut("concat backward", grad, begin, sizes, false) : undefined)),
  );
}

/** A copy of x reversed along `dims`. */
function flipped(op: string, x: Tensor, dims: readonly number[], tracked: boolean): Tensor {
  const { runtime, shape, order } = x;
  const strides = stridesOf(shape, order);
  const from = strides.map((step, dim) => (dims.includes(dim) ? -step : step));
  const fromOffset = dims.reduce((sum, dim) => sum + (shape[dim]! - 1) * strides[dim]!, 0);
  const out = Tensor.empty(runtime, shape, { dtype: x.dtype, order, tracked });
  const plan = planned(planCopy, { sizes: shape, from, to: strides, fromOffset });
  runtime.run(op, plan, { src: x, dst: out });
  return out;
}

/** Reverses the elements along `dims`; negative ones count from the end (torch.flip). */
export function flip(x: Tensor, options: { dims: readonly number[] }): Tensor {
  checkLive("flip", "x", x);
  checkOptions<{ dims: readonly number[] }>("flip", options, {
    dims: required(rule("a list of dimensions, as in [3]", (dims) => Array.isArray(dims) && dims.every(integer.holds))),
  });
  const { dims } = options;
  const chosen = [...new Set(dims.map((dim) => dimIndex("flip", dim, x.shape.length)))];
  return record("flip", flipped("flip", x, chosen, true), [x], [], (grad) => [
    flipped("flip backward", grad, chosen, false),
  ]);
}

/**
 * Adds x in place to the box of `target` that starts at `begin`, one start per dimension, to sum overlapping parts of
 * an image. Both are float32 of the same rank. Throws `invalid-shape` if the box does not lie inside `target`, and
 * `invalid-argument` if a gradient would be needed.
 */
export function addInto(target: Tensor, x: Tensor, { begin }: { begin: readonly number[] }): void {
  checkFloat("addInto", "target", target);
  checkFloat("addInto", "x", x);
  const inside = begin.every((b, i) => Number.isInteger(b) && b >= 0 && b + (x.shape[i] ?? 0) <= target.shape[i]!);
  if (begin.length !== target.shape.length || x.shape.length !== target.shape.length || !inside) {
    throw invalidShape(
      `addInto: x ${show(x.shape)} at ${show(begin)} does not lie inside target ${show(target.shape)}`,
      "choose a box inside the target, with one start per dimension",
    );
  }
  if (recording([target, x])) {
    throw invalidArgument("addInto: an operand has requiresGrad, and a change in place has no gradient", {
      code: "wrap the call in noGrad, or use add with tensors of one shape",
    });
  }
  // The kernel must not read the memory that it writes.
  using source = x.storage === target.storage ? copyOf(x) : x.alias();
  copyBox("addInto", source, target, x.shape, { to: begin, add: true });
  target.bumpVersion();
}
