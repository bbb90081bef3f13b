import {
  interpolateScale,
  planUpsampledGradient,
  planUpsampledLabels,
  planUpsampledLoss,
  type UpsampledGeometry,
  type UpsampledLoss,
} from "@fcn/kernels";
import { record } from "../core/autograd.js";
import { planned } from "../core/planned.js";
import { contiguous, inOrder, Tensor } from "../core/tensor.js";
import { invalidArgument, invalidShape, show } from "../plain/errors.js";
import { CHANNELS_LAST, identityOrder } from "../plain/layout.js";
import { checkOptions } from "../plain/options.js";
import { type Extent, pair, sameShape } from "../plain/shape.js";
import { to } from "./cast.js";
import { CROSS_ENTROPY, type CrossEntropyOptions } from "./crossEntropy.js";
import { type CropOptions, checkCrop } from "./movement.js";
import { checkInt, checkReal, checkVectors, imageSizes, inputGradient } from "./operands.js";

/** A number for each axis of a plane. */
export type AxisPair = readonly [vertical: number, horizontal: number];

/**
 * Bilinear upsampling as data. Along each axis, output pixel o lies at (o + before) * scale - after among the input's
 * cells, and takes a share of the two beside it. `clamped` moves pixels beyond the first and the last cell onto them;
 * otherwise their values fade to 0. Made by {@link interpolateRule} or {@link bilinearRule}.
 */
export interface Upsampling {
  /** Height and width of the input and of the output. */
  readonly from: AxisPair;
  readonly size: AxisPair;
  readonly scale: AxisPair;
  readonly before: AxisPair;
  readonly after: number;
  readonly clamped: boolean;
}

/** The rule of `interpolate` with mode bilinear, from a plane of `from` to one of `size`, both [height, width]. */
export function interpolateRule(
  from: AxisPair,
  { size, alignCorners = false }: { readonly size: AxisPair; readonly alignCorners?: boolean },
): Upsampling {
  const kind = { mode: "bilinear", alignCorners } as const;
  const scaleAlong = (axis: 0 | 1): number => interpolateScale(from[axis], size[axis], undefined, kind);
  const half = alignCorners ? 0 : 0.5;
  return { from, size, scale: [scaleAlong(0), scaleAlong(1)], before: [half, half], after: half, clamped: true };
}

/**
 * The rule of `convTranspose2d` on a plane of `from` with the fixed kernel of bilinear upsampling, 1 - |i - c| / stride
 * along each axis around the centre c. `kernelSize` is twice the stride, or one less.
 */
export function bilinearRule(
  from: AxisPair,
  window: { readonly kernelSize: Extent; readonly stride: Extent; readonly padding?: Extent },
): Upsampling {
  const [kernel, stride, padding] = [pair(window.kernelSize), pair(window.stride), pair(window.padding ?? 0)];
  if (kernel.some((side, axis) => Math.floor((side + 1) / 2) !== stride[axis])) {
    throw invalidArgument(
      `bilinearRule: kernel ${show(kernel)} for stride ${show(stride)}`,
      "use a kernel of twice the stride, or one less",
    );
  }
  const along = (of: (axis: 0 | 1) => number): AxisPair => [of(0), of(1)];
  return {
    from,
    size: along((axis) => (from[axis] - 1) * stride[axis] - 2 * padding[axis] + kernel[axis]),
    scale: along((axis) => 1 / stride[axis]),
    before: along((axis) => padding[axis] - (kernel[axis] - 1) / 2),
    after: 0,
    clamped: false,
  };
}

/** The rule of an upsampling followed by `crop`. Throws `invalid-shape` if the box does not lie inside. */
export function croppedRule(rule: Upsampling, box: CropOptions): Upsampling {
  checkCrop("croppedRule", box, ...rule.size);
  const { top, left, height, width } = box;
  return { ...rule, size: [height, width], before: [rule.before[0] + top, rule.before[1] + left] };
}

function geometry(op: string, scores: Tensor, rule: Upsampling): UpsampledGeometry {
  const [, , inH, inW] = imageSizes(op, scores);
  const { from, size, scale } = rule;
  if (from[0] !== inH || from[1] !== inW) {
    throw invalidShape(
      `${op}: scores have shape ${show(scores.shape)}, but the rule is for ${from[0]}x${from[1]}`,
      "make the rule for the height and width of the scores",
    );
  }
  if (Math.max(...scale) > 1) {
    throw invalidArgument(
      `${op}: ${size[0]}x${size[1]} from ${inH}x${inW} has fewer pixels than cells`,
      "use interpolate, then crossEntropy or argmax",
    );
  }
  return upsampledGeometry(scores.shape, rule);
}

