import { noGrad } from "../core/autograd.js";
import type { Tensor } from "../core/tensor.js";
import { add, clamp, mul, pow, sqrt, sum } from "../ops/index.js";
import { describe } from "../plain/describe.js";
import { invalidArgument } from "../plain/errors.js";
import { checkValue } from "../plain/options.js";
import { from } from "../plain/rules.js";

/**
 * Scales the gradients of `parameters` so that their joint Euclidean norm is at most `maxNorm`
 * (torch.nn.utils.clip_grad_norm_). Returns the norm before scaling, a scalar on the device. Parameters without a
 * gradient are skipped; throws if none has one.
 */
export function clipGradNorm(parameters: readonly Tensor[], maxNorm: number): Tensor {
  if (!Array.isArray(parameters)) {
    throw invalidArgument(`clipGradNorm: parameters is ${describe(parameters)}`, {
      code: "pass module.parameters(), or a list",
    });
  }
  checkValue("clipGradNorm", "maxNorm", maxNorm, from(0));
  const gradients = parameters.flatMap(({ grad }) => (grad ? [grad] : []));
  if (gradients.length === 0)
    throw invalidArgument("clipGradNorm: no parameter has a gradient", { code: "call loss.backward() first" });
  return noGrad(() => {
    const norm = jointNorm(gradients);
    // PyTorch adds this term too: it keeps the quotient finite.
    using padded = add(norm, 1e-6);
    using inverse = pow(padded, -1);
    using quotient = mul(inverse, maxNorm);
    using scale = clamp(quotient, { max: 1 });
    for (const gradient of gradients) {
      using scaled = mul(gradient, scale);
      gradient.assign(scaled);
    }
    return norm;
  });
}

function jointNorm(gradients: readonly Tensor[]): Tensor {
  let total: Tensor | undefined;
  for (const gradient of gradients) {
    using squares = mul(gradient, gradient);
    const own = sum(squares);
    if (total === undefined) {
      total = own;
      continue;
    }
    const sumSoFar: Tensor = add(total, own);
    total.dispose();
    own.dispose();
    total = sumSoFar;
  }
  using squared = total as Tensor;
  return sqrt(squared);
}
