import { TensorError } from "@fcn/tensor";
import { AXES, onBothAxes, type PaddedWindow, paddingAlong, windowAlong } from "../../models/graph/plane/window.js";
import { type Attribute, ints, type Op, op, plane, type Value } from "./expression.js";

type Pair = readonly [number, number];

const kernelOf = (w: PaddedWindow): Pair => onBothAxes((axis) => windowAlong(w, axis).kernel);
export const strideOf = (w: PaddedWindow): Pair => onBothAxes((axis) => windowAlong(w, axis).stride);
export const dilationOf = (w: PaddedWindow): Pair => onBothAxes((axis) => windowAlong(w, axis).dilation);
/** Number of pixels from the first tap of a window to the last, inclusive. */
export const extentOf = (w: PaddedWindow): Pair => onBothAxes((axis) => windowAlong(w, axis).extent);

/**
 * Whether the padding depends on the size of the input. A "same" window with stride 1 or an extent of one pixel has the
 * same padding at all sizes.
 */
export const padsBySize = (w: PaddedWindow): boolean =>
  w.padding === "same" && AXES.some((axis) => strideOf(w)[axis] > 1 && extentOf(w)[axis] > 1);

/** [before, after] for each axis, if the padding does not depend on the size. */
export const fixedPadding = (w: PaddedWindow): [Pair, Pair] => onBothAxes((axis) => paddingAlong(w, axis, 1));

/** The padding in ONNX's order: top, left, bottom, right. */
export const pads = ([[top, bottom], [left, right]]: readonly [Pair, Pair]): number[] => [top, left, bottom, right];

/**
 * The attributes common to all operators with sliding windows. Throws for padding by size that runtimes compute
 * differently.
 */
export function windowAttributes(name: string, w: PaddedWindow): Record<string, Attribute> {
  const window = { kernel_shape: kernelOf(w), strides: strideOf(w) };
  if (!padsBySize(w)) return { ...window, pads: pads(fixedPadding(w)) };
  const [extent, dilation] = [extentOf(w), dilationOf(w)];
  const plain = AXES.every((axis) => dilation[axis] === 1 && strideOf(w)[axis] <= extent[axis]);
  if (plain) return { ...window, auto_pad: "SAME_UPPER" };
  throw new TensorError({
    code: "unsupported",
    message: `exportOnnx: layer ${name} has the padding "same" with kernel ${kernelOf(w)}, stride ${strideOf(w)} and dilation ${dilation}; ONNX knows it for dilation 1 and strides up to the kernel`,
    fix: "give the padding in pixels",
  });
}

/**
 * The zeros [above, left of] an input `x` that is padded by size: half of max((ceil(size / stride) - 1) * stride +
 * extent - size, 0).
 */
export function paddingBefore(w: PaddedWindow, x: Value): Op {
  const size = plane(x);
  const stride = strideOf(w);
  const cells = op("Div", [op("Add", [size, ints(...stride.map((s) => s - 1))]), ints(...stride)]);
  const lastStart = op("Mul", [op("Sub", [cells, ints(1, 1)]), ints(...stride)]);
  const missing = op("Sub", [op("Add", [lastStart, ints(...extentOf(w))]), size]);
  return op("Div", [op("Max", [missing, ints(0, 0)]), ints(2, 2)]);
}
