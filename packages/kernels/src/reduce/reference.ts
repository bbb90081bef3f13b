import { at, build, type Nd } from "../nd.js";

/** `fold` of the elements along `dims`, for each index of the others. */
export function reduce(x: Nd, dims: readonly number[], keepdim: boolean, fold: (values: number[]) => number): Nd {
  const kept = x.shape.map((n, d) => (dims.includes(d) ? 1 : n));
  const y = build(kept, (i) => {
    const box = x.shape.map((n, d) => (dims.includes(d) ? n : 1));
    const values: number[] = [];
    build(box, (b) =>
      values.push(
        at(
          x,
          i.map((v, d) => v + b[d]!),
        ),
      ),
    );
    return fold(values);
  });
  return keepdim ? y : { shape: x.shape.filter((_, d) => !dims.includes(d)), data: y.data };
}
