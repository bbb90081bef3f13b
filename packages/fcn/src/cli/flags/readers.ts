import type { Reader } from "../../options/rules.js";
import { UsageError } from "../output/errors.js";

/** Some of the given words, separated by commas. */
export const someOf = <Word extends string>(words: readonly Word[]): Reader<readonly Word[]> => ({
  what: `some of ${words.join(",")}`,
  parse: (text) => {
    const given = new Set(text.split(",").map((word) => word.trim() as Word));
    return [...given].every((word) => words.includes(word)) ? [...given] : undefined;
  },
});

/** The regular expression of `--skip`. */
export const skipPattern: Reader<RegExp> = {
  what: "a regular expression",
  parse: (text) => {
    try {
      return new RegExp(text);
    } catch (error) {
      throw new UsageError(`--skip is "${text}": ${(error as Error).message}`, "use a regular expression");
    }
  },
};

/** `bird=stamps/birds,stamps/ducks`: a name with its folders, for a flag that may be repeated. */
export const foldersByName: Reader<Readonly<Record<string, readonly string[]>>> = {
  what: "a class and its folders, such as bird=stamps/birds",
  parse: (text, before = {}) => {
    const [, name, list] = /^([^=]+)=(.+)$/.exec(text) ?? [];
    if (name === undefined || list === undefined) return undefined;
    return { ...before, [name]: [...(before[name] ?? []), ...list.split(",")] };
  },
};
