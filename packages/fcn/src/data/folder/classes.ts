import type { TensorError } from "@fcn/tensor";
import { reworded, showValue } from "@fcn/tensor/internal";
import { colourKey } from "../decode/rule.js";
import { fileError } from "../files/errors.js";
import { fileName, joinPath, kindOf, readJson, readLines, readText } from "../files/files.js";

/** One entry of `classes.json`. Its index among the entries that are not ignored is its label. */
export interface ClassEntry {
  readonly name: string;
  /** The colour of the class in the masks, 0xRRGGBB. */
  readonly colour?: number;
  /** The number of the class in the masks, if it is not the label. */
  readonly value?: number;
  /** True if its pixels are void. */
  readonly ignore?: boolean;
}

/**
 * Reads the classes that a folder itself names. `classes.json` is a list of names, or of `{ "name", "color", "value",
 * "ignore" }` with color as [r, g, b] or "#rrggbb"; `{ "classes": [...] }` is equivalent. Otherwise `class_names.txt`
 * is read, with one name per line (labelme2voc), or CVAT's `labelmap.txt`, with lines `name:r,g,b::`. Undefined if no
 * such file exists. Throws a TensorError that names the file.
 */
export async function readClasses(folder: string): Promise<readonly ClassEntry[] | undefined> {
  for (const name of CLASS_FILES) {
    const file = joinPath(folder, name);
    if ((await kindOf(file)) !== "file") continue;
    const entries = await readClassFile(file);
    const count = entries.filter(({ ignore }) => !ignore).length;
    if (count > 255)
      throw broken(file, `it lists ${count} classes, 1 to 255 are possible`, "list the classes to learn");
    FILES.set(entries, name);
    return entries;
  }
  return undefined;
}

/**
 * Reads one file of classes in the form that its name implies, see {@link readClasses}, otherwise as JSON or as lines.
 */
export async function readClassFile(file: string): Promise<readonly ClassEntry[]> {
  const read =
    new Map(Object.entries(READERS)).get(fileName(file)) ?? ((await isJson(file)) ? readClassList : readNames);
  const entries = await read(file);
  checkEntries(file, entries);
  return entries;
}

