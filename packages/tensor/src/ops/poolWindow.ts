import { type Pool2dGeometry, poolOutputSize } from "@fcn/kernels";
import { invalidArgument, invalidShape, show } from "../errors.js";
import { boolean, extent, padding, type RulesOf, required } from "../rules.js";
import { type Padding, pair, sides } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { imageSizes } from "./operands.js";

/** The window of a pooling op, in pixels: numbers or [h, w]. */
export interface PoolWindow {
  /** Rows and columns of the window. */
  readonly kernelSize: number | readonly number[];
  /** Default: kernelSize. */
  readonly stride?: number | readonly number[] | undefined;
  /** At most half of the (dilated) kernel size on each side. Default 0. */
  readonly padding?: Padding | undefined;
  /** Keep windows that extend beyond the end. Default false. */
  readonly ceilMode?: boolean | undefined;
}

/** @internal */
export const POOL_WINDOW: RulesOf<PoolWindow> = {
  kernelSize: required(extent(1)),
  stride: extent(1),
  padding,
  ceilMode: boolean,
};

/** Checks that the window fits the images, and returns the sizes of input and output. */
export function poolGeometry(
  op: string,
  x: Tensor,
  options: PoolWindow,
  dilation: number | readonly number[] = 1,
): Pool2dGeometry {
  const [n, channels, inH, inW] = imageSizes(op, x);
  const [kernelH, kernelW] = pair(options.kernelSize);
  const [strideH, strideW] = pair(options.stride ?? options.kernelSize);
  const [vertical, horizontal] = sides(options.padding);
  const [dilationH, dilationW] = pair(dilation);
  const halfH = Math.floor(((kernelH - 1) * dilationH + 1) / 2);
  const halfW = Math.floor(((kernelW - 1) * dilationW + 1) / 2);
  const even = [vertical, horizontal].every(([before, after]) => before === after);
  const given = even ? show([vertical[0], horizontal[0]]) : `[${show(vertical)}, ${show(horizontal)}]`;
  if (Math.max(...vertical) > halfH || Math.max(...horizontal) > halfW) {
    throw invalidArgument(
      `${op}: padding ${given} is more than half of kernelSize ${show([kernelH, kernelW])} at dilation ${show([dilationH, dilationW])}`,
      `pass a padding of at most ${show([halfH, halfW])}, or pad() the input first`,
    );
  }
  const ceilMode = options.ceilMode ?? false;
  const outH = poolOutputSize(inH, kernelH, strideH, vertical, dilationH, ceilMode);
  const outW = poolOutputSize(inW, kernelW, strideW, horizontal, dilationW, ceilMode);
  if (outH < 1 || outW < 1) {
    throw invalidShape(
      `${op}: the output of x ${show(x.shape)} would be ${outH} x ${outW}: kernelSize ${show([kernelH, kernelW])} at dilation ${show([dilationH, dilationW])} does not fit into the image padded by ${given}`,
      "use a smaller kernelSize, more padding or a larger image",
    );
  }
  const [padH, padW] = [vertical[0], horizontal[0]];
  const window = { kernelH, kernelW, strideH, strideW, padH, padW, dilationH, dilationW };
  return { n, channels, inH, inW, outH, outW, ...window };
}
