import type { Tensor } from "../core/tensor.js";
import { invalidShape, show } from "../plain/errors.js";
import { checkRank, elementsOf } from "../plain/shape.js";
import { matmul } from "./matmul.js";
import { checkFloat, checkVectors } from "./operands.js";
import { add } from "./pointwise.generated.js";
import { permute, reshape } from "./view.js";

/**
 * x times the transpose of `weight`, plus `bias` (torch.nn.functional.linear): [..., in] -> [..., out], all float32,
 * for weight [out, in] and bias [out]. Throws `invalid-shape` if sizes do not match.
 */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor | null): Tensor {
  checkFloat("linear", "x", x);
  checkFloat("linear", "weight", weight);
  checkRank("linear", "weight", weight.shape, 2, "[out, in]");
  const [outFeatures, inFeatures] = weight.shape as [number, number];
  if (x.shape.at(-1) !== inFeatures) {
    throw invalidShape(
      `linear: x has shape ${show(x.shape)}, weight ${show(weight.shape)}: the last dimension of x must be ${inFeatures}`,
      `pass x [..., ${inFeatures}]; reshape or permute it if the features are elsewhere`,
    );
  }
  checkVectors("linear", { bias: bias ?? undefined }, outFeatures, `weight ${show(weight.shape)}`);
  const rows = x.shape.slice(0, -1);
  // As one matrix the weight's gradient is one product, not a sum of one for each matrix of a batch.
  using flat = reshape(x, [elementsOf(rows), inFeatures]);
  using transposed = permute(weight, [1, 0]);
  using product = matmul(flat, transposed);
  if (!bias) return reshape(product, [...rows, outFeatures]);
  using shifted = add(product, bias);
  return reshape(shifted, [...rows, outFeatures]);
}
