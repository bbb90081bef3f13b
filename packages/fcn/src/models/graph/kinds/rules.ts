/** Bounds beyond any net for images, so that a damaged or hostile file cannot ask for more. */
export const LIMITS = { name: 200, extent: 4096, channels: 2 ** 20 } as const;

/** What the value of a field must be. */
export interface Rule {
  readonly holds: (value: unknown) => boolean;
  readonly text: string;
}

const isWhole = (value: unknown, least: number, most: number): boolean =>
  Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
export const isReal = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
const isPair = (value: unknown, holds: (side: unknown) => boolean): boolean =>
  Array.isArray(value) && value.length === 2 && value.every(holds);

export const whole = (least: number, most: number): Rule => ({
  holds: (value) => isWhole(value, least, most),
  text: `a whole number from ${least} to ${most}`,
});
export const extent = (least: number): Rule => {
  const isSide = (value: unknown): boolean => isWhole(value, least, LIMITS.extent);
  return {
    holds: (value) => isSide(value) || isPair(value, isSide),
    text: `a whole number from ${least} to ${LIMITS.extent}, or two of them`,
  };
};
const isPadding = (value: unknown): boolean => {
  const isSide = (side: unknown): boolean => isWhole(side, 0, LIMITS.extent);
  return isSide(value) || isPair(value, isSide) || isPair(value, (sides) => isPair(sides, isSide));
};
const paddingText = `whole numbers from 0 to ${LIMITS.extent}`;
export const sides: Rule = { holds: isPadding, text: paddingText };
export const padding: Rule = {
  holds: (value) => value === "same" || isPadding(value),
  text: `${paddingText}, or "same"`,
};
export const flag: Rule = { holds: (value) => typeof value === "boolean", text: "true or false" };
export const real: Rule = { holds: isReal, text: "a number" };
export const above0: Rule = { holds: (value) => isReal(value) && value > 0, text: "a number above 0" };
export const share: Rule = {
  holds: (value) => isReal(value) && value >= 0 && value <= 1,
  text: "a number from 0 to 1",
};
export const part: Rule = {
  holds: (value) => isReal(value) && value >= 0 && value < 1,
  text: "a number from 0 to below 1",
};
export const oneOf = (...names: readonly string[]): Rule => ({
  holds: (value) => names.includes(value as string),
  text: names.map((name) => JSON.stringify(name)).join(" or "),
});

export const channels = whole(1, LIMITS.channels);
