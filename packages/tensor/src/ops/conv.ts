import {
  type Conv2dGeometry,
  type Direction,
  planColumnSum,
  planConv2dWeightGradient,
  planFusedConv2d,
} from "@fcn/kernels";
import * as rows from "@fcn/kernels/pointwise";
import { record, recording } from "../core/autograd.js";
import { planned } from "../core/planned.js";
import { inOrder, Tensor } from "../core/tensor.js";
import { invalidArgument, invalidShape, show } from "../plain/errors.js";
import { CHANNELS_LAST, WEIGHT_ORDER } from "../plain/layout.js";
import { checkOptions } from "../plain/options.js";
import { checkedInUse, extent, from, padding, type RulesOf, required, rule, whole } from "../plain/rules.js";
import { checkRank, type Extent, type Padding, pair, sides } from "../plain/shape.js";
import { batchNorm } from "./batchNorm.js";
import { checkResidual, EPILOGUE, type Epilogue } from "./epilogue.js";
import { type CropOptions, checkCrop } from "./movement.js";
import { checkFloat, checkVectors, imageSizes, type Sizes4 } from "./operands.js";
import { compute } from "./pointwise.js";

/** Stride and dilation in pixels, one number or [h, w], and groups of channels. All are 1 by default. */
export interface ConvolutionOptions {
  readonly stride?: Extent;
  readonly dilation?: Extent;
  readonly groups?: number;
}

export interface Conv2dOptions extends ConvolutionOptions {
  /** Zeros around x. Default 0. */
  readonly padding?: Padding;
}

/** Batch normalisation in evaluation: {@link batchNorm} with these options. All tensors are float32 [C]. */
export interface FrozenNorm {
  readonly weight?: Tensor | undefined;
  readonly bias?: Tensor | undefined;
  readonly runningMean: Tensor;
  readonly runningVar: Tensor;
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number | undefined;
}

/** A convolution and what follows it. */
export interface FusedConv2dOptions extends Conv2dOptions, Epilogue {
  /** Applied before the residual and the activation. */
  readonly norm?: FrozenNorm | undefined;
}

export interface ConvTranspose2dOptions extends ConvolutionOptions {
  /** Rows and columns to cut off each side of the output. Default 0. */
  readonly padding?: Extent;
  /** Rows and columns to add at the end of the output. Default 0. */
  readonly outputPadding?: Extent;
}

const WINDOW: RulesOf<ConvolutionOptions> = { stride: extent(1), dilation: extent(1), groups: whole(1) };
/** @internal */
export const CONV2D: RulesOf<Conv2dOptions> = { ...WINDOW, padding };
const FUSED_CONV2D: RulesOf<FusedConv2dOptions> = { ...CONV2D, ...EPILOGUE, norm: checkedInUse };
const GIVEN = required(rule<Tensor>("a tensor", (value) => value !== undefined));
const NORM: RulesOf<FrozenNorm> = {
  weight: checkedInUse,
  bias: checkedInUse,
  runningMean: GIVEN,
  runningVar: GIVEN,
  eps: from(0),
};
/** A transposed convolution and the crop after it. */
export interface CroppedConvTranspose2dOptions extends ConvTranspose2dOptions {
  /** The rows and columns of the output that are wanted; no others are computed. */
  readonly crop?: CropOptions | undefined;
}

/** @internal */
export const CONV_TRANSPOSE2D: RulesOf<ConvTranspose2dOptions> = {
  ...WINDOW,
  padding: extent(0),
  outputPadding: extent(0),
};
const CROPPED_CONV_TRANSPOSE2D: RulesOf<CroppedConvTranspose2dOptions> = { ...CONV_TRANSPOSE2D, crop: checkedInUse };

/** The sizes and options that both directions have. Throws unless the operands are float32 and the options valid. */
function checked<Options extends Conv2dOptions>(
  op: string,
  x: Tensor,
  w: Tensor,
  bias: Tensor | undefined,
  options: Options,
  { rules, weight }: { readonly rules: RulesOf<Options>; readonly weight: string },
) {
  checkFloat(op, "w", w);
  if (bias) checkFloat(op, "bias", bias);
  const image = imageSizes(op, x, "[N, Cin, H, W]");
  checkRank(op, "w", w.shape, 4, weight);
  checkOptions<Options>(op, options, rules);
  const { stride = 1, dilation = 1, groups = 1 } = options;
  const [strideH, strideW] = pair(stride);
  const [dilationH, dilationW] = pair(dilation);
  return { image, kernel: w.shape as Sizes4, window: { strideH, strideW, dilationH, dilationW, groups } };
}

