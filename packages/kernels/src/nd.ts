import { product } from "./plan.js";

/** A dense float64 array in row-major order, which the references take and return. */
export interface Nd {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** An array whose element at each index is `value(index)`. */
export function build(shape: readonly number[], value: (index: readonly number[]) => number): Nd {
  const data = new Float64Array(product(shape));
  const index = shape.map(() => 0);
  for (let i = 0; i < data.length; i++) {
    data[i] = value(index);
    for (let d = shape.length - 1; d >= 0; d--) {
      index[d]!++;
      if (index[d]! < shape[d]!) break;
      index[d] = 0;
    }
  }
  return { shape: [...shape], data };
}

/** The element at an index. As in broadcasting, dimensions of size 1 repeat and missing leading ones are ignored. */
export function at(x: Nd, index: readonly number[]): number {
  const lead = index.length - x.shape.length;
  return x.data[x.shape.reduce((sum, n, d) => sum * n + (n === 1 ? 0 : index[d + lead]!), 0)]!;
}

/** The element at an index, or `outside` where the index lies beyond the array. */
export function atOr(x: Nd, index: readonly number[], outside: number): number {
  return index.every((i, d) => i >= 0 && i < x.shape[d]!) ? at(x, index) : outside;
}

/** The list with one entry replaced. */
export const replaced = (list: readonly number[], i: number, value: number): number[] =>
  list.map((old, k) => (k === i ? value : old));

/** 0, 1, … n - 1. */
export const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

export const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
