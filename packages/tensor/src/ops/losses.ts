import type { Tensor } from "../core/tensor.js";
import { invalidShape, show } from "../plain/errors.js";
import { checkOptions } from "../plain/options.js";
import { checkedInUse, oneOf, type RulesOf } from "../plain/rules.js";
import { broadcastShape, sameShape } from "../plain/shape.js";
import { to } from "./cast.js";
import { checkFloat, checkReal } from "./operands.js";
import { add, exp, log, maximum, mul, neg, sub } from "./pointwise.generated.js";
import { mean, sum } from "./reduce.js";

export interface LossOptions {
  /** Default "mean", over all elements. */
  readonly reduction?: "mean" | "sum" | "none" | undefined;
}

export interface BCEWithLogitsOptions extends LossOptions {
  /** Weight of each element, float32; broadcasts against the logits. */
  readonly weight?: Tensor | undefined;
  /** Weight of the positive term, float32; broadcasts against the logits, such as [C, 1, 1] for [N, C, H, W]. */
  readonly posWeight?: Tensor | undefined;
}

/** @internal */
export const LOSS: RulesOf<LossOptions> = { reduction: oneOf("mean", "sum", "none") };

/** @internal */
export const BCE_WITH_LOGITS: RulesOf<BCEWithLogitsOptions> = {
  ...LOSS,
  weight: checkedInUse,
  posWeight: checkedInUse,
};

function checkPair(op: string, input: Tensor, target: Tensor): void {
  checkReal(op, "input", input);
  checkReal(op, "target", target);
  if (sameShape(input.shape, target.shape)) return;
  throw invalidShape(
    `${op}: input has shape ${show(input.shape)}, target ${show(target.shape)}, expected one shape`,
    "reshape the target, so that each element of the input has its own",
  );
}

function reduced(values: Tensor, { reduction = "mean" }: LossOptions): Tensor {
  if (reduction === "none") return values;
  using terms = values;
  return reduction === "mean" ? mean(terms) : sum(terms);
}

/** input - target in float32: the sum of many halves would overflow. */
function differenceOf(input: Tensor, target: Tensor): Tensor {
  using a = to(input, "float32");
  using b = to(target, "float32");
  return sub(a, b);
}

/**
 * (input - target)^2, by default its mean over all elements (torch.nn.functional.mse_loss). Both are float32 or float16
 * of one shape; the loss is float32. Throws `invalid-shape` if the shapes differ.
 */
export function mseLoss(input: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  checkOptions<LossOptions>("mseLoss", options, LOSS);
  checkPair("mseLoss", input, target);
  using difference = differenceOf(input, target);
  return reduced(mul(difference, difference), options);
}

/**
 * |input - target|, by default its mean over all elements (torch.nn.functional.l1_loss), with gradient 0 where they are
 * equal. Operands and errors are those of {@link mseLoss}.
 */
export function l1Loss(input: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  checkOptions<LossOptions>("l1Loss", options, LOSS);
  checkPair("l1Loss", input, target);
  using difference = differenceOf(input, target);
  using opposite = neg(difference);
  return reduced(maximum(difference, opposite), options);
}

/**
 * Binary cross-entropy of sigmoid(logits) (torch.nn.functional.binary_cross_entropy_with_logits), in a form that
 * overflows for no logit: -weight (posWeight t log sigmoid(x) + (1 - t) log(1 - sigmoid(x))), by default its mean.
 * Logits and target, whose values lie in [0, 1], are float32 or float16 of one shape; the loss is float32. Throws
 * `invalid-shape` if the shapes differ or a weight does not broadcast to them.
 *
 * @example
 * ```ts
 * import { binaryCrossEntropyWithLogits, createDevice } from "@fcn/tensor";
 *
 * const device = await createDevice();
 * const logits = device.zeros([2, 1, 4, 4], { requiresGrad: true });
 * const loss = binaryCrossEntropyWithLogits(logits, device.ones([2, 1, 4, 4]), { posWeight: device.tensor([3]) });
 * loss.backward();
 * console.log(await loss.item()); // 3 ln 2
 * device.destroy();
 * ```
 */
export function binaryCrossEntropyWithLogits(
  logits: Tensor,
  target: Tensor,
  options: BCEWithLogitsOptions = {},
): Tensor {
  const op = "binaryCrossEntropyWithLogits";
  checkOptions<BCEWithLogitsOptions>(op, options, BCE_WITH_LOGITS);
  checkPair(op, logits, target);
  const { weight, posWeight } = options;
  for (const [name, factor] of Object.entries({ weight, posWeight })) {
    if (factor) checkFactor(op, name, factor, logits.shape);
  }
  using x = to(logits, "float32");
  using t = to(target, "float32");
  using opposite = neg(x);
  // Half the gradient goes to either side where x is 0, which makes that of the sum -1/2, as it should be. relu's is 0.
  using above = maximum(opposite, 0);
  using size = maximum(x, opposite);
  using minus = neg(size);
  using small = exp(minus);
  using onePlus = add(small, 1);
  using tail = log(onePlus);
  // -log sigmoid(x); that of 1 - sigmoid(x) is larger by x.
  using positive = add(above, tail);
  using missing = sub(1, t);
  using linear = mul(missing, x);
  // (1 - t) + posWeight t, where there is a weight.
  using share = posWeight && mul(posWeight, t);
  using factor = share && add(missing, share);
  using scaled = factor && mul(factor, positive);
  const values = add(linear, scaled ?? positive);
  if (!weight) return reduced(values, options);
  using plain = values;
  return reduced(mul(plain, weight), options);
}

function checkFactor(op: string, name: string, factor: Tensor, shape: readonly number[]): void {
  checkFloat(op, name, factor);
  if (sameShape(broadcastShape(op, factor.shape, shape), shape)) return;
  throw invalidShape(
    `${op}: ${name} has shape ${show(factor.shape)}, which does not broadcast to the logits ${show(shape)}`,
    `pass one ${name} for each logit, or sizes of 1 where it repeats`,
  );
}
