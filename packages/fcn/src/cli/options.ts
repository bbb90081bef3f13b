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
