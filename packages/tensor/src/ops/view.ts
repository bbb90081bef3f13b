import { record } from "../autograd.js";
import { invalidArgument, invalidShape, show } from "../errors.js";
import { identityOrder } from "../layout.js";
import { checkList, checkMaxRank, elementsOf } from "../shape.js";
import { checkLive, contiguous, type Tensor } from "../tensor.js";

/**
 * The same elements in row-major order with another shape (torch.reshape). One size may be -1, to be inferred. Throws
 * `invalid-shape` if the number of elements differs.
 */
export function reshape(x: Tensor, shape: readonly number[]): Tensor {
  checkLive("reshape", "x", x);
  checkList("reshape", "shape", shape);
  const known = elementsOf(shape.filter((size) => size !== -1));
  const inferred = shape.map((size) => (size === -1 ? x.size / known : size));
  const valid = inferred.every((size) => Number.isInteger(size) && size > 0);
  if (shape.filter((size) => size === -1).length > 1 || !valid || elementsOf(inferred) !== x.size) {
    throw invalidShape(
      `reshape: ${show(x.shape)} (${x.size} elements) cannot become ${show(shape)}`,
      "choose sizes whose product is the number of elements, with at most one -1",
    );
  }
  checkMaxRank("reshape", inferred);
  using dense = contiguous(x);
  const out = dense.alias({ shape: inferred, order: identityOrder(inferred.length), tracked: true });
  return record("reshape", out, [x], [], (grad) => {
    using flat = contiguous(grad);
    return [flat.alias({ shape: x.shape, order: identityOrder(x.shape.length) })];
  });
}

/**
 * A view of x with its dimensions in another order (torch.permute). Throws `invalid-argument` unless `dims` lists each
 * dimension once.
 */
export function permute(x: Tensor, dims: readonly number[]): Tensor {
  checkLive("permute", "x", x);
  checkList("permute", "dims", dims);
  const rank = x.shape.length;
  const wanted = dims.map((dim) => (dim < 0 ? dim + rank : dim));
  if (wanted.length !== rank || identityOrder(rank).some((dim) => !wanted.includes(dim))) {
    throw invalidArgument(
      `permute: dims ${show(dims)} for a tensor of shape ${show(x.shape)}`,
      `list each of the ${rank} dimensions once`,
    );
  }
  const inverse = identityOrder(rank).map((dim) => wanted.indexOf(dim));
  const out = x.alias({
    shape: wanted.map((dim) => x.shape[dim]!),
    order: x.order.map((dim) => inverse[dim]!),
    tracked: true,
  });
  return record("permute", out, [x], [], (grad) => [
    grad.alias({ shape: [...x.shape], order: grad.order.map((dim) => wanted[dim]!) }),
  ]);
}
