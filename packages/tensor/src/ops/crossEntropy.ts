import { type CrossEntropyCase, planCrossEntropy, planCrossEntropyBackward } from "@fcn/kernels";
import { record } from "../core/autograd.js";
import { planned } from "../core/planned.js";
import { contiguous, inOrder, Tensor } from "../core/tensor.js";
import { invalidShape, show } from "../plain/errors.js";
import { activationOrder, identityOrder } from "../plain/layout.js";
import { checkOptions } from "../plain/options.js";
import { checkedInUse, integer, oneOf, type RulesOf } from "../plain/rules.js";
import { elementsOf, sameShape } from "../plain/shape.js";
import { to } from "./cast.js";
import { checkInt, checkReal, checkVectors, inputGradient } from "./operands.js";

export interface CrossEntropyOptions {
  /** Pixels with this label are ignored. Default 255, the void label of PASCAL VOC. */
  readonly ignoreIndex?: number | undefined;
  /** Weight of each class, float32 [C]. Has no gradient. */
  readonly weight?: Tensor | undefined;
  /** "mean" divides by the sum of the weights of the pixels that are not ignored. Default "mean". */
  readonly reduction?: "mean" | "sum" | "none" | undefined;
}

/** What both directions read. */
const SAVED = ["logits", "target", "lse", "weight", "divisor"] as const;

/** @internal */
export const CROSS_ENTROPY: RulesOf<CrossEntropyOptions> = {
  ignoreIndex: integer,
  weight: checkedInUse,
  reduction: oneOf("mean", "sum", "none"),
};

/** @internal Throws unless the target has a class for each position of the input, which has a value for each class. */
export function checkClasses(
  [op, name]: readonly [op: string, name: string],
  input: Tensor,
  target: Tensor,
  options: CrossEntropyOptions,
): void {
  checkOptions<CrossEntropyOptions>(op, options, CROSS_ENTROPY);
  checkReal(op, name, input);
  checkInt(op, "target", target);
  const [n, classes, ...space] = input.shape;
  const shape = show(input.shape);
  if (n === undefined || classes === undefined) {
    throw invalidShape(
      `${op}: ${name} have shape ${shape}, expected [N, C, ...]`,
      "put the batch first and the classes second",
    );
  }
  if (!sameShape(target.shape, [n, ...space])) {
    throw invalidShape(
      `${op}: target has shape ${show(target.shape)}, ${name} have shape ${shape}: expected target ${show([n, ...space])}`,
      `pass one class index for each position of the ${name}`,
    );
  }
  checkVectors(op, { weight: options.weight }, classes, `${name} ${shape}`);
}

/**
 * Softmax cross-entropy loss with integer labels (torch.nn.functional.cross_entropy). logits: float32 [N, C, ...], or
 * float16, which become float32; target: int32 [N, ...] with labels 0..C-1 or `ignoreIndex`. Returns a scalar, or
 * [N, ...] with reduction "none". A label out of range gives NaN, and the next read rejects with `label-out-of-range`.
 * The mean over no pixels is NaN.
 *
 * @example
 * ```ts
 * import { createDevice, crossEntropy } from "@fcn/tensor";
 *
 * const device = await createDevice();
 * const logits = device.zeros([1, 2, 1, 2], { requiresGrad: true });
 * const target = device.tensor([1, 255], [1, 1, 2], { dtype: "int32" }); // the second pixel is void
 * const loss = crossEntropy(logits, target);
 * loss.backward();
 * console.log(await loss.item(), await logits.grad?.array()); // ln 2
 * device.destroy();
 * ```
 */
export function crossEntropy(logits: Tensor, target: Tensor, options: CrossEntropyOptions = {}): Tensor {
  checkClasses(["crossEntropy", "logits"], logits, target, options);
  if (logits.dtype === "float16") {
    using wide = to(logits, "float32");
    return crossEntropy(wide, target, options);
  }
  const { ignoreIndex = 255, weight, reduction = "mean" } = options;
  const { runtime, shape, dtype } = logits;
  const order = activationOrder(shape.length);
  const classes = shape[1]!;
  const pixels = elementsOf(target.shape);
  const loss: CrossEntropyCase = { pixels, classes, ignoreIndex, weighted: weight !== undefined, reduction };
  using x = inOrder(logits, order);
  using labels = contiguous(target);
  using lse = Tensor.empty(runtime, [pixels], { tracked: false });
  using divisor = reduction === "none" ? undefined : Tensor.empty(runtime, [1], { tracked: false });
  const y = Tensor.empty(runtime, reduction === "none" ? target.shape : []);
  const operands = { logits: x, target: labels, lse, weight, divisor };
  runtime.run("crossEntropy", planned(planCrossEntropy, loss), { ...operands, y });
  return record(
    "crossEntropy",
    y,
    [logits],
    SAVED.map((name) => operands[name]),
    (grad, saved) => {
      const plan = planned(planCrossEntropyBackward, loss);
      const kept = Object.fromEntries(SAVED.map((name, i) => [name, saved[i]]));
      return inputGradient(
        "crossEntropy",
        plan,
        grad,
        { shape, dtype, order, from: identityOrder(grad.shape.length) },
        kept,
      );
    },
  );
}
