import { stat } from "node:fs/promises";
import { list } from "../models/index.js";
import { oneOf, type Reader } from "../options/rules.js";
import { UsageError } from "./errors.js";

/** A parser for an option that is read by a rule. `before` is what the option gave where it stood earlier. */
export const readerOf =
  <Value>(option: string, { what, parse }: Reader<Value>): ((text: string, before?: Value) => Value) =>
  (text, before) => {
    const value = parse(text, before);
    if (value !== undefined) return value;
    throw new UsageError(`${option} is "${text}"`, `use ${what}`);
  };

/** The name of a net. */
export const parseModel = readerOf("--model", oneOf(list()));

/** Some of the given words, with commas between them. */
export function parseWords<W extends string>(option: string, words: readonly W[]): (value: string) => W[] {
  return (value) => {
    const given = value.split(",").map((word) => word.trim());
    const unknown = given.find((word) => !words.includes(word as W));
    if (unknown === undefined) return [...new Set(given as W[])];
    throw new UsageError(`${option} is "${value}"`, `use some of ${words.join(",")}`);
  };
}

/** Throws where the name is empty, or something other than a folder has it. */
export async function checkFolder(option: string, path: string): Promise<void> {
  if (path === "") throw new UsageError(`${option} is ""`, "name a new or existing folder");
  const found = await stat(path).catch(() => undefined);
  if (found && !found.isDirectory()) {
    throw new UsageError(`${option} ${path} is not a folder`, "name a new or existing folder");
  }
}
