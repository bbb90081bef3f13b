/** A dense float64 array in row-major order: the host side of the references. */
export interface Nd {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** An array whose element at each index is `value(index)`. */
export function build(shape: readonly number[], value: (index: readonly number[]) => number): Nd {
  const data = new Float64Array(sizeOf(shape));
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

/** The element at an index; dimensions of size 1 repeat and missing leading ones are ignored, as in broadcasting. */
export function at(x: Nd, index: readonly number[]): number {
  const lead = index.length - x.shape.length;
  return x.data[x.shape.reduce((sum, n, d) => sum * n + (n === 1 ? 0 : index[d + lead]!), 0)]!;
}

/** The element at an index, or `outside` where the index lies beyond the array. */
export function atOr(x: Nd, index: readonly number[], outside: number): number {
  return index.every((i, d) => i >= 0 && i < x.shape[d]!) ? at(x, index) : outside;
}

/** Pseudo-random numbers in [low, high), exact in float32 (mulberry32). */
export function random(shape: readonly number[], seed: number, low = -1, high = 1): Nd {
  let state = seed >>> 0;
  return build(shape, () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.fround(low + (((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * (high - low));
  });
}

export const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};

/** a + h b. */
export const step = (a: Nd, b: Nd, h: number): Nd => ({
  shape: a.shape,
  data: a.data.map((v, i) => v + h * b.data[i]!),
});

/** The list with one entry replaced. */
export const replaced = (list: readonly number[], i: number, value: number): number[] =>
  list.map((old, k) => (k === i ? value : old));