/** @internal The plans' view of a rule for scores of this shape. */
export function upsampledGeometry([n = 1, channels = 1]: readonly number[], rule: Upsampling): UpsampledGeometry {
  const [[inH, inW], [outH, outW], [scaleH, scaleW], [beforeH, beforeW]] = [
    rule.from,
    rule.size,
    rule.scale,
    rule.before,
  ];
  const places = { scaleH, scaleW, beforeH, beforeW, after: rule.after, clamped: rule.clamped };
  return { n, channels, inH, inW, outH, outW, ...places };
}

/**
 * The class with the largest score at each pixel of upsampled scores [N, C, h, w], as int32 [N, H, W]: that of
 * `argmax(interpolate(scores), { dim: 1 })` and the like, without a map of the scores at full size. Labels differ from
 * those only where two scores are as close as rounding. Of equal scores the first; NaN counts as the largest.
 */
export function upsampledArgmax(scores: Tensor, rule: Upsampling): Tensor {
  const op = "upsampledArgmax";
  const g = geometry(op, scores, rule);
  const { runtime } = scores;
  using x = inOrder(scores, CHANNELS_LAST);
  const labels = Tensor.empty(runtime, [g.n, g.outH, g.outW], { dtype: "int32" });
  runtime.run(op, planned(planUpsampledLabels, g), { scores: x, labels });
  return labels;
}

/** What both directions read. */
const SAVED = ["scores", "target", "lse", "weight", "divisor"] as const;

/**
 * `crossEntropy` of upsampled scores: that of `crossEntropy(interpolate(scores), target, options)` and the like,
 * without a map of the scores at full size. scores: float32 or float16 [N, C, h, w]; target: int32 [N, H, W]. For the
 * backward pass, one float32 a pixel is kept. Throws `limit-exceeded` if the scores or the target are larger than a
 * binding.
 *
 * @example
 * ```ts
 * import { createDevice, interpolateRule, upsampledCrossEntropy } from "@fcn/tensor";
 *
 * const device = await createDevice();
 * const scores = device.randn([1, 21, 10, 15], { seed: 1 });
 * const target = device.zeros([1, 320, 480], { dtype: "int32" });
 * const rule = interpolateRule([10, 15], { size: [320, 480] });
 * console.log(await upsampledCrossEntropy(scores, target, rule).item());
 * device.destroy();
 * ```
 */
export function upsampledCrossEntropy(
  scores: Tensor,
  target: Tensor,
  rule: Upsampling,
  options: CrossEntropyOptions = {},
): Tensor {
  const op = "upsampledCrossEntropy";
  checkOptions<CrossEntropyOptions>(op, options, CROSS_ENTROPY);
  checkReal(op, "scores", scores);
  if (scores.dtype === "float16") {
    using wide = to(scores, "float32");
    return upsampledCrossEntropy(wide, target, rule, options);
  }
  checkInt(op, "target", target);
  const g = geometry(op, scores, rule);
  const { n, channels, outH, outW } = g;
  const { ignoreIndex = 255, weight, reduction = "mean" } = options;
  if (!sameShape(target.shape, [n, outH, outW])) {
    throw invalidShape(
      `${op}: target has shape ${show(target.shape)}, expected ${show([n, outH, outW])}`,
      "pass one class index for each pixel of the upsampled scores",
    );
  }
  checkVectors(op, { weight }, channels, `scores ${show(scores.shape)}`);
  const { runtime, shape, dtype } = scores;
  const loss: UpsampledLoss = { ignoreIndex, weighted: weight !== undefined, reduction };
  using x = inOrder(scores, CHANNELS_LAST);
  using labels = contiguous(target);
  using lse = Tensor.empty(runtime, target.shape, { tracked: false });
  using divisor = reduction === "none" ? undefined : Tensor.empty(runtime, [1], { tracked: false });
  const y = Tensor.empty(runtime, reduction === "none" ? target.shape : []);
  const operands = { scores: x, target: labels, lse, weight, divisor };
  runtime.run(op, planned(planUpsampledLoss, g, loss), { ...operands, y });
  const saved = SAVED.map((name) => operands[name]);
  return record(op, y, [scores], saved, (grad, kept) => {
    const plan = planned(planUpsampledGradient, g, loss);
    const from = identityOrder(grad.shape.length);
    const read = Object.fromEntries(SAVED.map((name, i) => [name, kept[i]]));
    return inputGradient(op, plan, grad, { shape, dtype, order: CHANNELS_LAST, from }, read);
  });
}
