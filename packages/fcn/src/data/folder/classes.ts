import type { TensorError } from "@fcn/tensor";
import { colourKey } from "../decode/rule.js";
import { damagedFile } from "../errors.js";
import { joinPath, kindOf, readJson } from "../files.js";

/** One entry of `classes.json`. Its place in the list is its label, unless it is to be ignored. */
export interface ClassEntry {
  readonly name: string;
  /** The colour in the masks, 0xRRGGBB. */
  readonly colour?: number;
  /** The number in the masks, where it is not the label. */
  readonly value?: number;
  /** Its pixels are void. */
  readonly ignore?: boolean;
}

/**
 * The classes that a folder names itself: `classes.json` is a list of names, or of `{ "name", "color", "value", "ignore" }` where color is
 * [r, g, b] or "#rrggbb"; `{ "classes": [...] }` is the same. Undefined when there is no such file. Throws a TensorError that names the file.
 */
export async function readClasses(folder: string): Promise<readonly ClassEntry[] | undefined> {
  const file = joinPath(folder, "classes.json");
  if ((await kindOf(file)) === undefined) return undefined;
  const json = await readJson(file);
  const list = Array.isArray(json) ? json : (json as { classes?: unknown } | null)?.classes;
  if (!Array.isArray(list) || list.length === 0) throw damagedFile(file, "it is not a list of classes");
  const entries = list.map((entry: unknown, i) => parseEntry(file, entry, i));
  checkEntries(file, entries);
  return entries;
}

/** Of a PNG of 16 bits. */
const LARGEST_VALUE = 65535;

function parseEntry(file: string, entry: unknown, index: number): ClassEntry {
  if (typeof entry === "string") return { name: entry };
  const { name, color, colour, value, ignore } = (entry ?? {}) as Record<string, unknown>;
  if (typeof name !== "string") throw damagedFile(file, `entry ${index} has no name`);
  const paint = color ?? colour;
  const isNumber = typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= LARGEST_VALUE;
  if (value !== undefined && !isNumber) {
    const problem = `the value of "${name}" is ${JSON.stringify(value)}, but must be a whole number from 0 to ${LARGEST_VALUE}`;
    throw damagedFile(file, problem);
  }
  return {
    name,
    ...(paint === undefined ? {} : { colour: parseColour(file, name, paint) }),
    ...(isNumber ? { value } : {}),
    ...(ignore === true ? { ignore } : {}),
  };
}

function parseColour(file: string, name: string, colour: unknown): number {
  if (typeof colour === "string" && /^#?[0-9a-f]{6}$/i.test(colour))
    return Number.parseInt(colour.replace("#", ""), 16);
  const isByte = (value: unknown): value is number =>
    Number.isInteger(value) && Number(value) >= 0 && Number(value) < 256;
  if (Array.isArray(colour) && colour.length === 3 && colour.every(isByte)) {
    return colourKey(...(colour as [number, number, number]));
  }
  const text = JSON.stringify(colour);
  throw damagedFile(file, `the colour of "${name}" is ${text}, but must be [r, g, b] of 0 to 255 or "#rrggbb"`);
}

function checkEntries(file: string, entries: readonly ClassEntry[]): void {
  const real = entries.filter(({ ignore }) => !ignore);
  if (real.length === 0 || real.length > 255)
    throw damagedFile(file, `it lists ${real.length} classes, 1 to 255 are possible`);
  const coloured = entries.filter(({ colour }) => colour !== undefined);
  if (coloured.length > 0 && coloured.length < entries.length) {
    const without = entries.find(({ colour }) => colour === undefined)?.name;
    throw damagedFile(file, `"${without}" has no colour, but other classes have one`);
  }
  for (const [what, values] of [
    ["name", entries.map(({ name }) => name)],
    ["colour", coloured.map(({ colour }) => colour)],
    ["value", entries.map(({ value }) => value).filter((value) => value !== undefined)],
  ] as const) {
    const twice = values.find((value, i) => values.indexOf(value as never) !== i);
    if (twice !== undefined)
      throw duplicate(file, what, what === "colour" ? `#${twice.toString(16).padStart(6, "0")}` : twice);
  }
}

function duplicate(file: string, what: string, value: string | number): TensorError {
  return damagedFile(file, `two classes have the ${what} ${value}`);
}
