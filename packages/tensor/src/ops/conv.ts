import {
  type Capabilities,
  type Conv2dGeometry,
  type Direction,
  planColumnSum,
  planConv2d,
  planConv2dWeightGradient,
} from "@fcn/kernels";
import { record } from "../autograd.js";
import { invalidArgument, invalidShape, show } from "../errors.js";
import { CHANNELS_LAST, WEIGHT_ORDER } from "../layout.js";
import { checkOptions } from "../options.js";
import { extent, padding, type RulesOf, whole } from "../rules.js";
import { checkRank, type Extent, type Padding, pair, sameShape, sides } from "../shape.js";
import { inOrder, Tensor } from "../tensor.js";
import { checkFloat } from "./operands.js";

/** Stride and dilation in pixels, one number or [h, w], and groups of channels. All are 1 by default. */
export interface WindowOptions {
  readonly stride?: Extent;
  readonly dilation?: Extent;
  readonly groups?: number;
}

export interface Conv2dOptions extends WindowOptions {
  /** Zeros around x. Default 0. */
  readonly padding?: Padding;
}

export interface ConvTranspose2dOptions extends WindowOptions {
  /** Rows and columns to cut off each side of the output. Default 0. */
  readonly padding?: Extent;
  /** Rows and columns to add at the end of the output. Default 0. */
  readonly outputPadding?: Extent;
}

interface ConvWindow {
  readonly stride: [number, number];
  readonly dilation: [number, number];
  readonly groups: number;
}

const WINDOW: RulesOf<WindowOptions> = { stride: extent(1), dilation: extent(1), groups: whole(1) };
/** @internal */
export const CONV2D: RulesOf<Conv2dOptions> = { ...WINDOW, padding };
/** @internal */
export const CONV_TRANSPOSE2D: RulesOf<ConvTranspose2dOptions> = {
  ...WINDOW,
  padding: extent(0),
  outputPadding: extent(0),
};

const windowOf = ({ stride = 1, dilation = 1, groups = 1 }: WindowOptions): ConvWindow => ({
  stride: pair(stride),
  dilation: pair(dilation),
  groups,
});

function checkBias(op: string, b: Tensor | undefined, channels: number): void {
  if (b && !sameShape(b.shape, [channels])) {
    throw invalidShape(
      `${op}: bias has shape ${show(b.shape)} for ${channels} output channels`,
      `pass a bias of shape [${channels}]`,
    );
  }
}

function checkOperands(op: string, x: Tensor, w: Tensor, bias: Tensor | undefined): void {
  checkFloat(op, "x", x);
  checkFloat(op, "w", w);
  if (bias) checkFloat(op, "bias", bias);
}

/**
 * 2-D convolution (torch.nn.functional.conv2d).
 *
 * x [N, Cin, H, W], w [Cout, Cin / groups, KH, KW], b [Cout] -> [N, Cout, OH, OW] with
 * OH = floor((H + top + bottom - dilation (KH - 1) - 1) / stride) + 1, where top and bottom are the padding. Throws
 * `invalid-shape` if sizes do not fit, and `invalid-argument` for options out of range.
 *
 * @example
 * ```ts
 * import { conv2d, createDevice } from "@fcn/tensor";
 *
 * const device = await createDevice();
 * const x = device.randn([1, 3, 32, 32]);
 * const w = device.randn([8, 3, 3, 3]);
 * const y = conv2d(x, w, device.zeros([8]), { padding: 1, stride: 2 });
 * console.log(y.shape); // [1, 8, 16, 16]
 * device.destroy();
 * ```
 */
