import { TensorError } from "@fcn/tensor";
import { kindOf } from "../data/files/files.js";
import { readClassFile } from "../data/folder/classes.js";
import { UsageError } from "./errors.js";

/**
 * The names in a file (one per line, or a JSON list as in classes.json), or the value itself as names separated by
 * commas. Throws a TensorError that names a file that is missing or not JSON, and a UsageError if names are empty or
 * repeated.
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

/** Whether the value means a file, even a missing one, so that a mistyped path does not become a class. */
async function isFile(value: string): Promise<boolean> {
  if (/\.(json|txt)$/i.test(value) || (/[/\\]/.test(value) && !value.includes(","))) return true;
  // Many names together may be longer than a path can be.
  return (await kindOf(value).catch(() => undefined)) === "file";
}

async function namesIn(file: string): Promise<string[]> {
  const entries = await readClassFile(file).catch((error: unknown) => {
    if (!(error instanceof TensorError) || error.code !== "invalid-classes") throw error;
    throw new UsageError(`--classes is "${file}", which holds no list of classes: ${error.message}`, error.fix);
  });
  return entries.filter(({ ignore }) => !ignore).map(({ name }) => name);
}
