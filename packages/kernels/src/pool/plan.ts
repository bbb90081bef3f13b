import type { Kernel } from "../kernel.js";
import { ceilDiv, foldGrid, type Plan } from "../plan.js";
import { wgsl } from "../wgsl.generated.js";

const WG = 64;
const MAX: Kernel = { name: "pool/max", source: wgsl["pool/max"] };
const MAX_GRADIENT: Kernel = { name: "pool/max-gradient", source: wgsl["pool/max-gradient"] };
const AVERAGE: Kernel = { name: "pool/average", source: wgsl["pool/average"] };
const AVERAGE_GRADIENT: Kernel = { name: "pool/average-gradient", source: wgsl["pool/average-gradient"] };

/** A pooling over channels-last images; the average has dilation 1. */
export interface Pool2dGeometry {
  readonly n: number;
  readonly channels: number;
  readonly inH: number;
  readonly inW: number;
  readonly outH: number;
  readonly outW: number;
  readonly kernelH: number;
  readonly kernelW: number;
  readonly strideH: number;
  readonly strideW: number;
  /** Padding before the first row and column. An average that counts the padding has as much behind the last. */
  readonly padH: number;
  readonly padW: number;
  readonly dilationH: number;
  readonly dilationW: number;
}

/**
 * Output length of a pooling along one axis, PyTorch's `pooling_output_shape`: in ceil mode a last window that would
 * start past the image and its leading padding is dropped. Below 1 when the window does not fit.
 */
export function poolOutputSize(
  size: number,
  kernel: number,
  stride: number,
  [before, after]: readonly [number, number],
  dilation: number,
  ceilMode: boolean,
): number {
  const room = size + before + after - dilation * (kernel - 1) - 1;
  const out = Math.floor((room + (ceilMode ? stride - 1 : 0)) / stride) + 1;
  return ceilMode && (out - 1) * stride >= size + before ? out - 1 : out;
}

function windowParams(g: Pool2dGeometry, count: number, lanes: number) {
  const { inH, inW, outH, outW, kernelH, kernelW, strideH, strideW, padH, padW } = g;
  const sizes = { inH, inW, outH, outW, kernelH, kernelW, strideH, strideW, padH, padW };
  return { count: count / lanes, channels: g.channels / lanes, ...sizes };
}

const inputCount = (g: Pool2dGeometry): number => g.n * g.inH * g.inW * g.channels;
const outputCount = (g: Pool2dGeometry): number => g.n * g.outH * g.outW * g.channels;
const isVector = (g: Pool2dGeometry): boolean => g.channels % 4 === 0;

/** Operands: x, y, index (int32, the winning tap of each window). */
export function planMaxPool2d(g: Pool2dGeometry, saveIndex: boolean): Plan {
  const vector = isVector(g);
  const params = windowParams(g, outputCount(g), vector ? 4 : 1);
  const { dilationH, dilationW } = g;
  const step = {
    kernel: MAX,
    constants: { VEC: vector, SAVE: saveIndex },
    params: { ...params, dilationH, dilationW, lowest: Number.NEGATIVE_INFINITY },
    operands: vector
      ? { x: "noneX", x4: "x", y: "noneY", y4: "y", index: "noneIndex", index4: saveIndex ? "index" : "noneIndex4" }
      : { x: "x", x4: "noneX", y: "y", y4: "noneY", index: saveIndex ? "index" : "noneIndex4", index4: "noneIndex" },
    grid: foldGrid(ceilDiv(params.count, WG)),
  };
  return { steps: [step] };
}

/** Operands: dy, index, dx. */
export function planMaxPool2dGradient(g: Pool2dGeometry): Plan {
  const vector = isVector(g);
  const params = windowParams(g, inputCount(g), vector ? 4 : 1);
  const { dilationH, dilationW } = g;
  const step = {
    kernel: MAX_GRADIENT,
    constants: { VEC: vector },
    params: { ...params, dilationH, dilationW },
    operands: vector
      ? { dy: "noneX", dy4: "dy", index: "noneX", index4: "index", dx: "noneY", dx4: "dx" }
      : { dy: "dy", dy4: "noneX", index: "index", index4: "noneX", dx: "dx", dx4: "noneY" },
    grid: foldGrid(ceilDiv(params.count, WG)),
  };
  return { steps: [step] };
}

/** Operands: x, y. */
export function planAveragePool2d(g: Pool2dGeometry, countIncludePad: boolean): Plan {
  const params = windowParams(g, outputCount(g), 1);
  const grid = foldGrid(ceilDiv(params.count, WG));
  const constants = { COUNT_PAD: countIncludePad };
  return { steps: [{ kernel: AVERAGE, constants, params, operands: { x: "x", y: "y" }, grid }] };
}

/** Operands: dy, dx. */
export function planAveragePool2dGradient(g: Pool2dGeometry, countIncludePad: boolean): Plan {
  const params = windowParams(g, inputCount(g), 1);
  const grid = foldGrid(ceilDiv(params.count, WG));
  const constants = { COUNT_PAD: countIncludePad };
  return { steps: [{ kernel: AVERAGE_GRADIENT, constants, params, operands: { dy: "dy", dx: "dx" }, grid }] };
}