export function conv2d(x: Tensor, w: Tensor, b?: Tensor | null, options: Conv2dOptions = {}): Tensor {
  const op = "conv2d";
  const bias = b ?? undefined;
  checkOperands(op, x, w, bias);
  checkOptions<Conv2dOptions>(op, options, CONV2D);
  const { stride, dilation, groups } = windowOf(options);
  const [vertical, horizontal] = sides(options.padding);
  checkRank(op, "x", x.shape, 4, "[N, Cin, H, W]");
  checkRank(op, "w", w.shape, 4, "[Cout, Cin / groups, KH, KW]");
  const [n, inC, inH, inW] = x.shape as [number, number, number, number];
  const [outC, cin, kernelH, kernelW] = w.shape as [number, number, number, number];
  if (inC !== cin * groups || outC % groups !== 0) {
    throw invalidShape(
      `${op}: x ${show(x.shape)} has ${inC} channels, w ${show(w.shape)} with groups = ${groups} expects ${cin * groups} and a number of output channels divisible by groups`,
      "make w.shape[1] * groups equal x.shape[1], and w.shape[0] a multiple of groups",
    );
  }
  checkBias(op, bias, outC);
  const padded = [inH + vertical[0] + vertical[1], inW + horizontal[0] + horizontal[1]] as const;
  const spareH = padded[0] - dilation[0] * (kernelH - 1) - 1;
  const spareW = padded[1] - dilation[1] * (kernelW - 1) - 1;
  if (spareH < 0 || spareW < 0) {
    throw invalidShape(
      `${op}: kernel ${kernelH}x${kernelW} with dilation ${show(dilation)} is larger than the padded input of ${padded.join("x")}`,
      "use a larger input, more padding, a smaller kernel or less dilation",
    );
  }
  const geometry: Conv2dGeometry = {
    n,
    inC,
    inH,
    inW,
    outC,
    outH: Math.floor(spareH / stride[0]) + 1,
    outW: Math.floor(spareW / stride[1]) + 1,
    kernelH,
    kernelW,
    ...windowFields(stride, [vertical[0], horizontal[0]], dilation, groups),
  };
  return convolve(op, "forward", geometry, x, w, bias);
}

/**
 * 2-D transposed convolution, the adjoint of conv2d (torch.nn.functional.conv_transpose2d; Caffe's Deconvolution
 * layer).
 *
 * x [N, Cin, H, W], w [Cin, Cout / groups, KH, KW], b [Cout] -> [N, Cout, OH, OW] with
 * OH = (H - 1) stride - 2 padding + dilation (KH - 1) + outputPadding + 1. Throws `invalid-shape` if sizes do not fit.
 */
export function convTranspose2d(x: Tensor, w: Tensor, b?: Tensor | null, options: ConvTranspose2dOptions = {}): Tensor {
  const op = "convTranspose2d";
  const bias = b ?? undefined;
  checkOperands(op, x, w, bias);
  checkOptions<ConvTranspose2dOptions>(op, options, CONV_TRANSPOSE2D);
  const { stride, dilation, groups } = windowOf(options);
  const padding = pair(options.padding ?? 0);
  const extra = pair(options.outputPadding ?? 0);
  checkRank(op, "x", x.shape, 4, "[N, Cin, H, W]");
  checkRank(op, "w", w.shape, 4, "[Cin, Cout / groups, KH, KW]");
  const [n, cin, h, width] = x.shape as [number, number, number, number];
  const [wIn, coutPerGroup, kernelH, kernelW] = w.shape as [number, number, number, number];
  if (cin !== wIn || cin % groups !== 0) {
    throw invalidShape(
      `${op}: x ${show(x.shape)} has ${cin} channels, w ${show(w.shape)} expects ${wIn} and groups = ${groups} must divide them (w is [Cin, Cout / groups, KH, KW])`,
      "make w.shape[0] equal x.shape[1], and both a multiple of groups",
    );
  }
  for (const i of [0, 1] as const) {
    if (extra[i] > 0 && extra[i] >= Math.max(stride[i], dilation[i])) {
      throw invalidArgument(
        `${op}: outputPadding ${show(extra)} must be smaller than stride ${show(stride)} or dilation ${show(dilation)}`,
        "use an outputPadding below the stride",
      );
    }
  }
  const grown = (size: number, i: 0 | 1, kernel: number) =>
    (size - 1) * stride[i] - 2 * padding[i] + dilation[i] * (kernel - 1) + extra[i] + 1;
  const [outH, outW] = [grown(h, 0, kernelH), grown(width, 1, kernelW)];
  if (outH < 1 || outW < 1) {
    throw invalidShape(
      `${op}: the output of x ${show(x.shape)} and w ${show(w.shape)} would be ${outH}x${outW}`,
      "use less padding, a larger kernel or a larger input",
    );
  }
  const outC = coutPerGroup * groups;
  checkBias(op, bias, outC);
  const geometry: Conv2dGeometry = {
    n,
    inC: outC,
    inH: outH,
    inW: outW,
    outC: cin,
    outH: h,
    outW: width,
    kernelH,
    kernelW,
    ...windowFields(stride, padding, dilation, groups),
  };
  return convolve(op, "transposed", geometry, x, w, bias);
}

