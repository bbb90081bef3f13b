/** Half the distance of neighbouring float16 numbers: as a share of them, and among the smallest. */
export const UNIT = 2 ** -11;
export const TINY = 2 ** -25;

/** The float16 number nearest to v, of two the even one, as IEEE 754 defines it; from 65520 on infinite. */
export function roundedToHalf(v: number): number {
  if (!Number.isFinite(v) || v === 0) return v;
  const size = Math.abs(v);
  const exponent = Math.max(-14, Math.floor(Math.log2(size)));
  const spacing = 2 ** (exponent - 10);
  const steps = size / spacing;
  const below = Math.floor(steps);
  const rest = steps - below;
  const up = rest > 0.5 || (rest === 0.5 && below % 2 === 1);
  const rounded = (below + (up ? 1 : 0)) * spacing;
  return Math.sign(v) * (rounded > 65504 ? Number.POSITIVE_INFINITY : rounded);
}
