import { at, build, type Nd, range, replaced } from "../nd.js";

const line = (x: Nd, index: readonly number[], dim: number): number[] =>
  range(x.shape[dim]!).map((v) => at(x, replaced(index, dim, v)));

/** exp(x) / sum exp(x) along a dimension, with every term taken relative to its own element. */
export const softmax = (x: Nd, dim: number): Nd =>
  build(x.shape, (i) => 1 / line(x, i, dim).reduce((sum, v) => sum + Math.exp(v - at(x, i)), 0));

/** The logarithm of {@link softmax}. */
export function logSoftmax(x: Nd, dim: number): Nd {
  const y = softmax(x, dim);
  return { shape: y.shape, data: y.data.map(Math.log) };
}
