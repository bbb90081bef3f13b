import { firstOf } from "@fcn/tensor/internal";
import { joinPath, kindOf, sameText } from "./files.js";

/** The known path or paths that a path quoted by a file refers to. */
export type FoundPath =
  | {
      readonly path: string;
      /** Index in the list of known paths. */
      readonly place: number;
      /** The part that both have in common, as quoted. */
      readonly tail: string;
      /** Both continue differently before their common tail, so the quoted path lies in another folder. */
      readonly contradicts: boolean;
    }
  /** All of these match equally well. */
  | { readonly several: readonly string[]; readonly places: readonly number[]; readonly tail: string };

export interface SaidPath {
  /** The folder of the quoting file, relative to the root; the path is tried from there first. */
  readonly folder?: string;
  /**
   * Rules that narrow down several equally good matches, applied in turn. `whole` tells whether all parts of the path
   * were quoted. A rule that would reject every match is skipped.
   */
  readonly prefer?: readonly ((path: string, whole: boolean) => boolean)[];
}

interface Entry {
  readonly path: string;
  readonly place: number;
  readonly parts: readonly string[];
  readonly keys: readonly string[];
}

/** Letter case and the spelling of accents only break ties. */
const keyOf = (part: string): string => sameText(part).toLowerCase();
const keysOf = (parts: readonly string[]): string[] => parts.map(keyOf);
const isAbsolute = (path: string): boolean => /^([/\\]|[a-z]:[/\\]|[a-z]+:\/\/)/i.test(path);

/** The parts of a path: "\" counts as "/", and a leading drive or scheme and empty parts are dropped. */
export function partsOf(path: string): string[] {
  const plain = path.replaceAll("\\", "/").replace(/^(file:\/\/|[a-z]:(?=\/))/i, "");
  return plain.split("/").filter((part) => part !== "" && part !== ".");
}

/** A path relative to the root without "."; it begins with ".." if it leaves the root. */
function resolveParts(parts: readonly string[]): string[] {
  const resolved: string[] = [];
  for (const part of parts) {
    if (part === ".." && resolved.length > 0 && resolved.at(-1) !== "..") resolved.pop();
    else resolved.push(part);
  }
  return resolved;
}

/**
 * Finds which of `paths` (all below one root) a quoted path refers to: first relative to the folder of the quoting
 * file, then by the longest common tail of whole parts. Ties go to the exact spelling. A path without a match is tried
 * again with its percent signs decoded. Undefined if not even the last part matches.
 */
export function pathFinder(paths: readonly string[]): (said: string, about?: SaidPath) => FoundPath | undefined {
  const byName = new Map<string, Entry[]>();
  for (const [place, path] of paths.entries()) {
    const parts = partsOf(path);
    const entry = { path, place, parts, keys: keysOf(parts) };
    const name = entry.keys.at(-1) ?? "";
    const others = byName.get(name);
    if (others) others.push(entry);
    else byName.set(name, [entry]);
  }
  const find = (said: string, { folder, prefer = [] }: SaidPath): FoundPath | undefined => {
    const parts = partsOf(said);
    const named = byName.get(keyOf(parts.at(-1) ?? "")) ?? [];
    if (named.length === 0) return undefined;
    if (folder !== undefined && !isAbsolute(said)) {
      const whole = resolveParts([...partsOf(folder), ...parts]);
      const keys = keysOf(whole).join("/");
      const direct = bestSpelling(
        named.filter((entry) => entry.keys.join("/") === keys),
        whole,
      );
      if (direct.length > 0) return result(direct, whole.length, whole);
    }
    const plain = resolveParts(parts).filter((part) => part !== "..");
    const keys = keysOf(plain);
    const lengths = named.map((entry) => commonTail(entry.keys, keys));
    const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
    let left = named.filter((_, i) => lengths[i] === longest);
    for (const rule of prefer) {
      const kept = left.filter(({ path, parts: all }) => rule(path, all.length === longest));
      if (kept.length > 0) left = kept;
    }
    return result(bestSpelling(left, plain.slice(-longest)), longest, plain);
  };
  return (said, about = {}) => find(said, about) ?? find(decoded(said), about);
}

function result(left: readonly Entry[], common: number, said: readonly string[]): FoundPath | undefined {
  const [entry] = left;
  if (entry === undefined) return undefined;
  const tail = said.slice(-common).join("/");
  if (left.length > 1) return { several: left.map(({ path }) => path), places: left.map(({ place }) => place), tail };
  const contradicts = common < said.length && common < entry.parts.length;
  return { path: entry.path, place: entry.place, tail, contradicts };
}

function commonTail(a: readonly string[], b: readonly string[]): number {
  let length = 0;
  while (length < a.length && length < b.length && a.at(-1 - length) === b.at(-1 - length)) length++;
  return length;
}

/** Among entries that differ only in the spelling of their tails, those spelled most like `tail`. */
function bestSpelling(entries: readonly Entry[], tail: readonly string[]): readonly Entry[] {
  if (entries.length < 2) return entries;
  const end = ({ parts }: Entry): string => parts.slice(-tail.length).join("/");
  const said = tail.join("/");
  for (const isSame of [
    (entry: Entry) => end(entry) === said,
    (entry: Entry) => sameText(end(entry)) === sameText(said),
  ]) {
    const kept = entries.filter(isSame);
    if (kept.length > 0) return kept;
  }
  return entries;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** Lists the matching paths for a message. */
export const orOf = (several: readonly string[]): string => firstOf(several, 4, " or ");

/** The path of an existing image outside the root that a path with ".." refers to, or undefined. */
export async function outsideFile(root: string, folder: string, said: string): Promise<string | undefined> {
  const parts = isAbsolute(said) ? [] : resolveParts([...partsOf(folder), ...partsOf(said)]);
  if (parts[0] !== "..") return undefined;
  const path = joinPath(root, ...parts);
  return (await kindOf(path).catch(() => undefined)) === "file" ? path : undefined;
}

export const liesOutside = (path: string): string =>
  `is ${path}, outside of the folder; open the folder above that holds both`;
