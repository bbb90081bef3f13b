import { TensorError } from "@fcn/tensor";
import { kindOf } from "../../data/files/files.js";
import { readClassFile } from "../../data/folder/classes.js";
import { UsageError } from "../output/errors.js";

/**
 * Of a file, one a line or a JSON list as in classes.json; else the names themselves, with commas between them. Throws
 * a TensorError that names a file which is absent or is not JSON, and a UsageError where names are empty or the same.
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
  const entries = await readClassFile(file).catch((error: unknown) => {
    if (!(error instanceof TensorError) || error.code !== "invalid-classes") throw error;
    throw new UsageError(`--classes is "${file}", which holds no list of classes: ${error.message}`, error.fix);
  });
  return entries.filter(({ ignore }) => !ignore).map(({ name }) => name);
}
