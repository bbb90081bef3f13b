import type { Tensor } from "@fcn/tensor";
import type { CoordinateMap } from "../plane/coordinateMap.js";
import { rational } from "../plane/rational.js";
import {
  type Axis,
  along,
  type Extent,
  onBothAxes,
  type PaddedWindow,
  paddingAlong,
  type Sides,
  windowAlong,
} from "../plane/window.js";
import { type Kind, type Rate, unmoved } from "./kind.js";
import * as rule from "./rules.js";

type Windowed = PaddedWindow & { readonly kind: string; readonly ceilMode?: boolean };
type Moves = "others" | "size" | "map" | "offset" | "taps" | "width" | "isGlobal" | "isStrided" | "dilate";

/** For kinds that slide a window over the plane: convolutions and pools. */
export const slidingWindow = {
  ...unmoved,
  size: windowCells,
  map: (layer, axis, size) => windowMap(layer, axis, paddingAlong(layer, axis, size)[0]),
  taps: (layer, { axis, from }) => {
    const { stride, extent } = windowAlong(layer, axis);
    const [before] = paddingAlong(layer, axis, from);
    return (x) => [x * stride - before, x * stride - before + extent - 1];
  },
  width: (layer, axis) => windowAlong(layer, axis).extent,
  isStrided: true,
  dilate: dilateWindow,
} satisfies Pick<Kind<Windowed>, Moves>;

/** The fields of a window in a file. */
export const windowRules = {
  needed: { kernelSize: rule.extent(1) },
  optional: { stride: rule.extent(1), dilation: rule.extent(1), padding: rule.padding },
};

/**
 * Number of windows that fit. Ceil mode drops a last window that would start in the padding, as PyTorch and Caffe do.
 */
function windowCells(layer: Windowed, axis: Axis, size: number): number {
  const { stride, extent } = windowAlong(layer, axis);
  const [before, after] = paddingAlong(layer, axis, size);
  const room = size + before + after - extent;
  if (layer.ceilMode !== true) return Math.floor(room / stride) + 1;
  const cells = Math.ceil(room / stride) + 1;
  return (cells - 1) * stride >= size + before ? cells - 1 : cells;
}

/**
 * A window of extent e has scale 1/stride and shift (padding - (e - 1)/2) / stride, where only the padding before the
 * first pixel counts.
 */
export function windowMap(w: PaddedWindow, axis: Axis, before: number): CoordinateMap {
  const { stride, extent } = windowAlong(w, axis);
  return { scale: rational(1, stride), shift: rational(2 * before - (extent - 1), 2 * stride) };
}

function dilateWindow<L extends Windowed>(layer: L, rate: Rate): L {
  const dilation = onBothAxes((axis) => along(layer.dilation, axis, 1) * rate[axis]);
  return { ...layer, dilation, padding: grownPadding(layer, rate) };
}

/** The padding for an input on a finer grid. */
export const grownPadding = (layer: Partial<PaddedWindow>, rate: Rate): Sides =>
  onBothAxes((axis) => {
    const [before, after] = paddingAlong(layer, axis);
    return [before * rate[axis], after * rate[axis]];
  });

export const pair = (extent: Extent | undefined, otherwise: number): [number, number] =>
  onBothAxes((axis) => along(extent, axis, otherwise));

/** The padding of an input [N, C, H, W] in pixels. */
export const paddingOf = (layer: Partial<PaddedWindow>, { shape }: Tensor): [[number, number], [number, number]] =>
  onBothAxes((axis) => paddingAlong(layer, axis, shape[axis + 2]));

/** A window in the form that the ops take. */
export const windowOptions = (layer: PaddedWindow, x: Tensor) => ({
  stride: pair(layer.stride, 1),
  padding: paddingOf(layer, x),
});
