import { build, type Nd } from "@fcn/kernels/reference";

export { at, atOr, build, type Nd, replaced } from "@fcn/kernels/reference";

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
