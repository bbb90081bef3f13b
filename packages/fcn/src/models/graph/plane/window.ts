import { invalidArgument } from "@fcn/tensor/internal";

/** One number for both axes, or [vertical, horizontal]. */
export type Extent = number | readonly [number, number];

/** Axis 0 is vertical (height), axis 1 horizontal (width). */
export type Axis = 0 | 1;

export const AXES: readonly [Axis, Axis] = [0, 1];

/** The sliding window of a layer. */
export interface Window {
  readonly kernelSize: Extent;
  readonly stride?: Extent;
  readonly padding?: Extent;
  readonly dilation?: Extent;
}

/**
 * One or two numbers, [[top, bottom], [left, right]], or TensorFlow's "same", which makes the output ceil(size /
 * stride) and puts an odd pixel of padding last. With "same", the padding and the places of the output's pixels depend
 * on the input's size.
 */
export type Padding = Extent | readonly [readonly [number, number], readonly [number, number]] | "same";
export type Sides = Exclude<Padding, Extent | "same">;

/** The sliding window of a convolution or pooling layer. */
export type PaddedWindow = Omit<Window, "padding"> & { readonly padding?: Padding };

/** The component of an extent along an axis. */
export function along(extent: Extent | undefined, axis: Axis, otherwise: number): number {
  if (extent === undefined) return otherwise;
  return typeof extent === "number" ? extent : extent[axis];
}

/** A property along both axes, [vertical, horizontal]. */
export const onBothAxes = <T>(of: (axis: Axis) => T): [T, T] => [of(0), of(1)];

/** A window along one axis with every default filled in. `extent` counts the pixels from the first tap to the last. */
export function windowAlong(w: PaddedWindow, axis: Axis) {
  const [kernel, dilation] = [along(w.kernelSize, axis, 1), along(w.dilation, axis, 1)];
  return { kernel, stride: along(w.stride, axis, 1), dilation, extent: dilation * (kernel - 1) + 1 };
}

/** Whether a layer's padding depends on the size of its input. */
export const padsSame = (layer: object): boolean => "padding" in layer && layer.padding === "same";

/** Zeros before and after an input of `size` along one axis. Only "same" needs the size, and throws without it. */
export function paddingAlong(w: Partial<PaddedWindow>, axis: Axis, size?: number): [number, number] {
  const { padding = 0, kernelSize = 1 } = w;
  if (padding === "same") return samePadding({ ...w, kernelSize }, axis, size);
  const side = typeof padding === "number" ? padding : padding[axis];
  return typeof side === "number" ? [side, side] : [side[0], side[1]];
}

function samePadding(w: PaddedWindow, axis: Axis, size: number | undefined): [number, number] {
  if (size === undefined) {
    throw invalidArgument(
      'graph: with padding "same" the places of the pixels depend on the size of the image, which was not given',
      "pass the size of the image along the axis",
    );
  }
  const { stride, extent } = windowAlong(w, axis);
  const total = Math.max((Math.ceil(size / stride) - 1) * stride + extent - size, 0);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}
