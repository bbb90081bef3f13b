import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  add,
  div,
  equals,
  format,
  gcd,
  lcm,
  mul,
  neg,
  rational,
  sub,
} from "../../../../../packages/fcn/src/models/graph/plane/rational.js";

const whole = (min: number, max: number) => fc.integer({ min, max });
const fraction = fc.tuple(whole(-60, 60), whole(1, 60)).map(([num, den]) => rational(num, den));
const numberOf = ({ num, den }: { num: number; den: number }): number => num / den;

describe("a fraction", () => {
  it("is in lowest terms with a positive denominator", () => {
    expect(rational(6, 4)).toEqual({ num: 3, den: 2 });
    expect(rational(6, -4)).toEqual({ num: -3, den: 2 });
    expect(rational(-6, -4)).toEqual({ num: 3, den: 2 });
    expect(rational(5)).toEqual({ num: 5, den: 1 });
    expect(Object.is(rational(0, -7).num, 0)).toBe(true);
    expect(rational(0, -7)).toEqual({ num: 0, den: 1 });
  });

  it("is refused unless it has two safe integers, of which the lower one is not 0", () => {
    for (const [num, den] of [
      [1, 0],
      [1.5, 1],
      [1, 1.5],
      [2 ** 53, 1],
      [1, 2 ** 53],
      [Number.NaN, 1],
    ] as const) {
      expect(() => rational(num, den)).toThrow(`${num} / ${den} must be of integers below 2^53`);
    }
  });

  it("is added, subtracted, multiplied and divided exactly", () => {
    fc.assert(
      fc.property(fraction, fraction, (a, b) => {
        expect(numberOf(add(a, b))).toBeCloseTo(numberOf(a) + numberOf(b), 12);
        expect(numberOf(sub(a, b))).toBeCloseTo(numberOf(a) - numberOf(b), 12);
        expect(numberOf(mul(a, b))).toBeCloseTo(numberOf(a) * numberOf(b), 12);
        expect(add(a, neg(a))).toEqual({ num: 0, den: 1 });
        if (b.num !== 0) expect(mul(div(a, b), b)).toEqual(a);
        expect(equals(sub(add(a, b), b), a)).toBe(true);
      }),
    );
  });

  it("equals one with the same terms only, and is written without a denominator of 1", () => {
    expect(equals(rational(1, 2), rational(2, 4))).toBe(true);
    expect(equals(rational(1, 2), rational(1, 3))).toBe(false);
    expect(equals(rational(1, 3), rational(2, 3))).toBe(false);
    expect([rational(-1, 2), rational(4, 2)].map(format)).toEqual(["-1/2", "2"]);
  });
});

describe("divisors and multiples", () => {
  it("are the greatest and the least that two numbers share", () => {
    fc.assert(
      fc.property(whole(1, 90), whole(1, 90), (a, b) => {
        const divisors = Array.from({ length: 90 }, (_, i) => i + 1).filter((n) => a % n === 0 && b % n === 0);
        expect(gcd(a, b)).toBe(divisors.at(-1));
        expect(gcd(-a, b)).toBe(gcd(a, b));
        expect(gcd(a, -b)).toBe(gcd(a, b));
        expect(lcm(a, b) * gcd(a, b)).toBe(a * b);
      }),
    );
    expect([gcd(0, 6), gcd(6, 0), gcd(0, 0)]).toEqual([6, 6, 0]);
  });

  it("are found for infinite numbers too", () => {
    expect(gcd(5, Number.POSITIVE_INFINITY)).toBe(5);
    expect(gcd(Number.POSITIVE_INFINITY, 5)).toBe(5);
  });
});
