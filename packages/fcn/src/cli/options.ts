import { stat } from "node:fs/promises";
import { list } from "../models/index.js";
import type { Reader } from "../options/rules.js";
import { UsageError } from "./errors.js";

/** A parser for an option that is read by a rule. `before` is what the option gave where it stood earlier. */
export const readerOf =
  <Value>(option: string, { what, parse }: Reader<Value>): ((text: string, before?: Value) => Value) =>
  (text, before) => {
    const value = parse(text, before);
    if (value !== undefined) return value;
    throw new UsageError(`${option} is "${text}"`, `use ${what}`);
  };

const LARGEST = 0xffffffff;

/** A parser for an option that takes a whole number of at least `least` and at most `most`. */
export function parseWhole(option: string, least: number, most = LARGEST): (value: string) => number {
  return (value) => {
    const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
    if (number >= least && number <= most) return number;
    throw new UsageError(`${option} is "${value}"`, `use a whole number from ${least} to ${most}`);
  };
}

/** A parser for an option that takes one number, which `isGood`. */
export function parseOne(option: string, what: string, isGood: (value: number) => boolean): (value: string) => number {
  return (value) => {
    const number = value.trim() === "" ? Number.NaN : Number(value);
    if (isGood(number)) return number;
    throw new UsageError(`${option} is "${value}"`, `use ${what}`);
  };
}

/** A parser for an option that takes a number above 0. */
export const parseNumber = (option: string): ((value: string) => number) =>
  parseOne(option, "a number above 0, such as 0.001 or 1e-3", (value) => value > 0 && Number.isFinite(value));

/** A parser for an option that takes a number from 0 on, below `limit`. */
export function parseFromZero(option: string, limit = Number.POSITIVE_INFINITY): (value: string) => number {
  return (value) => {
    const number = value.trim() === "" ? Number.NaN : Number(value);
    if (number >= 0 && number < limit) return number;
    throw new UsageError(
      `${option} is "${value}"`,
      `use a number from 0 on${Number.isFinite(limit) ? `, below ${limit}` : ""}`,
    );
  };
}

/** A parser for an option that takes a part of a whole: a number above 0 and below 1. */
export const parseFraction = (option: string): ((value: string) => number) =>
  parseOne(option, "a number between 0 and 1, such as 0.2", (value) => value > 0 && value < 1);

/** Numbers with commas between them, each of which `isGood`. */
export function parseNumbers(
  option: string,
  what: string,
  isGood: (value: number) => boolean,
): (value: string) => number[] {
  return (value) => {
    const numbers = value.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
    if (numbers.every(isGood)) return numbers;
    throw new UsageError(`${option} is "${value}"`, `use ${what}`);
  };
}

/** `480x640`, height first, or one number for both. */
export function parseSize(option: string): (value: string) => [height: number, width: number] {
  return (value) => {
    const [, height, width = height] = /^([1-9]\d{0,6})(?:x([1-9]\d{0,6}))?$/i.exec(value) ?? [];
    if (height !== undefined) return [Number(height), Number(width)];
    throw new UsageError(`${option} is "${value}"`, "use height x width in pixels, such as 480x640");
  };
}

/** A parser for an option that takes one of some names. */
export function parseChoice<T extends string>(option: string, names: readonly T[]): (value: string) => T {
  return (value) => {
    const found = names.find((name) => name === value);
    if (found !== undefined) return found;
    throw new UsageError(`${option} is "${value}"`, `use one of: ${names.join(", ")}`);
  };
}

/** The name of a net. */
export function parseModel(value: string): string {
  if (list().includes(value)) return value;
  throw new UsageError(`--model is "${value}"`, `use one of: ${list().join(", ")}`);
}

/** Some of the given words, with commas between them. */
export function parseWords<W extends string>(option: string, words: readonly W[]): (value: string) => W[] {
  return (value) => {
    const given = value.split(",").map((word) => word.trim());
    const unknown = given.find((word) => !words.includes(word as W));
    if (unknown === undefined) return [...new Set(given as W[])];
    throw new UsageError(`${option} is "${value}"`, `use some of ${words.join(",")}`);
  };
}

/** Names with numbers that are `isGood`, commas between them; what is given later is added. */
export function collectFactors(
  option: string,
  what: string,
  isGood: (value: number) => boolean,
): (value: string, before?: Readonly<Record<string, number>>) => Record<string, number> {
  return (value, before = {}) => {
    const pairs = value.split(",").map((part): [string, number] => {
      const [, name = "", number = ""] = /^\s*([^=\s]+)=\s*(\S+)\s*$/.exec(part) ?? [];
      return [name, number === "" ? Number.NaN : Number(number)];
    });
    if (pairs.every(([, number]) => isGood(number))) return { ...before, ...Object.fromEntries(pairs) };
    throw new UsageError(`${option} is "${value}"`, `use ${what}`);
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

/** Collects `name=value` of an option that is given many times; values are read as JSON where they are JSON, else as text. */
export function collectSettings(
  option: string,
): (value: string, before?: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>> {
  return (value, before = {}) => {
    const [, name, text] = /^([A-Za-z]\w*)=(.+)$/.exec(value) ?? [];
    if (name !== undefined && text !== undefined) return { ...before, [name]: fromJson(text) };
    throw new UsageError(`${option} is "${value}"`, "give a name and a value, such as dropout=0.5");
  };
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
