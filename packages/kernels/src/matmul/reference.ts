import { at, build, type Nd, range } from "../nd.js";

/** a [..., M, K] times b [..., K, N] into `shape`. */
export const matmul = (a: Nd, b: Nd, shape: readonly number[]): Nd =>
  build(shape, (i) => {
    const [batch, [m, n]] = [i.slice(0, -2), i.slice(-2)];
    return range(a.shape.at(-1)!).reduce((sum, k) => sum + at(a, [...batch, m!, k]) * at(b, [...batch, k, n!]), 0);
  });
