import type { Extent, Padding } from "./shape.js";

/** What the value of an option may be. */
export interface Rule<Value> {
  /** As it stands after "expected" or "must be". */
  readonly what: string;
  readonly holds: (value: unknown) => value is Value;
  /** Without a value the option is refused. */
  readonly isRequired?: boolean;
}

/** One rule for each of the options: without one, or with one of another type, the options do not compile. */
export type RulesOf<Options> = { readonly [Name in keyof Options]-?: Rule<NonNullable<Options[Name]>> };

export const rule = <Value>(what: string, holds: (value: unknown) => boolean): Rule<Value> => ({
  what,
  holds: holds as (value: unknown) => value is Value,
});

/** The same rule for an option that has no default. */
export const required = <Of extends Rule<unknown>>(of: Of): Of => ({ ...of, isRequired: true });

/** A number that `isGood`. */
export const number = (what: string, isGood: (value: number) => boolean): Rule<number> =>
  rule(what, (value) => typeof value === "number" && isGood(value));

/** A whole number from `least` to `most`. */
export const whole = (least: number, most = Number.MAX_SAFE_INTEGER): Rule<number> =>
  number(
    most === Number.MAX_SAFE_INTEGER
      ? `a whole number of at least ${least}`
      : `a whole number from ${least} to ${most}`,
    (value) => Number.isSafeInteger(value) && value >= least && value <= most,
  );

/** Any number but NaN and infinity. */
export const finite = number("a finite number", Number.isFinite);

/** Any whole number. */
export const integer = number("a whole number", Number.isSafeInteger);

/** A finite number above 0. */
export const positive = number("a number above 0", (value) => value > 0 && Number.isFinite(value));

/** A number from `least` to below `limit`. */
export const from = (least: number, limit = Number.POSITIVE_INFINITY): Rule<number> =>
  number(
    limit === Number.POSITIVE_INFINITY
      ? `a finite number of at least ${least}`
      : `a number from ${least} to below ${limit}`,
    (value) => value >= least && value < limit,
  );

/** A number from 0 to `most`, both included. */
export const upTo = (most: number): Rule<number> =>
  number(`a number from 0 to ${most}`, (value) => value >= 0 && value <= most);

export const probability = upTo(1);

export const seed = whole(0);

export const boolean: Rule<boolean> = rule("true or false", (value) => typeof value === "boolean");

/** One of some names. */
export const oneOf = <Name extends string | number>(...names: readonly Name[]): Rule<Name> =>
  rule(
    names
      .map((name) => JSON.stringify(name))
      .join(", ")
      .replace(/, (?!.*, )/, " or "),
    (value) => names.includes(value as Name),
  );

const isExtent = (value: unknown, least: number): boolean => {
  const sides = Array.isArray(value) ? value : [value, value];
  return sides.length === 2 && sides.every((side) => Number.isInteger(side) && side >= least);
};

/** One whole number of at least `least` for both sides of a plane, or [h, w]. */
export const extent = (least: number): Rule<Extent> =>
  rule(`a whole number of at least ${least} or [h, w] of such`, (value) => isExtent(value, least));

/** Zeros around an image: one number, [vertical, horizontal], or [[top, bottom], [left, right]]. */
export const padding: Rule<Padding> = rule(
  "a whole number of at least 0, [h, w] of such or [[top, bottom], [left, right]]",
  (value) => {
    const isNested = Array.isArray(value) && value.some((side) => typeof side !== "number");
    if (!isNested) return isExtent(value, 0);
    return value.length === 2 && value.every((side) => Array.isArray(side) && isExtent(side, 0));
  },
);

/** A list of which each item obeys the rule. */
export const listOf = <Item, Value extends readonly Item[] = readonly Item[]>(
  what: string,
  item: Rule<Item>,
  length?: number,
): Rule<Value> =>
  rule(
    what,
    (value) =>
      Array.isArray(value) &&
      (length === undefined ? value.length > 0 : value.length === length) &&
      value.every(item.holds),
  );

/** An option whose value is checked where it is used: a tensor, or one that depends on others. */
export const checkedInUse: Rule<never> = rule("a value", () => true);
