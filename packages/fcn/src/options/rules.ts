/** How the text of a flag becomes a value; `Value` is that of the option. */
export interface Reader<Value> {
  /** What the value may be, as it stands after "use" or "must be". */
  readonly what: string;
  /** Undefined for a text that is no such value. `before` is what an earlier flag of the same name gave. */
  parse(text: string, before?: Value): Value | undefined;
}

/** What a value may be, whether it is given as text or in code. */
export interface Rule<Value> extends Reader<Value> {
  holds(value: unknown): boolean;
  /** A value that breaks the rule is a name that nobody knows. */
  readonly isChoice?: boolean;
}

const numberOf = (text: string): number => (text.trim() === "" ? Number.NaN : Number(text));

/** A number that `isGood`. */
export function number(what: string, isGood: (value: number) => boolean): Rule<number> {
  const holds = (value: unknown): value is number => typeof value === "number" && isGood(value);
  const parse = (text: string): number | undefined => {
    const value = numberOf(text);
    return holds(value) ? value : undefined;
  };
  return { what, holds, parse };
}

const LARGEST = 0xffffffff;

/** A whole number of at least `least` and at most `most`. */
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

/** A number from 0 on, below `limit`. */
export function fromZero(limit = Number.POSITIVE_INFINITY): Rule<number> {
  const what = `a number from 0 on${Number.isFinite(limit) ? `, below ${limit}` : ""}`;
  return number(what, (value) => value >= 0 && value < limit);
}

/** One of some names. */
export function oneOf<Name extends string>(names: readonly Name[]): Rule<Name> {
  return {
    what: `one of: ${names.join(", ")}`,
    holds: (value) => names.includes(value as Name),
    parse: (text) => names.find((name) => name === text),
    isChoice: true,
  };
}

/** What a rule allows, or a function, which code may pass and no text can give. */
export const orMaker = <Value>(rule: Rule<Value>, made: string): Rule<Value> => ({
  ...rule,
  what: `${rule.what}; or a function that makes ${made}`,
  holds: (value) => typeof value === "function" || rule.holds(value),
});

/** Names with commas between them; only whoever uses them knows which there are. */
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

/** Numbers with commas between them, each of which `isGood`. */
export function numbers(what: string, isGood: (value: number) => boolean): Reader<number[]> {
  return {
    what,
    parse: (text) => {
      const list = text.split(",").map(numberOf);
      return list.every(isGood) ? list : undefined;
    },
  };
}

/** Names with numbers that are `isGood`, commas between them; what is given later is added. */
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

/** `name=value` of a flag that is given many times; values are read as JSON where they are JSON, else as text. */
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

/** What `reader` reads, made into the value of an option; for a flag that is given once. */
export function mapped<From, To>({ what, parse }: Reader<From>, to: (value: From) => To): Reader<To> {
  return {
    what,
    parse: (text) => {
      const value = parse(text);
      return value === undefined ? undefined : to(value);
    },
  };
}