function windowFields(stride: number[], before: number[], dilation: number[], groups: number) {
  return {
    strideH: stride[0]!,
    strideW: stride[1]!,
    padH: before[0]!,
    padW: before[1]!,
    dilationH: dilation[0]!,
    dilationW: dilation[1]!,
    groups,
  };
}

/**
 * Runs either direction of one geometry. The gradient of x is the other direction; the gradient of w pairs both sides.
 */
function convolve(
  op: string,
  direction: Direction,
  g: Conv2dGeometry,
  x: Tensor,
  w: Tensor,
  bias: Tensor | undefined,
): Tensor {
  const { runtime } = x;
  const other: Direction = direction === "forward" ? "transposed" : "forward";
  const y = gather(op, direction, g, x, w, bias, true);
  const { shape } = w;
  const saved = [w.requiresGrad ? x : undefined, x.requiresGrad ? w : undefined];
  return record(op, y, [x, w, bias], saved, (grad, [savedX, savedW], [needsX, needsW, needsB]) => {
    const backward = `${op} backward`;
    using dy = inOrder(grad, CHANNELS_LAST);
    const dx = needsX ? gather(backward, other, g, dy, savedW!, undefined, false) : undefined;
    let dw: Tensor | undefined;
    if (needsW) {
      using xs = inOrder(savedX!, CHANNELS_LAST);
      dw = Tensor.empty(runtime, shape, { order: WEIGHT_ORDER, tracked: false });
      const sides = direction === "forward" ? { x: xs, dy } : { x: dy, dy: xs };
      runtime.run(backward, (capabilities) => planConv2dWeightGradient(g, capabilities), { ...sides, dw });
    }
    let db: Tensor | undefined;
    if (needsB) {
      const channels = dy.shape[1]!;
      db = Tensor.empty(runtime, [channels], { tracked: false });
      runtime.run(backward, planColumnSum(dy.size / channels, channels, runtime.capabilities), { x: dy, y: db });
    }
    return [dx, dw, db];
  });
}

function gather(
  op: string,
  direction: Direction,
  g: Conv2dGeometry,
  x: Tensor,
  w: Tensor,
  bias: Tensor | undefined,
  tracked: boolean,
): Tensor {
  const { runtime } = x;
  using xs = inOrder(x, CHANNELS_LAST);
  using ws = inOrder(w, WEIGHT_ORDER);
  const shape = direction === "forward" ? [g.n, g.outC, g.outH, g.outW] : [g.n, g.inC, g.inH, g.inW];
  const y = Tensor.empty(runtime, shape, { order: CHANNELS_LAST, tracked });
  const planner = (capabilities: Capabilities) => planConv2d(g, direction, bias !== undefined, capabilities);
  runtime.run(op, planner, { x: xs, w: ws, b: bias, y });
  return y;
}
