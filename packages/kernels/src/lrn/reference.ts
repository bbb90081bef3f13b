import { at, atOr, build, mean, type Nd, range } from "../nd.js";

/** torch.nn.functional.local_response_norm of x [N, C, ...], whose window begins size / 2 channels before its own. */
export const localResponseNorm = (x: Nd, o: { size: number; alpha: number; beta: number; k: number }): Nd =>
  build(x.shape, (i) => {
    const squares = range(o.size).map(
      (d) => atOr(x, [i[0]!, i[1]! + d - Math.floor(o.size / 2), ...i.slice(2)], 0) ** 2,
    );
    return at(x, i) / (o.k + o.alpha * mean(squares)) ** o.beta;
  });