/**
 * 2-D convolution (torch.nn.functional.conv2d).
 *
 * x [N, Cin, H, W], w [Cout, Cin / groups, KH, KW], b [Cout] -> [N, Cout, OH, OW] with
 * OH = floor((H + top + bottom - dilation (KH - 1) - 1) / stride) + 1, where top and bottom are the padding. With
 * `norm`, `residual` and `activation`, the result is that of `relu(add(batchNorm(conv2d(x, w, b), norm), residual))`,
 * in one pass unless the backward pass needs the values in between. Throws `invalid-shape` if sizes do not fit, and
 * `invalid-argument` for options out of range.
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
export function conv2d(x: Tensor, w: Tensor, b?: Tensor | null, options: FusedConv2dOptions = {}): Tensor {
  const op = "conv2d";
  const bias = b ?? undefined;
  const weight = "[Cout, Cin / groups, KH, KW]";
  const { image, kernel, window } = checked(op, x, w, bias, options, { rules: FUSED_CONV2D, weight });
  const { strideH, strideW, dilationH, dilationW, groups } = window;
  const [n, inC, inH, inW] = image;
  const [outC, cin, kernelH, kernelW] = kernel;
  const [[top, bottom], [left, right]] = sides(options.padding);
  if (inC !== cin * groups || outC % groups !== 0) {
    throw invalidShape(
      `${op}: x ${show(x.shape)} has ${inC} channels, w ${show(w.shape)} with groups = ${groups} expects ${cin * groups} and a number of output channels divisible by groups`,
      "make w.shape[1] * groups equal x.shape[1], and w.shape[0] a multiple of groups",
    );
  }
  checkVectors(op, { bias }, outC, `the output of w ${show(w.shape)}`);
  const [paddedH, paddedW] = [inH + top + bottom, inW + left + right];
  const spareH = paddedH - dilationH * (kernelH - 1) - 1;
  const spareW = paddedW - dilationW * (kernelW - 1) - 1;
  if (spareH < 0 || spareW < 0) {
    throw invalidShape(
      `${op}: kernel ${kernelH}x${kernelW} with dilation ${show([dilationH, dilationW])} is larger than the padded input of ${paddedH}x${paddedW}`,
      "use a larger input, more padding, a smaller kernel or less dilation",
    );
  }
  const [outH, outW] = [Math.floor(spareH / strideH) + 1, Math.floor(spareW / strideW) + 1];
  const sizes = { n, inC, inH, inW, outC, outH, outW, kernelH, kernelW };
  const geometry = { ...sizes, ...window, padH: top, padW: left };
  const { norm, residual, activation } = options;
  checkResidual(op, residual, [n, outC, outH, outW]);
  if (norm) checkNormOf(op, norm, outC, w);
  if (!norm || !recording([x, w, bias, residual, norm.weight, norm.bias])) {
    return convolve(op, "forward", geometry, x, w, { bias, norm, residual, activation });
  }
  using y = convolve(op, "forward", geometry, x, w, { bias });
  return batchNorm(y, { ...norm, residual, activation });
}

function checkNormOf(op: string, norm: FrozenNorm, channels: number, w: Tensor): void {
  checkOptions<FrozenNorm>(`${op}: norm`, norm, NORM);
  const { eps: _, ...vectors } = norm;
  checkVectors(op, vectors, channels, `the output of w ${show(w.shape)}`);
}

/**
 * 2-D transposed convolution, the adjoint of conv2d (torch.nn.functional.conv_transpose2d; Caffe's Deconvolution
 * layer).
 *
 * x [N, Cin, H, W], w [Cin, Cout / groups, KH, KW], b [Cout] -> [N, Cout, OH, OW] with
 * OH = (H - 1) stride - 2 padding + dilation (KH - 1) + outputPadding + 1. With `crop`, the result is that of
 * `crop(convTranspose2d(x, w, b), crop)`. Throws `invalid-shape` if sizes do not fit.
 */
export function convTranspose2d(
  x: Tensor,
  w: Tensor,
  b?: Tensor | null,
  options: CroppedConvTranspose2dOptions = {},
): Tensor {
  const op = "convTranspose2d";
  const bias = b ?? undefined;
  const weight = "[Cin, Cout / groups, KH, KW]";
  const { image, kernel, window } = checked(op, x, w, bias, options, { rules: CROPPED_CONV_TRANSPOSE2D, weight });
  const { strideH, strideW, dilationH, dilationW, groups } = window;
  const [n, inC, inH, inW] = image;
  const [wIn, coutPerGroup, kernelH, kernelW] = kernel;
  const [padH, padW] = pair(options.padding ?? 0);
  const [extraH, extraW] = pair(options.outputPadding ?? 0);
  if (inC !== wIn || inC % groups !== 0) {
    throw invalidShape(
      `${op}: x ${show(x.shape)} has ${inC} channels, w ${show(w.shape)} expects ${wIn} and groups = ${groups} must divide them (w is ${weight})`,
      "make w.shape[0] equal x.shape[1], and both a multiple of groups",
    );
  }
  const tooMuch = (extra: number, stride: number, dilation: number) => extra > 0 && extra >= Math.max(stride, dilation);
  if (tooMuch(extraH, strideH, dilationH) || tooMuch(extraW, strideW, dilationW)) {
    throw invalidArgument(
      `${op}: outputPadding ${show([extraH, extraW])} must be smaller than stride ${show([strideH, strideW])} or dilation ${show([dilationH, dilationW])}`,
      "use an outputPadding below the stride",
    );
  }
  const outH = (inH - 1) * strideH - 2 * padH + dilationH * (kernelH - 1) + extraH + 1;
  const outW = (inW - 1) * strideW - 2 * padW + dilationW * (kernelW - 1) + extraW + 1;
  if (outH < 1 || outW < 1) {
    throw invalidShape(
      `${op}: the output of x ${show(x.shape)} and w ${show(w.shape)} would be ${outH}x${outW}`,
      "use less padding, a larger kernel or a larger input",
    );
  }
  const outC = coutPerGroup * groups;
  checkVectors(op, { bias }, outC, `the output of w ${show(w.shape)}`);
  const { crop = { top: 0, left: 0, height: outH, width: outW } } = options;
  checkCrop(op, crop, outH, outW);
  // In the geometry, the larger side is the input.
  const larger = { inC: outC, inH: crop.height, inW: crop.width, padH: padH + crop.top, padW: padW + crop.left };
  const sizes = { n, ...larger, outC: inC, outH: inH, outW: inW, kernelH, kernelW };
  return convolve(op, "transposed", { ...sizes, ...window }, x, w, { bias });
}

