import { stat } from "node:fs/promises";
import { list } from "../../models/index.js";
import { oneOf, type Reader } from "../../options/rules.js";
import { UsageError } from "../output/errors.js";

/** A parser for an option that a rule reads. `before` is the value from an earlier use of the option. */
export const readerOf =
  <Value>(option: string, { what, parse }: Reader<Value>): ((text: string, before?: Value) => Value) =>
  (text, before) => {
    const value = parse(text, before);
    if (value !== undefined) return value;
    throw new UsageError(`${option} is "${text}"`, `use ${what}`);
  };

/** Parses the name of a net. */
export const parseModel = readerOf("--model", oneOf(list()));

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
