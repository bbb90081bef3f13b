import { planSum } from "@fcn/kernels";
import { planned } from "../core/planned.js";
import { Tensor } from "../core/tensor.js";
import { identityOrder } from "../plain/layout.js";
import { sameShape } from "../plain/shape.js";

/**
 * @internal The gradient of an operand that was broadcast: `grad` summed over the dimensions along which `shape` was
 * repeated. Takes ownership of `grad`; the result is untracked.
 */
export function sumTo(op: string, grad: Tensor, shape: readonly number[]): Tensor {
  if (sameShape(grad.shape, shape)) return grad;
  const lead = grad.shape.length - shape.length;
  const reduced = (dim: number) => dim < lead || (shape[dim - lead] === 1 && grad.shape[dim] !== 1);
  const kept = grad.order.filter((dim) => !reduced(dim));
  // Dimensions of size 1 do not affect the memory format, so they may come first.
  const ones = identityOrder(shape.length).filter((dim) => !kept.includes(dim + lead));
  const out = Tensor.empty(grad.runtime, shape, { order: [...ones, ...kept.map((dim) => dim - lead)], tracked: false });
  const dims = grad.order.map((dim) => ({ size: grad.shape[dim]!, reduced: reduced(dim) }));
  grad.runtime.run(op, planned(planSum, dims, 1), { x: grad, y: out });
  grad.dispose();
  return out;
}
