import type { Rule } from "@fcn/tensor";
import { rules } from "@fcn/tensor/internal";

/** How the text of a flag becomes a `Value`. */
export interface Reader<Value> {
  /** What the value may be, as it stands after "use" or "expected". */
  readonly what: string;
  /**
   * Returns undefined for text that is not such a value. `before` is the value from an earlier flag of the same name.
   */
  parse(text: string, before?: Value): Value | undefined;
  /** What to do about text that is no such value. Default: use what it may be. */
  readonly remedy?: (text: string) => string;
  /** All texts that it reads, where these are few enough to be named. */
  readonly names?: readonly string[];
}

/** What a value may be, whether it is given as text or in code. */
export interface FlagRule<Value> extends Rule<Value>, Reader<Value> {}

const numberOf = (text: string): number => (text.trim() === "" ? Number.NaN : Number(text));

/** A rule of numbers that reads them too. */
const readable = (rule: Rule<number>): FlagRule<number> => ({
  ...rule,
  parse: (text) => [numberOf(text)].find(rule.holds),
});

/** A number that satisfies `isGood`. */
export const number = (what: string, isGood: (value: number) => boolean): FlagRule<number> =>
  readable(rules.number(what, isGood));

const LARGEST = 0xffffffff;

/** A whole number from `least` to `most`. */
export function whole(least: number, most = LARGEST): FlagRule<number> {
  const rule = readable(rules.whole(least, most));
  return { ...rule, parse: (text) => (/^\d+$/.test(text) ? rule.parse(text) : undefined) };
}

/** A finite number above 0. */
export const positive = readable({ ...rules.positive, what: "a number above 0, such as 0.001 or 1e-3" });

/** A number from `least` to below `limit`. */
export const from = (least: number, limit?: number): FlagRule<number> => readable(rules.from(least, limit));

/** A number from 0 to `most`, both included. */
export const upTo = (most: number): FlagRule<number> => readable(rules.upTo(most));

/** A part of a whole. */
export const fraction = number("a number between 0 and 1, such as 0.2", (value) => value > 0 && value < 1);

/** One of several names. */
export const oneOf = <Name extends string>(names: readonly Name[]): FlagRule<Name> => ({
  ...rules.oneOf(...names),
  what: `one of: ${names.join(", ")}`,
  parse: (text) => names.find((name) => name === text),
  names,
});

/** What a rule allows, or a function, which only code can pass. */
export const orMaker = <Value>(of: Rule<Value>, made: string): Rule<Value> =>
  rules.rule(`${of.what}; or a function that makes ${made}`, (value) => typeof value === "function" || of.holds(value));

/** Names separated by commas. Only their user knows which exist. */
export function names(example: string): Reader<string[]> {
  return {
    what: `names with commas between them, such as ${example}`,
    parse: (text) => {
      const list = text.split(",").map((name) => name.trim());
      return list.every((name) => name !== "") ? list : undefined;
    },
  };
}

/** `480x640`, height first, or one number for both. */
export const size: Reader<[height: number, width: number]> = {
  what: "height x width in pixels, such as 480x640",
  parse: (text) => {
    const [, height, width = height] = /^([1-9]\d{0,6})(?:x([1-9]\d{0,6}))?$/i.exec(text) ?? [];
    return height === undefined ? undefined : [Number(height), Number(width)];
  },
};

/** Numbers with commas between them, each of which obeys `one`. */
export const numbers = (what: string, one: Rule<number>): FlagRule<readonly number[]> => ({
  ...rules.listOf(what, one),
  parse: (text) => {
    const list = text.split(",").map(numberOf);
    return list.every(one.holds) ? list : undefined;
  },
});

/** Names with numbers that obey `one`, commas between them; what is given later is added. */
export const factors = (what: string, one: Rule<number>): FlagRule<Readonly<Record<string, number>>> => ({
  ...rules.rule(what, (value) => {
    const list = typeof value === "object" ? Object.values(value ?? {}) : [];
    return list.length > 0 && list.every(one.holds);
  }),
  parse: (text, before = {}) => {
    const pairs = text.split(",").map((part): [string, number] => {
      const [, name = "", value = ""] = /^\s*([^=\s]+)=\s*(\S+)\s*$/.exec(part) ?? [];
      return [name, numberOf(value)];
    });
    return pairs.every(([, value]) => one.holds(value)) ? { ...before, ...Object.fromEntries(pairs) } : undefined;
  },
});

/** `name=value` of a flag that may be repeated. Values are JSON if they parse as such, otherwise text. */
export const assignments: Reader<Readonly<Record<string, unknown>>> = {
  what: "a name and a value, such as dropout=0.5",
  parse: (text, before = {}) => {
    const [, name, value] = /^([A-Za-z]\w*)=(.+)$/.exec(text) ?? [];
    return name === undefined || value === undefined ? undefined : { ...before, [name]: fromJson(value) };
  },
};

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Converts what `reader` reads into the value of an option, for a flag that is given once. */
export function mapped<From, To>({ what, parse }: Reader<From>, to: (value: From) => To): Reader<To> {
  return {
    what,
    parse: (text) => {
      const value = parse(text);
      return value === undefined ? undefined : to(value);
    },
  };
}
