import { boundPart, type ImagePart, imageParts, type Range } from "../bindingParts.js";
import { type Capabilities, ceilDiv, foldGrid, type Plan, type Step, unwritten } from "../plan.js";
import { scalarOrVector } from "../scalarOrVector.js";
import {
  poolAverage as AVERAGE,
  poolAverageBackward as AVERAGE_BACKWARD,
  poolMax as MAX,
  poolMaxBackward as MAX_BACKWARD,
} from "../wgsl.generated.js";

const WG = 64;
/** Adjacent elements of a row that a thread of max pooling owns. */
const R = 8;

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
  /** Padding before the first row and column. An average that counts the padding has as much after the last. */
  readonly padH: number;
  readonly padW: number;
  readonly dilationH: number;
  readonly dilationW: number;
}

/**
 * Output length of a pooling along one axis, as in PyTorch's `pooling_output_shape`: in ceil mode a last pooling window
 * that would start past the image and its leading padding is dropped. Below 1 when no pooling window fits.
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

const inputCount = (g: Pool2dGeometry): number => g.n * g.inH * g.inW * g.channels;
const outputCount = (g: Pool2dGeometry): number => g.n * g.outH * g.outW * g.channels;
const isVector = (g: Pool2dGeometry): boolean => g.channels % 4 === 0;
const spanH = (g: Pool2dGeometry): number => (g.kernelH - 1) * g.dilationH;

/** Goes through the output rows. */
function forwardParts(g: Pool2dGeometry, caps: Capabilities): ImagePart[] {
  const top = (row: number): number => row * g.strideH - g.padH;
  return imageParts(
    {
      n: g.n,
      steps: g.outH,
      from: { rows: g.inH, length: g.inW * g.channels },
      to: { rows: g.outH, length: g.outW * g.channels },
      reads: (begin, end) => ({ begin: top(begin), end: top(end - 1) + spanH(g) + 1 }),
    },
    caps,
  );
}

/** Goes through the input rows. */
function backwardParts(g: Pool2dGeometry, caps: Capabilities): ImagePart[] {
  return imageParts(
    {
      n: g.n,
      steps: g.inH,
      from: { rows: g.outH, length: g.outW * g.channels },
      to: { rows: g.inH, length: g.inW * g.channels },
      reads: (begin, end) => ({
        begin: Math.ceil((begin + g.padH - spanH(g)) / g.strideH),
        end: Math.floor((end - 1 + g.padH) / g.strideH) + 1,
      }),
    },
    caps,
  );
}

function poolParams(g: Pool2dGeometry, to: Range, fromOrigin: number, toOrigin: number, lanes: number) {
  const { inH, inW, outH, outW, kernelH, kernelW, strideH, strideW, padH, padW } = g;
  const sizes = { inH, inW, outH, outW, kernelH, kernelW, strideH, strideW, padH, padW };
  return {
    count: (to.end - to.begin) / lanes,
    begin: to.begin / lanes,
    fromOrigin: fromOrigin / lanes,
    toOrigin: toOrigin / lanes,
    channels: g.channels / lanes,
    ...sizes,
  };
}

/** What the kernels of max pooling are made for: with loops of a known length compilers unroll them. */
const windowConstants = (g: Pool2dGeometry) => ({
  ...{ KERNEL_H: g.kernelH, KERNEL_W: g.kernelW, STRIDE_H: g.strideH, STRIDE_W: g.strideW },
  ...{ DILATION_H: g.dilationH, DILATION_W: g.dilationW },
});

/** The parameters of max pooling over lines of `width` pixels, R of them for each thread. */
function runParams(g: Pool2dGeometry, width: number, to: Range, fromOrigin: number, toOrigin: number, lanes: number) {
  const { begin: _, kernelH, kernelW, strideH, strideW, ...params } = poolParams(g, to, fromOrigin, toOrigin, lanes);
  const line = width * g.channels;
  const lineTiles = ceilDiv(width, R);
  const count = ((to.end - to.begin) / line) * lineTiles * params.channels;
  return { ...params, lineTiles, count, lineBegin: to.begin / line };
}

