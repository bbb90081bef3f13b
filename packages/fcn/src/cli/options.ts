import { stat } from "node:fs/promises";
import { UsageError } from "./errors.js";

const LARGEST = 0xffffffff;

/** A parser for an option that takes a whole number of at least `least`. */
export function parseWhole(option: string, least: number): (value: string) => number {
  return (value) => {
    const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
    if (number >= least && number <= LARGEST) return number;
    throw new UsageError(`${option} is "${value}"`, `use a whole number from ${least} to ${LARGEST}`);
  };
}

/** Throws a UsageError when the folder to write to is something else. */
export async function checkOut(out: string): Promise<void> {
  const found = await stat(out).catch(() => undefined);
  if (found && !found.isDirectory())
    throw new UsageError(`--out ${out} is not a folder`, "name a new or existing folder");
}

/** A parser for an option that takes a number above 0. */
export function parseNumber(option: string): (value: string) => number {
  return (value) => {
    const number = value.trim() === "" ? Number.NaN : Number(value);
    if (number > 0 && Number.isFinite(number)) return number;
    throw new UsageError(`${option} is "${value}"`, "use a number above 0, such as 0.001 or 1e-3");
  };
}

/** A parser for a size such as 320x480: height, then width. */
export function parseSize(option: string): (value: string) => [height: number, width: number] {
  return (value) => {
    const [, height, width] = /^(\d{1,6})x(\d{1,6})$/.exec(value) ?? [];
    if (Number(height) >= 1 && Number(width) >= 1) return [Number(height), Number(width)];
    throw new UsageError(`${option} is "${value}"`, "use height x width in pixels, such as 320x480");
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
