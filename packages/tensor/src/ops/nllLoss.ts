import type { Tensor } from "../core/tensor.js";
import { to } from "./cast.js";
import { type CrossEntropyOptions, checkClasses } from "./crossEntropy.js";
import { div, eq, mul, neg } from "./pointwise.generated.js";
import { sum } from "./reduce.js";
import { gather, indexSelect } from "./select.js";
import { squeeze, unsqueeze } from "./shapes.js";
import { reshape } from "./view.js";
import { where } from "./where.js";

/**
 * The negative log likelihood of integer labels (torch.nn.functional.nll_loss), for scores that went through
 * `logSoftmax`; {@link crossEntropy} does both in one pass, and exactly. logProbabilities: float32 [N, C, ...], or
 * float16, which become float32; target: int32 [N, ...] with labels 0..C-1 or `ignoreIndex`. Returns a scalar, or
 * [N, ...] with reduction "none". A label out of range gives NaN, and so does the mean over no pixels. Throws
 * `invalid-shape` if the shapes do not fit.
 *
 * @example
 * ```ts
 * import { createDevice, logSoftmax, nllLoss } from "@fcn/tensor";
 *
 * const device = await createDevice();
 * const scores = device.zeros([1, 2, 1, 2], { requiresGrad: true });
 * const target = device.tensor([1, 255], [1, 1, 2], { dtype: "int32" }); // the second pixel is void
 * const loss = nllLoss(logSoftmax(scores, { dim: 1 }), target);
 * loss.backward();
 * console.log(await loss.item()); // ln 2
 * device.destroy();
 * ```
 */
export function nllLoss(logProbabilities: Tensor, target: Tensor, options: CrossEntropyOptions = {}): Tensor {
  checkClasses(["nllLoss", "logProbabilities"], logProbabilities, target, options);
  const { ignoreIndex = 255, weight, reduction = "mean" } = options;
  using x = to(logProbabilities, "float32");
  using ignored = eq(target, ignoreIndex);
  using labels = where(ignored, 0, target);
  using column = unsqueeze(labels, 1);
  using gathered = gather(x, column, { dim: 1 });
  using picked = squeeze(gathered, { dim: 1 });
  using opposite = neg(picked);
  using losses = where(ignored, 0, opposite);
  using weights = weightsOf(labels, ignored, weight);
  const values = mul(losses, weights);
  if (reduction === "none") return values;
  using terms = values;
  const total = sum(terms);
  if (reduction === "sum") return total;
  using whole = total;
  using divisor = sum(weights);
  return div(whole, divisor);
}

/** The weight of each position: that of its class, 0 where the label is ignored. */
function weightsOf(labels: Tensor, ignored: Tensor, weight: Tensor | undefined): Tensor {
  if (weight === undefined) return where(ignored, 0, 1);
  using list = reshape(labels, [-1]);
  using constant = weight.detach();
  using each = indexSelect(constant, list, { dim: 0 });
  using own = reshape(each, labels.shape);
  return where(ignored, 0, own);
}