/** What a convolution does to its sums. */
interface Ends extends Epilogue {
  readonly bias?: Tensor | undefined;
  readonly norm?: FrozenNorm | undefined;
}

const ACTIVATIONS = { relu: rows.relu, relu6: rows.relu6 };

/**
 * Runs either direction of one geometry. The gradient of x is the other direction; the gradient of w pairs both sides.
 * With `norm` nothing may be recorded.
 */
function convolve(op: string, direction: Direction, g: Conv2dGeometry, x: Tensor, w: Tensor, ends: Ends): Tensor {
  const { runtime } = x;
  const { bias, residual, activation } = ends;
  const other: Direction = direction === "forward" ? "transposed" : "forward";
  const y = gather(op, direction, g, x, w, ends, true);
  const { shape } = w;
  const saved = [w.requiresGrad ? x : undefined, x.requiresGrad ? w : undefined, activation && y];
  return record(op, y, [x, w, bias, residual], saved, (grad, [savedX, savedW, savedY], needs, take) => {
    const [needsX, needsW, needsB, needsResidual] = needs;
    const backward = `${op} backward`;
    using dy = activation
      ? compute(ACTIVATIONS[activation], "da", { g: grad, y: savedY }, grad.shape, CHANNELS_LAST, {}, false)
      : inOrder(grad, CHANNELS_LAST);
    // The masked gradient takes its place, before there is memory for the others.
    if (activation) grad.dispose();
    using earlier = needsX ? take(0) : undefined;
    const dx = needsX ? gather(backward, other, g, dy, savedW!, { residual: earlier }, false) : undefined;
    let dw: Tensor | undefined;
    if (needsW) {
      using xs = inOrder(savedX!, CHANNELS_LAST);
      dw = Tensor.empty(runtime, shape, { order: WEIGHT_ORDER, tracked: false });
      const sides = direction === "forward" ? { x: xs, dy } : { x: dy, dy: xs };
      runtime.run(backward, planned(planConv2dWeightGradient, g), { ...sides, dw });
    }
    let db: Tensor | undefined;
    if (needsB) {
      const channels = dy.shape[1]!;
      db = Tensor.empty(runtime, [channels], { tracked: false });
      runtime.run(backward, planned(planColumnSum, dy.size / channels, channels), { x: dy, y: db });
    }
    return [dx, dw, db, needsResidual ? dy.alias() : undefined];
  });
}

function gather(
  op: string,
  direction: Direction,
  g: Conv2dGeometry,
  x: Tensor,
  w: Tensor,
  { bias, norm, residual, activation }: Ends,
  tracked: boolean,
): Tensor {
  const { runtime } = x;
  using xs = inOrder(x, CHANNELS_LAST);
  using ws = inOrder(w, WEIGHT_ORDER);
  const shape = direction === "forward" ? [g.n, g.outC, g.outH, g.outW] : [g.n, g.inC, g.inH, g.inW];
  const y = Tensor.empty(runtime, shape, { dtype: x.dtype, order: CHANNELS_LAST, tracked });
  using added = residual && inOrder(residual, CHANNELS_LAST);
  const { weight, bias: shift, runningMean, runningVar, eps = 1e-5 } = norm ?? {};
  const vectors = norm && { eps, hasWeight: weight !== undefined, hasShift: shift !== undefined };
  const epilogue = { bias: bias !== undefined, norm: vectors, residual: added !== undefined, activation };
  const operands = { x: xs, w: ws, b: bias, y, residual: added, weight, shift, runningMean, runningVar };
  runtime.run(op, planned(planFusedConv2d, g, direction, epilogue), operands);
  return y;
}
