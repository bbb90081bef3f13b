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

/** One of some names. */
export function oneOf<Name extends string>(names: readonly Name[]): Rule<Name> {
  return {
    what: `one of: ${names.join(", ")}`,
    holds: (value) => names.includes(value as Name),
    parse: (text) => names.find((name) => name === text),
  };
}

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
