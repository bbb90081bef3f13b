import { lstat, realpath } from "node:fs/promises";
import { join, resolve } from "node:path";
import { TensorError } from "@fcn/tensor";
import type { Manifest } from "./manifest.js";
import { nameIn, realName } from "./paths.js";

/** An input after which results are named. */
export interface Named {
  /** A path without an extension. */
  readonly stem: string;
  /** The file that must not be overwritten, if there is one. */
  readonly path?: string;
}

/**
 * The paths in `root` of each input's results, one per suffix. They become `stem-2`, `stem-3`, … if another result has
 * the name already, or if it is an input, by any path to the same file.
 */
export async function nameOutputs(
  root: string,
  suffixes: readonly string[],
  inputs: readonly Named[],
): Promise<string[][]> {
  const folders = new Map<string, Promise<string>>();
  const keyOf = async (path: string): Promise<string> => sameCase(await realName(path, folders));
  const taken = new Set<string>();
  for (const { path } of inputs) {
    if (path === undefined) continue;
    taken.add(await keyOf(path));
    taken.add(sameCase(await realpath(path).catch(() => resolve(path))));
  }
  const named: string[][] = [];
  for (const { stem } of inputs) {
    for (let n = 1; ; n++) {
      const paths = suffixes.map((suffix) => join(root, `${n === 1 ? stem : `${stem}-${n}`}${suffix}`));
      const keys = await Promise.all(paths.map(keyOf));
      if (keys.some((key) => taken.has(key))) continue;
      for (const key of keys) taken.add(key);
      named.push(paths);
      break;
    }
  }
  return named;
}

/** Names that differ only in case are one file on some systems. */
const sameCase = (path: string): string => path.toLowerCase();

/** Throws `file-exists` if a file in the way is not in the manifest of `root`. */
export async function checkOwn(root: string, paths: readonly string[], manifest: Manifest): Promise<void> {
  const foreign: string[] = [];
  for (const path of paths) {
    const isThere = await lstat(path).then(
      () => true,
      () => false,
    );
    if (isThere && !(await manifest.isOwn(nameIn(root, path)))) foreign.push(path);
  }
  if (foreign.length === 0) return;
  const more = foreign.length === 1 ? "" : `, and ${foreign.length - 1} more`;
  throw new TensorError({
    code: "file-exists",
    message: `predict: ${foreign[0]} exists and was not written by fcn predict, or was changed since${more}`,
    fix: "name another folder, or pass --overwrite",
  });
}
