/** How the text of a flag becomes a `Value`. */
export interface Reader<Value> {
  /** What the value may be, worded to follow "use" or "must be". */
  readonly what: string;
  /**
   * Returns undefined for text that is not such a value. `before` is the value from an earlier flag of the same name.
   */
  parse(text: string, before?: Value): Value | undefined;
}

/** What a value may be, whether given as text or in code. */
export interface Rule<Value> extends Reader<Value> {
  holds(value: unknown): boolean;
  /** Whether a value that breaks the rule is an unknown name. */
  readonly isChoice?: boolean;
}

const numberOf = (text: string): number => (text.trim() === "" ? Number.NaN : Number(text));

/** A number that satisfies `isGood`. */
export function number(what: string, isGood: (value: number) => boolean): Rule<number> {
  const holds = (value: unknown): value is number => typeof value === "number" && isGood(value);
  const parse = (text: string): number | undefined => {
    const value = numberOf(text);
    return holds(value) ? value : undefined;
  };
  return { what, holds, parse };
}

const LARGEST = 0xffffffff;

/** A whole number from `least` to `most`. */
export function whole(least: number, most = LARGEST): Rule<number> {
  const what = `a whole number from ${least} to ${most}`;
  const rule = number(what, (value) => Number.isInteger(value) && value >= least && value <= most);
  return { ...rule, parse: (text) => (/^\d+$/.test(text) ? rule.parse(text) : undefined) };
}

/** A finite number above 0. */
export const positive = number(
  "a number above 0, such as 0.001 or 1e-3",
  (value) => value > 0 && Number.isFinite(value),
);

/** A number of at least 0 and below `limit`. */
export function fromZero(limit = Number.POSITIVE_INFINITY): Rule<number> {
  const what = `a number from 0 on${Number.isFinite(limit) ? `, below ${limit}` : ""}`;
  return number(what, (value) => value >= 0 && value < limit);
}

/** One of several names. */
export function oneOf<Name extends string>(names: readonly Name[]): Rule<Name> {
  return {
    what: `one of: ${names.join(", ")}`,
    holds: (value) => names.includes(value as Name),
    parse: (text) => names.find((name) => name === text),
    isChoice: true,
  };
}

/** What a rule allows, or a function, which only code can pass. */
export const orMaker = <Value>(rule: Rule<Value>, made: string): Rule<Value> => ({
  ...rule,
  what: `${rule.what}; or a function that makes ${made}`,
  holds: (value) => typeof value === "function" || rule.holds(value),
});

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

/** Numbers separated by commas, each of which satisfies `isGood`. */
export function numbers(what: string, isGood: (value: number) => boolean): Reader<number[]> {
  return {
    what,
    parse: (text) => {
      const list = text.split(",").map(numberOf);
      return list.every(isGood) ? list : undefined;
    },
  };
}

/** Names with numbers that satisfy `isGood`, separated by commas. Later flags add to earlier ones. */
export function factors(what: string, isGood: (value: number) => boolean): Reader<Readonly<Record<string, number>>> {
  return {
    what,
    parse: (text, before = {}) => {
      const pairs = text.split(",").map((part): [string, number] => {
        const [, name = "", value = ""] = /^\s*([^=\s]+)=\s*(\S+)\s*$/.exec(part) ?? [];
        return [name, numberOf(value)];
      });
      return pairs.every(([, value]) => isGood(value)) ? { ...before, ...Object.fromEntries(pairs) } : undefined;
    },
  };
}

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
