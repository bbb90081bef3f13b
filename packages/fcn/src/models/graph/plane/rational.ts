import { invalidArgument } from "@fcn/tensor/internal";

/** An exact fraction in lowest terms with a positive denominator. */
export interface Rational {
  readonly num: number;
  readonly den: number;
}

/** The greatest common divisor, never negative. */
export function gcd(a: number, b: number): number {
  let [x, y] = [Math.abs(a), Math.abs(b)];
  // Also ends for infinite numbers, whose remainder is NaN.
  while (y > 0) [x, y] = [y, x % y];
  return x;
}

/** The least common multiple of two numbers above 0. */
export const lcm = (a: number, b: number): number => (a / gcd(a, b)) * b;

/** num / den. Throws `invalid-argument` unless both are safe integers and den is not 0. */
export function rational(num: number, den = 1): Rational {
  if (!Number.isSafeInteger(num) || !Number.isSafeInteger(den) || den === 0) {
    throw invalidArgument(
      `the fraction ${num} / ${den} must be of integers below 2^53, with a denominator other than 0`,
      "use smaller kernels, strides, dilations and paddings",
    );
  }
  const divisor = gcd(num, den) * Math.sign(den);
  // Adding 0 turns -0 into 0, so that equal fractions are deeply equal.
  return { num: num / divisor + 0, den: den / divisor };
}

export const add = (a: Rational, b: Rational): Rational => rational(a.num * b.den + b.num * a.den, a.den * b.den);
export const neg = (a: Rational): Rational => rational(-a.num, a.den);
export const sub = (a: Rational, b: Rational): Rational => add(a, neg(b));
export const mul = (a: Rational, b: Rational): Rational => rational(a.num * b.num, a.den * b.den);
export const div = (a: Rational, b: Rational): Rational => rational(a.num * b.den, a.den * b.num);
export const equals = (a: Rational, b: Rational): boolean => a.num === b.num && a.den === b.den;
export const format = (a: Rational): string => (a.den === 1 ? `${a.num}` : `${a.num}/${a.den}`);
