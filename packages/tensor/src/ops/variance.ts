import { method } from "../core/method.js";
import type { Tensor } from "../core/tensor.js";
import { checkOptions } from "../plain/options.js";
import { boolean, checkedInUse, from, type RulesOf } from "../plain/rules.js";
import { checkReal } from "./operands.js";
import { eq, sqrt, square, sub } from "./pointwise.generated.js";
import { mean, type ReduceOptions, scaledSum } from "./reduce.js";
import { where } from "./where.js";

export interface VarianceOptions extends ReduceOptions {
  /** What is taken from the number of elements before the sum of squares is divided by it. Default 1. */
  readonly correction?: number | undefined;
}

const OPTIONS: RulesOf<VarianceOptions> = { dim: checkedInUse, keepdim: boolean, correction: from(0) };

function varianceOf(op: string, x: Tensor, options: VarianceOptions): Tensor {
  checkReal(op, "x", x);
  checkOptions<VarianceOptions>(op, options, OPTIONS);
  const { dim, keepdim, correction = 1 } = options;
  using means = mean(x, { dim, keepdim: true });
  using off = sub(x, means);
  using squares = square(off);
  return scaledSum(op, squares, { dim, keepdim }, (terms) => 1 / Math.max(0, terms - correction));
}

/**
 * The variance over dims (torch.var): the sum of (x - mean)^2 divided by the number of elements less `correction`. The
 * mean is computed first, so that values far from 0 keep their digits. NaN where too few elements are left.
 * @function
 */
export const variance = /* @__PURE__ */ method(
  "variance",
  (x: Tensor, options: VarianceOptions = {}): Tensor => varianceOf("variance", x, options),
);

/**
 * The standard deviation over dims (torch.std): the root of {@link variance}. The gradient where it is 0 is 0.
 * @function
 */
export const std = /* @__PURE__ */ method("std", (x: Tensor, options: VarianceOptions = {}): Tensor => {
  using v = varianceOf("std", x, options);
  // The slope of a root at 0 is infinite, so it is taken elsewhere.
  using isZero = eq(v, 0);
  using safe = where(isZero, 1, v);
  using root = sqrt(safe);
  return where(isZero, 0, root);
});
