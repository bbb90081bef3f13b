import type { Extent, Padding } from "./shape.js";

/** The values that an option may have. */
export interface Rule<Value> {
  /** Completes "expected" or "must be" in messages. */
  readonly what: string;
  readonly holds: (value: unknown) => value is Value;
  /** Whether the option must be given. */
  readonly isRequired?: boolean;
}

/** One rule per option. Options without a rule, or with a rule of another type, do not compile. */
export type RulesOf<Options> = { readonly [Name in keyof Options]-?: Rule<NonNullable<Options[Name]>> };

export const rule = <Value>(what: string, holds: (value: unknown) => boolean): Rule<Value> => ({
  what,
  holds: holds as (value: unknown) => value is Value,
});

/** The same rule for an option that has no default. */
export const required = <Of extends Rule<unknown>>(of: Of): Of => ({ ...of, isRequired: true });

export const number = (what: string, isGood: (value: number) => boolean): Rule<number> =>
  rule(what, (value) => typeof value === "number" && isGood(value));

export const whole = (least: number, most = Number.MAX_SAFE_INTEGER): Rule<number> =>
  number(
    most === Number.MAX_SAFE_INTEGER
      ? `a whole number of at least ${least}`
      : `a whole number from ${least} to ${most}`,
    (value) => Number.isSafeInteger(value) && value >= least && value <= most,
  );

export const anyNumber = number("a number", () => true);

export const notNaN = number("a number other than NaN", (value) => !Number.isNaN(value));

export const finite = number("a finite number", Number.isFinite);

export const integer = number("a whole number", Number.isSafeInteger);

export const positive = number("a number above 0", (value) => value > 0 && Number.isFinite(value));

/** A number in [least, limit). */
export const from = (least: number, limit = Number.POSITIVE_INFINITY): Rule<number> =>
  number(
    limit === Number.POSITIVE_INFINITY
      ? `a finite number of at least ${least}`
      : `a number from ${least} to below ${limit}`,
    (value) => value >= least && value < limit,
  );

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

/** One number for both sides of a plane, or [h, w]. */
export const extent = (least: number): Rule<Extent> =>
  rule(`a whole number of at least ${least} or two of them as [h, w]`, (value) => isExtent(value, least));

export const padding: Rule<Padding> = rule(
  "a whole number of at least 0, two of them as [h, w] or [[top, bottom], [left, right]]",
  (value) => {
    const isNested = Array.isArray(value) && value.some((side) => typeof side !== "number");
    if (!isNested) return isExtent(value, 0);
    return value.length === 2 && value.every((side) => Array.isArray(side) && isExtent(side, 0));
  },
);

/** A list whose items all obey the rule. */
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

/** For options whose value is checked where it is used, such as tensors and options that depend on others. */
export const checkedInUse: Rule<never> = rule("a value", () => true);
