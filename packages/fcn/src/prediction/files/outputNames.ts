import { realpath } from "node:fs/promises";
import { join, resolve } from "node:path";
import { TensorError } from "@fcn/tensor";
import { mapAhead } from "../../async/pipeline.js";
import { addressKind, isRemote } from "../../places/address.js";
import type { Place } from "../../places/place.js";
import type { Manifest } from "./manifest.js";
import { realName } from "./paths.js";

/** Files that are asked for at a time. */
const AT_A_TIME = 16;
/** Objects of a bucket that are asked for one by one: a list has a thousand in an answer. */
const MOST_ASKED = 200;

/** An input after which results are named. */
export interface Named {
  /** A path without an extension. */
  readonly stem: string;
  /** The file of this machine that must not be overwritten, if there is one. */
  readonly path?: string;
  /** The address that must not be overwritten, if it is elsewhere. */
  readonly address?: string;
}

/**
 * The names in `place` of each input's results, one per suffix. They become `stem-2`, `stem-3`, … if another result has
 * the name already, or if it is an input, by any path to the same file.
 */
export async function nameOutputs(
  place: Place,
  suffixes: readonly string[],
  inputs: readonly Named[],
): Promise<string[][]> {
  const folders = new Map<string, Promise<string>>();
  const isElsewhere = isRemote(place.address);
  const keyOf = async (path: string): Promise<string> => sameCase(await realName(path, folders));
  const outputKey = (name: string): string | Promise<string> =>
    isElsewhere ? sameCase(place.addressOf(name)) : keyOf(join(place.address, name));
  const taken = new Set<string>();
  for (const { path, address } of inputs) {
    if (address !== undefined) taken.add(sameCase(address));
    if (path === undefined || isElsewhere) continue;
    taken.add(await keyOf(path));
    taken.add(sameCase(await realpath(path).catch(() => resolve(path))));
  }
  const named: string[][] = [];
  for (const { stem } of inputs) {
    for (let n = 1; ; n++) {
      const names = suffixes.map((suffix) => `${n === 1 ? stem : `${stem}-${n}`}${suffix}`);
      const keys = await Promise.all(names.map(outputKey));
      if (keys.some((key) => taken.has(key))) continue;
      for (const key of keys) taken.add(key);
      named.push(names);
      break;
    }
  }
  return named;
}

/** Names that differ only in case are one file on some systems. */
const sameCase = (path: string): string => path.toLowerCase();

/** Throws `file-exists` if a file in the way is not in the manifest of its place. */
export async function checkOwn(place: Place, names: readonly string[], manifest: Manifest): Promise<void> {
  const foreign: string[] = [];
  const look = async (name: string) => ((await manifest.isOwn(name)) ? undefined : place.addressOf(name));
  for await (const address of mapAhead(await existing(place, names), AT_A_TIME, look)) {
    if (address !== undefined) foreign.push(address);
  }
  if (foreign.length === 0) return;
  const more = foreign.length === 1 ? "" : `, and ${foreign.length - 1} more`;
  throw new TensorError({
    code: "file-exists",
    message: `predict: ${foreign[0]} exists and was not written by fcn predict, or was changed since${more}`,
    fix: "name another folder, or pass --overwrite",
  });
}

/** Those of the names that are files of a place. */
async function existing(place: Place, names: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  if (addressKind(place.address) === "s3" && names.length > MOST_ASKED) {
    const wanted = new Set(names);
    for await (const { name } of place.list()) if (wanted.has(name)) found.push(name);
    return found;
  }
  const look = async (name: string) => ((await place.stat(name)) === undefined ? undefined : name);
  for await (const name of mapAhead(names, AT_A_TIME, look)) if (name !== undefined) found.push(name);
  return found;
}
