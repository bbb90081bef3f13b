import { TensorError } from "../../plain/errors.js";
import { elementCount, type HostArray } from "./hostArray.js";

/**
 * The array with its dimensions in the order `dims` (numpy.transpose): dimension i of the result is dimension `dims[i]`
 * of the array. Throws `invalid-argument` unless `dims` lists each dimension once.
 */
export function permuteHostArray<A extends HostArray>(array: A, dims: readonly number[]): A {
  const { shape, data } = array;
  const sorted = [...dims].sort((a, b) => a - b);
  if (sorted.length !== shape.length || sorted.some((dim, i) => dim !== i)) {
    throw new TensorError({
      code: "invalid-argument",
      message: `permuteHostArray: dims [${dims.join(", ")}] for an array of shape [${shape.join(", ")}]`,
      fix: `name each of the dimensions 0 to ${shape.length - 1} once`,
    });
  }
  const outShape = dims.map((dim) => shape[dim] as number);
  const strides = dims.map((dim) => elementCount(shape.slice(dim + 1)));
  const out = data.slice();
  const index = dims.map(() => 0);
  for (let at = 0, from = 0; at < out.length; at++) {
    out[at] = data[from] as never;
    for (let d = dims.length - 1; d >= 0; d--) {
      from += strides[d]!;
      if (++index[d]! < outShape[d]!) break;
      from -= outShape[d]! * strides[d]!;
      index[d] = 0;
    }
  }
  return { ...array, shape: outShape, data: out };
}
