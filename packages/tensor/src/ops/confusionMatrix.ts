import { planConfusion } from "@fcn/kernels";
import { planned } from "../core/planned.js";
import { checkLive, contiguous, Tensor } from "../core/tensor.js";
import { invalidShape, limitExceeded, show } from "../plain/errors.js";
import { checkOptions } from "../plain/options.js";
import { required, whole } from "../plain/rules.js";
import { sameShape } from "../plain/shape.js";
import { checkInt } from "./operands.js";
import { argmax } from "./reduce.js";

export interface ConfusionMatrixOptions {
  /** Counts predicted labels 0 to `numClasses` - 1. At most the number of channels of logits. */
  readonly numClasses: number;
  /** Counts target labels 0 to `numTargets` - 1. Default `numClasses`. */
  readonly numTargets?: number | undefined;
}

/**
 * Counts pairs of labels (torchmetrics.functional.classification.multiclass_confusion_matrix). Returns int32
 * [numTargets, numClasses], where [i, j] is the number of elements with target i and prediction j. Pairs with a label
 * out of range, such as void, are not counted.
 *
 * prediction: int32 labels with the shape of target, or float32 logits [N, C, ...] for a target [N, ...]. target:
 * int32, fewer than 2^31 elements. Has no gradient.
 */
export function confusionMatrix(prediction: Tensor, target: Tensor, options: ConfusionMatrixOptions): Tensor {
  checkLive("confusionMatrix", "prediction", prediction);
  checkInt("confusionMatrix", "target", target);
  checkOptions<ConfusionMatrixOptions>("confusionMatrix", options, {
    numClasses: required(whole(1)),
    numTargets: whole(1),
  });
  const { numClasses, numTargets = numClasses } = options;
  if (target.size >= 2 ** 31) {
    throw limitExceeded(
      `confusionMatrix: ${target.size} elements at once; counts are exact below 2^31`,
      "count in parts, and add the matrices up on the host",
    );
  }
  const logits = prediction.dtype !== "int32";
  const shape = logits ? prediction.shape.filter((_, dim) => dim !== 1) : prediction.shape;
  if (!sameShape(shape, target.shape) || (logits && prediction.shape.length < 2)) {
    throw invalidShape(
      `confusionMatrix: prediction has shape ${show(prediction.shape)} (${prediction.dtype}), target ${show(target.shape)}`,
      "pass int32 labels of the target's shape, or float32 logits [N, C, ...] for a target [N, ...]",
    );
  }
  const { runtime } = target;
  using labels = logits ? argmax(prediction, { dim: 1 }) : prediction.alias();
  using predicted = contiguous(labels);
  using truth = contiguous(target);
  const counts = Tensor.empty(runtime, [numTargets, numClasses], { dtype: "int32" });
  const plan = planned(planConfusion, { pixels: target.size, rows: numTargets, columns: numClasses });
  runtime.run("confusionMatrix", plan, { truth, prediction: predicted, counts });
  return counts;
}
