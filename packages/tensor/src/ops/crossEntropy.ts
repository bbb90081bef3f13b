import { type CrossEntropyCase, planCrossEntropy, planCrossEntropyBackward } from "@fcn/kernels";
import { record } from "../autograd.js";
import { invalidShape, show, TensorError } from "../errors.js";
import { activationOrder } from "../layout.js";
import { checkOptions } from "../options.js";
import { checkedInUse, integer, oneOf, type RulesOf } from "../rules.js";
import { elementsOf, sameShape } from "../shape.js";
import { checkLive, contiguous, inOrder, Tensor } from "../tensor.js";
import { checkFloat } from "./operands.js";

export interface CrossEntropyOptions {
  /** Pixels with this label are ignored. Default 255, the void label of PASCAL VOC. */
  readonly ignoreIndex?: number | undefined;
  /** Weight of each class, float32 [C]. Has no gradient. */
  readonly weight?: Tensor | undefined;
  /** "mean" divides by the sum of the weights of the pixels that are not ignored. Default "mean". */
  readonly reduction?: "mean" | "sum" | "none" | undefined;
}

const OPTIONS: RulesOf<CrossEntropyOptions> = {
  ignoreIndex: integer,
  weight: checkedInUse,
  reduction: oneOf("mean", "sum", "none"),
};

function checkCrossEntropy(logits: Tensor, target: Tensor, options: CrossEntropyOptions): void {
  checkOptions<CrossEntropyOptions>("crossEntropy", options, OPTIONS);
  const { weight } = options;
  checkFloat("crossEntropy", "logits", logits);
  checkLive("crossEntropy", "target", target);
  if (weight) checkLive("crossEntropy", "weight", weight);
  const [n, classes, ...space] = logits.shape;
  if (n === undefined || classes === undefined) {
    throw invalidShape(
      `crossEntropy: logits have shape ${show(logits.shape)}, expected [N, C, ...]`,
      "put the batch first and the classes second",
    );
  }
  if (target.dtype !== "int32") {
    throw new TensorError({
      code: "invalid-dtype",
      message: `crossEntropy: target has dtype ${target.dtype}, expected int32 class indices`,
      fix: { code: 'create the target with { dtype: "int32" }' },
    });
  }
  if (!sameShape(target.shape, [n, ...space])) {
    throw invalidShape(
      `crossEntropy: target has shape ${show(target.shape)}, logits have shape ${show(logits.shape)}: expected target ${show([n, ...space])}`,
      "pass one class index for each position of the logits",
    );
  }
  if (weight && (weight.dtype !== "float32" || !sameShape(weight.shape, [classes]))) {
    throw invalidShape(
      `crossEntropy: weight is ${weight.dtype} ${show(weight.shape)}, expected float32 ${show([classes])} for ${classes} classes`,
      "pass one weight a class",
    );
  }
}

/**
 * Softmax cross-entropy loss with integer labels (torch.nn.functional.cross_entropy). logits: float32 [N, C, ...];
 * target: int32 [N, ...] with labels 0..C-1 or `ignoreIndex`. Returns a scalar, or [N, ...] with reduction "none". A
 * label out of range gives NaN, and the next read rejects with `label-out-of-range`. The mean over no pixels is NaN.
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
  checkCrossEntropy(logits, target, options);
  const { ignoreIndex = 255, weight, reduction = "mean" } = options;
  const { runtime, shape } = logits;
  const order = activationOrder(shape.length);
  const classes = shape[1]!;
  const pixels = elementsOf(target.shape);
  const loss: CrossEntropyCase = { pixels, classes, ignoreIndex, weighted: weight !== undefined, reduction };
  using x = inOrder(logits, order);
  using labels = contiguous(target);
  using lse = Tensor.empty(runtime, [pixels], { tracked: false });
  using divisor = reduction === "none" ? undefined : Tensor.empty(runtime, [1], { tracked: false });
  const y = Tensor.empty(runtime, reduction === "none" ? target.shape : []);
  runtime.run("crossEntropy", planCrossEntropy(loss, runtime.capabilities), {
    logits: x,
    target: labels,
    lse,
    y,
    ...(weight && { weight }),
    ...(divisor && { divisor }),
  });
  return record("crossEntropy", y, [logits], [x, labels, lse, weight, divisor], (grad, saved) => {
    const [savedX, savedLabels, savedLse, savedWeight, savedDivisor] = saved;
    using dy = contiguous(grad);
    const dx = Tensor.empty(runtime, shape, { order, tracked: false });
    runtime.run("crossEntropy backward", planCrossEntropyBackward(loss, runtime.capabilities), {
      logits: savedX!,
      target: savedLabels!,
      lse: savedLse!,
      dy,
      dx,
      ...(savedWeight && { weight: savedWeight }),
      ...(savedDivisor && { divisor: savedDivisor }),
    });
    return [dx];
  });
}
