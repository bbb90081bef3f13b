import { invalidArgument, show } from "../../plain/errors.js";
import { copyStrided, rowMajorStrides } from "./dense.js";
import type { HostArray } from "./hostArray.js";

/**
 * The array with its dimensions in the order `dims` (numpy.transpose): dimension i of the result is dimension `dims[i]`
 * of the array. Throws `invalid-argument` unless `dims` lists each dimension once.
 */
export function permuteHostArray<A extends HostArray>(array: A, dims: readonly number[]): A {
  const { shape, data } = array;
  const sorted = [...dims].sort((a, b) => a - b);
  if (sorted.length !== shape.length || sorted.some((dim, i) => dim !== i)) {
    throw invalidArgument(
      `permuteHostArray: dims ${show(dims)} for an array of shape ${show(shape)}`,
      `name each of the dimensions 0 to ${shape.length - 1} once`,
    );
  }
  const outShape = dims.map((dim) => shape[dim] as number);
  const strides = rowMajorStrides(shape);
  const [from, to] = [data.slice(), data.slice()];
  copyStrided(
    outShape,
    data.BYTES_PER_ELEMENT,
    { bytes: from.buffer, offset: 0, strides: dims.map((dim) => strides[dim] as number) },
    { bytes: to.buffer, offset: 0, strides: rowMajorStrides(outShape) },
  );
  return { ...array, shape: outShape, data: to };
}