/**
 * torch.nn.functional.max_pool2d. Operands: x [n, inH, inW, channels], y [n, outH, outW, channels], channels last, and
 * with `saveIndex` index (int32, like y): the tap of each pooling window that won. Undefined when one row is larger
 * than a binding.
 */
export function planMaxPool2d(g: Pool2dGeometry, saveIndex: boolean, caps: Capabilities): Plan | undefined {
  const vector = isVector(g);
  const steps = forwardParts(g, caps).map((part): Step => {
    const x = boundPart("x", part.from, inputCount(g));
    const y = boundPart("y", part.to, outputCount(g));
    const index = saveIndex ? boundPart("index", part.to, outputCount(g)).operand : unwritten("saved index");
    const params = runParams(g, g.outW, part.to, x.origin, y.origin, vector ? 4 : 1);
    return {
      kernel: MAX,
      constants: { R, VEC: vector, SAVE: saveIndex, ...windowConstants(g) },
      params: { ...params, lowest: Number.NEGATIVE_INFINITY },
      operands: {
        ...scalarOrVector(vector, "x", x.operand),
        ...scalarOrVector(vector, "y", y.operand, unwritten("y")),
        ...scalarOrVector(vector, "index", index, unwritten("index")),
      },
      grid: foldGrid(ceilDiv(params.count, WG)),
    };
  });
  return steps.length > 0 ? { steps } : undefined;
}

/** The gradient of {@link planMaxPool2d}. Operands: dy, index, dx. Undefined when one row is larger than a binding. */
export function planMaxPool2dBackward(g: Pool2dGeometry, caps: Capabilities): Plan | undefined {
  const vector = isVector(g);
  const steps = backwardParts(g, caps).map((part): Step => {
    const dy = boundPart("dy", part.from, outputCount(g));
    const index = boundPart("index", part.from, outputCount(g)).operand;
    const dx = boundPart("dx", part.to, inputCount(g));
    const params = runParams(g, g.inW, part.to, dy.origin, dx.origin, vector ? 4 : 1);
    return {
      kernel: MAX_BACKWARD,
      constants: { R, VEC: vector, ...windowConstants(g) },
      params,
      operands: {
        ...scalarOrVector(vector, "dy", dy.operand),
        ...scalarOrVector(vector, "index", index),
        ...scalarOrVector(vector, "dx", dx.operand, unwritten("dx")),
      },
      grid: foldGrid(ceilDiv(params.count, WG)),
    };
  });
  return steps.length > 0 ? { steps } : undefined;
}

/**
 * torch.nn.functional.avg_pool2d. Operands: x [n, inH, inW, channels], y [n, outH, outW, channels], channels last.
 * Undefined when one row is larger than a binding.
 */
export function planAveragePool2d(g: Pool2dGeometry, countIncludePad: boolean, caps: Capabilities): Plan | undefined {
  const steps = forwardParts(g, caps).map((part): Step => {
    const x = boundPart("x", part.from, inputCount(g));
    const y = boundPart("y", part.to, outputCount(g));
    const params = poolParams(g, part.to, x.origin, y.origin, 1);
    const grid = foldGrid(ceilDiv(params.count, WG));
    const operands = { x: x.operand, y: y.operand };
    return { kernel: AVERAGE, constants: { COUNT_PAD: countIncludePad }, params, operands, grid };
  });
  return steps.length > 0 ? { steps } : undefined;
}

/** The gradient of {@link planAveragePool2d}. Operands: dy, dx. Undefined when one row is larger than a binding. */
export function planAveragePool2dBackward(
  g: Pool2dGeometry,
  countIncludePad: boolean,
  caps: Capabilities,
): Plan | undefined {
  const steps = backwardParts(g, caps).map((part): Step => {
    const dy = boundPart("dy", part.from, outputCount(g));
    const dx = boundPart("dx", part.to, inputCount(g));
    const params = poolParams(g, part.to, dy.origin, dx.origin, 1);
    const grid = foldGrid(ceilDiv(params.count, WG));
    const operands = { dy: dy.operand, dx: dx.operand };
    return { kernel: AVERAGE_BACKWARD, constants: { COUNT_PAD: countIncludePad }, params, operands, grid };
  });
  return steps.length > 0 ? { steps } : undefined;
}
