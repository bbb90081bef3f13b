import { planCopy } from "@fcn/kernels";
import { record } from "../autograd.js";
import { show } from "../device/errors.js";
import { type Order, stridesOf } from "../layout.js";
import { checkRank, dimIndex, invalidArgument, invalidShape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { checkLive } from "./operands.js";

const offsetOf = (begin: readonly number[], strides: readonly number[]): number =>
  begin.reduce((sum, b, i) => sum + b * strides[i]!, 0);

/** Copies the box of `sizes` that begins at `from` in src to `to` in dst. */
function copyBox(
  op: string,
  src: Tensor,
  from: readonly number[],
  dst: Tensor,
  to: readonly number[],
  sizes: readonly number[],
): void {
  const s = stridesOf(src.shape, src.order);
  const d = stridesOf(dst.shape, dst.order);
  const box = { sizes, from: s, to: d, fromOffset: offsetOf(from, s), toOffset: offsetOf(to, d) };
  const plan = planCopy(box, src.device.capabilities);
  src.device.run(op, plan, { src, dst });
}

/** An untracked tensor that holds the box `sizes` of x from `begin` on. */
function cut(op: string, x: Tensor, begin: readonly number[], sizes: readonly number[], tracked: boolean): Tensor {
  const out = x.device.empty(sizes, { dtype: x.dtype, order: x.order, tracked });
  copyBox(
    op,
    x,
    begin,
    out,
    begin.map(() => 0),
    sizes,
  );
  return out;
}

/** A tensor of `value` with x placed at `begin`. */
function place(
  op: string,
  x: Tensor,
  begin: readonly number[],
  shape: readonly number[],
  value: number,
  order: Order,
  tracked: boolean,
): Tensor {
  const out = x.device.full(shape, value, { dtype: x.dtype, order, tracked });
  copyBox(
    op,
    x,
    begin.map(() => 0),
    out,
    begin,
    x.shape,
  );
  return out;
}

function sliceBox(op: string, x: Tensor, begin: readonly number[], sizes: readonly number[]): Tensor {
  checkLive(op, "x", x);
  const { shape, order } = x;
  const out = cut(op, x, begin, sizes, true);
  return record(op, out, [x], [], (grad) => [place(op, grad, begin, shape, 0, order, false)]);
}

/**
 * The box [start, end) of each dimension, NumPy's x[a:b, c:d]. Negative bounds count from the end; a missing range or
 * bound means all of it.
 */
export function slice(x: Tensor, ranges: readonly (readonly [number?, number?] | undefined | null)[]): Tensor {
  if (ranges.length > x.shape.length) {
    throw invalidArgument(
      `slice: ${ranges.length} ranges for a tensor of shape ${show(x.shape)}`,
      "pass at most one range a dimension",
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

export interface CropOptions {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** Rows [top, top + height) and columns [left, left + width) of x [N, C, H, W] (Caffe's Crop layer on axis 2). */
export function crop(x: Tensor, { top, left, height, width }: CropOptions): Tensor {
  checkRank("crop", "x", x.shape, 4, "[N, C, H, W]");
  const [n, c, h, w] = x.shape as [number, number, number, number];
  const whole = [top, left, height, width].every(Number.isInteger);
  if (!whole || top < 0 || left < 0 || height < 1 || width < 1 || top + height > h || left + width > w) {
    throw invalidShape(
      `crop: ${height}x${width} at (${top}, ${left}) does not lie inside ${h}x${w}`,
      "choose a box inside the image",
    );
  }
  return sliceBox("crop", x, [0, 0, top, left], [n, c, height, width]);
}

/** x with `value` around it: one [before, after] pair a dimension, first dimension first. */
export function pad(
  x: Tensor,
  pairs: readonly (readonly [number, number])[],
  { value = 0 }: { value?: number } = {},
): Tensor {
  const valid = pairs.every((p) => p.length === 2 && p.every((v) => Number.isInteger(v) && v >= 0));
  if (pairs.length !== x.shape.length || !valid) {
    throw invalidArgument(
      `pad: ${JSON.stringify(pairs)} for a tensor of shape ${show(x.shape)}`,
      `pass ${x.shape.length} pairs [before, after] of whole numbers of at least 0`,
    );
  }
  checkLive("pad", "x", x);
  const begin = pairs.map(([before]) => before);
  const shape = x.shape.map((size, i) => size + pairs[i]![0] + pairs[i]![1]);
  const sizes = x.shape;
  const out = place("pad", x, begin, shape, value, x.order, true);
  return record("pad", out, [x], [], (grad) => [cut("pad", grad, begin, sizes, false)]);
}

/** Tensors of equal sizes but for `dim`, one after the other along `dim` (torch.cat). */
export function concat(list: readonly Tensor[], { dim = 0 }: { dim?: number } = {}): Tensor {
  const [first] = list;
  if (!first) throw invalidArgument("concat: the list is empty", "pass at least one tensor");
  const axis = dimIndex("concat", dim, first.shape.length);
  for (const t of list) {
    checkLive("concat", "a tensor", t);
    const fits =
      t.shape.length === first.shape.length && t.shape.every((size, i) => i === axis || size === first.shape[i]);
    if (!fits || t.dtype !== first.dtype) {
      throw invalidShape(
        `concat: ${show(t.shape)} (${t.dtype}) does not join ${show(first.shape)} (${first.dtype}) along dim ${axis}`,
        "make all sizes but that of dim, and the dtypes, equal",
      );
    }
  }
  const shape = first.shape.map((size, i) => (i === axis ? list.reduce((sum, t) => sum + t.shape[axis]!, 0) : size));
  const out = first.device.empty(shape, { dtype: first.dtype, order: first.order });
  const starts: number[] = [];
  let at = 0;
  for (const t of list) {
    starts.push(at);
    copyBox(
      "concat",
      t,
      t.shape.map(() => 0),
      out,
      t.shape.map((_, i) => (i === axis ? at : 0)),
      t.shape,
    );
    at += t.shape[axis]!;
  }
  const shapes = list.map((t) => t.shape);
  return record("concat", out, list, [], (grad, _saved, needs) =>
    shapes.map((sizes, k) =>
      needs[k]
        ? cut(
            "concat",
            grad,
            sizes.map((_, i) => (i === axis ? starts[k]! : 0)),
            sizes,
            false,
          )
        : undefined,
    ),
  );
}
