import { at, build, type Nd, range, replaced } from "../nd.js";

/** The element of x at the place that `index` gives along a dim, NaN where there is none. */
export const gather = (x: Nd, index: Nd, dim: number): Nd =>
  build(index.shape, (i) => {
    const place = at(index, i);
    return place >= 0 && place < x.shape[dim]! ? at(x, replaced(i, dim, place)) : Number.NaN;
  });

/** The places of the elements along a dim in order, by a stable sort; NaN counts as larger than any number. */
export function argsort(x: Nd, dim: number, descending: boolean): Nd {
  const key = (v: number): number => (Number.isNaN(v) ? Number.POSITIVE_INFINITY : v);
  return build(x.shape, (i) => {
    const value = (place: number) => at(x, replaced(i, dim, place));
    const order = (a: number, b: number): number => {
      const [left, right] = descending ? [value(b), value(a)] : [value(a), value(b)];
      return key(left) - key(right) || Number(Number.isNaN(left)) - Number(Number.isNaN(right)) || 0;
    };
    return range(x.shape[dim]!).sort(order)[i[dim]!]!;
  });
}