const isJson = async (file: string): Promise<boolean> => /\.json$/i.test(file) || /^\s*[[{]/.test(await readText(file));

const FILES = new WeakMap<readonly ClassEntry[], string>();

/** The name of the file that {@link readClasses} took the classes from. */
export const classFileOf = (entries: readonly ClassEntry[] | undefined): string | undefined =>
  entries && FILES.get(entries);

const READERS: Readonly<Record<string, (file: string) => Promise<ClassEntry[]>>> = {
  "classes.json": readClassList,
  "class_names.txt": readNames,
  "labelmap.txt": readLabelmap,
};

/** The names of the files that {@link readClasses} accepts; the first that exists is used. */
export const CLASS_FILES: readonly string[] = /* @__PURE__ */ Object.keys(READERS);

async function readClassList(file: string): Promise<ClassEntry[]> {
  const json = await readJson(file).catch((error: TensorError) => {
    const fix = `${error.fix}; ${SHAPE}`;
    throw error.code === "corrupt-file" ? reworded(error, { fix: { code: fix, command: fix } }) : error;
  });
  const list = Array.isArray(json) ? json : (json as { classes?: unknown } | null)?.classes;
  if (!Array.isArray(list) || list.length === 0) throw broken(file, "it is not a list of classes");
  return list.map((entry: unknown, i) => parseEntry(file, entry, i));
}

/** Labels are indices in the list; `__ignore__`, which labelme2voc stores as 255, does not count. */
async function readNames(file: string): Promise<ClassEntry[]> {
  const names = await readLines(file);
  return names.filter((name) => name !== "__ignore__").map((name) => ({ name }));
}

async function readLabelmap(file: string): Promise<ClassEntry[]> {
  const lines = (await readLines(file)).filter((line) => !line.startsWith("#"));
  return lines.map((line) => {
    const [, name, ...rgb] = /^(.+?):(\d+),(\d+),(\d+)(?::.*)?$/.exec(line) ?? [];
    if (name === undefined) {
      const fix =
        "write one class per line as name:r,g,b::, or write a classes.json, which is read in place of this file";
      throw fileError("invalid-classes", file, `"${line}" is not a line of a label map`, fix);
    }
    return { name, colour: parseColour(file, name, rgb.map(Number)) };
  });
}

const SHAPE =
  'write it as ["sky", "road"], or as [{ "name": "sky", "color": "#0000ff", "value": 3 }, ...] where color is what RGB masks show and value what other masks store';

const broken = (file: string, problem: string, fix = shapeOf(file)): TensorError =>
  fileError("invalid-classes", file, problem, fix);

/** Describes how the file writes its classes. */
function shapeOf(file: string): string {
  if (file.endsWith("labelmap.txt")) return "write one class per line as name:r,g,b::";
  return file.endsWith(".txt") ? "write one name per line" : SHAPE;
}

/** The largest value in a 16-bit PNG. */
const LARGEST_VALUE = 65535;
const KEYS = ["name", "color", "colour", "value", "ignore"];
/** Names that other tools use for the number or the colour in the masks. */
const OTHER_NAMES: readonly (readonly [pattern: RegExp, key: string])[] = [
  [/^(id|index|idx|label|number|code|gr[ae]y|pixel|train_?id|(class|category|label)_?(id|index))$/i, "value"],
  [/^(rgb|hex|colou?rs?|palette|color_?rgb)$/i, "color"],
  [/^(label_?name|class_?name|title|class|category)$/i, "name"],
  [/^(ignored|void|ignore_?in_?eval)$/i, "ignore"],
];

function parseEntry(file: string, entry: unknown, index: number): ClassEntry {
  if (typeof entry === "string" && entry.trim() !== "") return { name: entry };
  if (typeof entry === "string") throw broken(file, `entry ${index} has no name`);
  if (typeof entry !== "object" || entry === null || Array.isArray(entry)) {
    throw broken(file, `entry ${index} is ${showValue(entry)}, neither a name nor { "name", ... }`);
  }
  const { name, color, colour, value, ignore } = entry as Record<string, unknown>;
  const stray = Object.keys(entry).find((key) => !KEYS.includes(key));
  if (stray !== undefined) throw unknownKey(file, index, stray, entry as Record<string, unknown>);
  if (typeof name !== "string" || name.trim() === "") throw broken(file, `entry ${index} has no name`);
  const paint = color ?? colour;
  const isNumber = typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= LARGEST_VALUE;
  if (value !== undefined && !isNumber) {
    const problem = `the value of "${name}" is ${showValue(value)}, but must be a whole number from 0 to ${LARGEST_VALUE}`;
    throw broken(file, problem);
  }
  if (ignore !== undefined && typeof ignore !== "boolean") {
    throw broken(file, `ignore of "${name}" is ${showValue(ignore)}, but must be true or false`);
  }
  return {
    name,
    ...(paint === undefined ? {} : { colour: parseColour(file, name, paint) }),
    ...(isNumber ? { value } : {}),
    ...(ignore === true ? { ignore } : {}),
  };
}

function unknownKey(file: string, index: number, key: string, entry: Record<string, unknown>): TensorError {
  const isName = entry.name === undefined && typeof entry[key] === "string";
  const meant = isName ? "name" : OTHER_NAMES.find(([pattern]) => pattern.test(key))?.[1];
  const what = { value: "the number in the masks", color: "the colour in the masks" }[meant ?? ""] ?? "it";
  const fix = meant ? `the key for ${what} is "${meant}"` : `the keys are "name", "color", "value" and "ignore"`;
  return broken(file, `entry ${index} has the unknown key "${key}"`, fix);
}

function parseColour(file: string, name: string, colour: unknown): number {
  if (typeof colour === "string" && /^#?[0-9a-f]{6}$/i.test(colour))
    return Number.parseInt(colour.replace("#", ""), 16);
  const isByte = (value: unknown): value is number =>
    Number.isInteger(value) && Number(value) >= 0 && Number(value) < 256;
  if (Array.isArray(colour) && colour.length === 3 && colour.every(isByte)) {
    return colourKey(...(colour as [number, number, number]));
  }
  const text = showValue(colour);
  throw broken(file, `the colour of "${name}" is ${text}, but must be [r, g, b] of 0 to 255 or "#rrggbb"`);
}

function checkEntries(file: string, entries: readonly ClassEntry[]): void {
  const real = entries.filter(({ ignore }) => !ignore);
  if (real.length === 0) throw broken(file, "it lists 0 classes, 1 to 255 are possible", "list the classes to learn");
  const coloured = entries.filter(({ colour }) => colour !== undefined);
  const valued = real.filter(({ value }) => value !== undefined);
  for (const [what, all, having] of [
    ["colour", entries, coloured],
    ["value", real, valued],
  ] as const) {
    const without = all.find((entry) => entry[what] === undefined)?.name;
    if (having.length === 0 || without === undefined) continue;
    throw broken(
      file,
      `"${without}" has no ${what}, but other classes have one`,
      `give each class its ${what}, or none`,
    );
  }
  for (const [what, values] of [
    ["name", entries.map(({ name }) => name)],
    ["colour", coloured.map(({ colour }) => colour)],
    ["value", entries.map(({ value }) => value).filter((value) => value !== undefined)],
  ] as const) {
    const twice = values.find((value, i) => values.indexOf(value as never) !== i);
    if (twice === undefined) continue;
    const text = what === "colour" ? `#${twice.toString(16).padStart(6, "0")}` : twice;
    throw broken(file, `two classes have the ${what} ${text}`, `give each class a ${what} of its own`);
  }
}
