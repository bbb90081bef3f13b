import type { Rule as RuleOf } from "@fcn/tensor";
import { rules } from "@fcn/tensor/internal";

/** Bounds beyond any net for images, so that a damaged or hostile file cannot ask for more. */
export const LIMITS = { name: 200, extent: 4096, channels: 2 ** 20 } as const;

/** What the value of a field must be. */
export type Rule = RuleOf<unknown>;

export const { boolean, finite, from, oneOf, positive, probability, rule, whole } = rules;

const isPair = (value: unknown, holds: (side: unknown) => boolean): boolean =>
  Array.isArray(value) && value.length === 2 && value.every(holds);

export function extent(least: number): Rule {
  const { what, holds } = whole(least, LIMITS.extent);
  return rule(`${what}, or two of them`, (value) => holds(value) || isPair(value, holds));
}

const isPadding = (value: unknown): boolean => {
  const { holds } = whole(0, LIMITS.extent);
  return extent(0).holds(value) || isPair(value, (sides) => isPair(sides, holds));
};
const paddingText = `whole numbers from 0 to ${LIMITS.extent}`;
export const sides = rule(paddingText, isPadding);
export const padding = rule(`${paddingText}, or "same"`, (value) => value === "same" || isPadding(value));

export const channels = whole(1, LIMITS.channels);
