import { kindOf, readText } from "../data/files/files.js";
import { parseJson } from "../data/files/json.js";
import { shownValue } from "../data/files/numbers.js";
import { UsageError } from "./errors.js";

/**
 * Of a file, one a line or a JSON list as in classes.json; else the names themselves, with commas between them. Throws a TensorError that names a
 * file which is absent or is not JSON, and a UsageError where names are empty or the same.
 */
export async function classNames(value: string): Promise<string[]> {
  const names = ((await isFile(value)) ? await namesIn(value) : value.split(",")).map((name) => name.trim());
  const isGood = names.length > 0 && names.every((name) => name !== "") && new Set(names).size === names.length;
  if (isGood) return names;
  throw new UsageError(
    `--classes is "${value}"`,
    "use different names with commas between them, or a file with one a line or a JSON list",
  );
}

/** Whether the value means a file, which may be absent: a mistyped path is no class. */
async function isFile(value: string): Promise<boolean> {
  if (/\.(json|txt)$/i.test(value) || (/[/\\]/.test(value) && !value.includes(","))) return true;
  // Many names are longer than a path may be.
  return (await kindOf(value).catch(() => undefined)) === "file";
}

async function namesIn(file: string): Promise<string[]> {
  const text = await readText(file);
  const isJson = /\.json$/i.test(file) || /^\s*[[{]/.test(text);
  if (!isJson) return text.split("\n").filter((line) => line.trim() !== "");
  const json = parseJson(file, text);
  const entries: unknown = Array.isArray(json) ? json : (json as { classes?: unknown } | null)?.classes;
  if (!Array.isArray(entries)) {
    throw new UsageError(
      `--classes is "${file}", which holds no list of classes`,
      'write a JSON list there, such as ["sky", "sea"], or the list under "classes"',
    );
  }
  const scored = entries.filter((entry) => entry?.ignore !== true);
  return scored.map((entry) => {
    const name: unknown = typeof entry === "string" ? entry : entry?.name;
    if (typeof name === "string") return name;
    throw new UsageError(
      `--classes is "${file}", where a class has the name ${shownValue(name)}`,
      "write each name there as text in quotation marks",
    );
  });
}
