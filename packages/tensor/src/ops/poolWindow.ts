import { type Pool2dGeometry, poolOutputSize } from "@fcn/kernels";
import { show } from "../device/errors.js";
import { invalidArgument, invalidShape, pair } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { imageSizes } from "./operands.js";

/** Window of a pooling; numbers or [h, w]. */
export interface PoolWindow {
  readonly kernelSize: number | readonly number[];
  /** Default: kernelSize. */
  readonly stride?: number | readonly number[] | undefined;
  /** At most half the (dilated) kernel. Default 0. */
  readonly padding?: number | readonly number[] | undefined;
  /** Keep the windows that hang over the end. Default false. */
  readonly ceilMode?: boolean | undefined;
}

type Dilation = number | readonly number[] | undefined;

/** Checks the window against the images and gives the sizes of both sides. */
export function poolGeometry(op: string, x: Tensor, options: PoolWindow, dilation: Dilation): Pool2dGeometry {
  const [n, channels, inH, inW] = imageSizes(op, x);
  const [kernelH, kernelW] = pair(op, "kernelSize", options.kernelSize, 0, 1);
  const [strideH, strideW] = pair(op, "stride", options.stride ?? options.kernelSize, 0, 1);
  const [padH, padW] = pair(op, "padding", options.padding, 0);
  const [dilationH, dilationW] = pair(op, "dilation", dilation, 1, 1);
  const halfH = Math.floor(((kernelH - 1) * dilationH + 1) / 2);
  const halfW = Math.floor(((kernelW - 1) * dilationW + 1) / 2);
  if (padH > halfH || padW > halfW) {
    throw invalidArgument(
      `${op}: padding ${show([padH, padW])} is more than half of kernelSize ${show([kernelH, kernelW])} at dilation ${show([dilationH, dilationW])}`,
      `pass a padding of at most ${show([halfH, halfW])}, or pad() the input first`,
    );
  }
  const ceilMode = options.ceilMode ?? false;
  const outH = poolOutputSize(inH, kernelH, strideH, padH, dilationH, ceilMode);
  const outW = poolOutputSize(inW, kernelW, strideW, padW, dilationW, ceilMode);
  if (outH < 1 || outW < 1) {
    throw invalidShape(
      `${op}: the output of x ${show(x.shape)} would be ${outH} x ${outW}: kernelSize ${show([kernelH, kernelW])} at dilation ${show([dilationH, dilationW])} does not fit into the image padded by ${show([padH, padW])}`,
      "use a smaller kernelSize, more padding or a larger image",
    );
  }
  const window = { kernelH, kernelW, strideH, strideW, padH, padW, dilationH, dilationW };
  return { n, channels, inH, inW, outH, outW, ...window };
}
