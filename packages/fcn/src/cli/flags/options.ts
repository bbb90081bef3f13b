import { stat } from "node:fs/promises";
import { list } from "../../models/index.js";
import { assignments, number, numbers, oneOf, positive, type Reader, size, whole } from "../../options/rules.js";
import { UsageError } from "../output/errors.js";

/** A parser for an option that a rule reads. `before` is the value from an earlier use of the option. */
export const readerOf =
  <Value>(option: string, { what, parse }: Reader<Value>): ((text: string, before?: Value) => Value) =>
  (text, before) => {
    const value = parse(text, before);
    if (value !== undefined) return value;
    throw new UsageError(`${option} is "${text}"`, `use ${what}`);
  };

/** A parser for a whole number from `least` to `most`. */
export const parseWhole = (option: string, least: number, most?: number): ((value: string) => number) =>
  readerOf(option, whole(least, most));

/** A parser for one number that satisfies `isGood`. */
export const parseOne = (
  option: string,
  what: string,
  isGood: (value: number) => boolean,
): ((value: string) => number) => readerOf(option, number(what, isGood));

/** A parser for a number above 0. */
export const parseNumber = (option: string): ((value: string) => number) => readerOf(option, positive);

/** A parser for a number above 0 and below 1. */
export const parseFraction = (option: string): ((value: string) => number) =>
  parseOne(option, "a number between 0 and 1, such as 0.2", (value) => value > 0 && value < 1);

/** A parser for numbers separated by commas, each of which satisfies `isGood`. */
export const parseNumbers = (
  option: string,
  what: string,
  isGood: (value: number) => boolean,
): ((value: string) => number[]) => readerOf(option, numbers(what, isGood));

/** A parser for `480x640`, height first, or one number for both. */
export const parseSize = (option: string): ((value: string) => [height: number, width: number]) =>
  readerOf(option, size);

/** A parser for one of several names. */
export const parseChoice = <T extends string>(option: string, names: readonly T[]): ((value: string) => T) =>
  readerOf(option, oneOf(names));

/** Parses the name of a net. */
export const parseModel = (value: string): string => readerOf("--model", oneOf(list()))(value);

/** A parser for some of the given words, separated by commas. */
export function parseWords<W extends string>(option: string, words: readonly W[]): (value: string) => W[] {
  return (value) => {
    const given = value.split(",").map((word) => word.trim());
    const unknown = given.find((word) => !words.includes(word as W));
    if (unknown === undefined) return [...new Set(given as W[])];
    throw new UsageError(`${option} is "${value}"`, `use some of ${words.join(",")}`);
  };
}

/** Throws if the name is empty or belongs to something other than a folder. */
export async function checkFolder(option: string, path: string): Promise<void> {
  if (path === "") throw new UsageError(`${option} is ""`, "name a new or existing folder");
  const found = await stat(path).catch(() => undefined);
  if (found && !found.isDirectory()) {
    throw new UsageError(`${option} ${path} is not a folder`, "name a new or existing folder");
  }
}

/** Collects `name=value` from an option that may be repeated. Values are JSON if they parse as such, otherwise text. */
export const collectSettings = (option: string) => readerOf(option, assignments);
