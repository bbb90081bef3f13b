import { lstat, realpath } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { TensorError } from "@fcn/tensor";
import type { Manifest } from "./manifest.js";

/** What results are named after. */
export interface Named {
  /** A path without an extension. */
  readonly stem: string;
  /** The file that must not be written over, where it is one. */
  readonly path?: string;
}

/**
 * For each input the paths in `root` of its results, one a suffix; `stem-2`, `stem-3`, … where another result or an
 * input of any name for the same file has the name already.
 */
export async function nameOutputs(
  root: string,
  suffixes: readonly string[],
  inputs: readonly Named[],
): Promise<string[][]> {
  const keyOf = createKeys();
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

/** Names that differ in case alone are one file on some systems. */
const sameCase = (path: string): string => path.toLowerCase();

/**
 * Keys that paths of one file share through whatever links to folders they go. A link to a file is itself what writing
 * would replace.
 */
function createKeys(): (path: string) => Promise<string> {
  const folders = new Map<string, Promise<string>>();
  const realFolder = (folder: string): Promise<string> => {
    const known = folders.get(folder);
    if (known) return known;
    const above = dirname(folder);
    const found = realpath(folder).catch(async () =>
      above === folder ? folder : join(await realFolder(above), basename(folder)),
    );
    folders.set(folder, found);
    return found;
  };
  return async (path) => sameCase(join(await realFolder(dirname(resolve(path))), basename(path)));
}

/** Throws a TensorError ("file-exists") where a file is in the way that is not in the manifest of `root`. */
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

/** The path of a file below a folder, with "/". */
export const nameIn = (folder: string, path: string): string => relative(folder, path).split(sep).join("/");
