import { brief } from "../../plain/errors.js";
import { decodeHostArray, type HostArray, type StoredDtype } from "../arrays/hostArray.js";
import { corruptFile, firstTwice, type Place } from "../files/errors.js";
import { type LeftOut, type ReadOptions, refuseDamaged } from "./skipped.js";

/** An array in an opened file. */
export interface ContentArray {
  readonly name: string;
  readonly stored: StoredDtype;
  readonly shape: readonly number[];
  read(): Promise<HostArray>;
}

/** The content of a weights file: names, dtypes and shapes are known, values are read on demand. */
export interface Content {
  readonly arrays: readonly ContentArray[];
  readonly metadata: Readonly<Record<string, string>>;
  /** Names in the file whose values are not arrays. */
  readonly ignored?: readonly string[];
  /** Arrays that cannot be read although the others can. */
  readonly skipped?: readonly LeftOut[];
  /** What was dropped from the names in the file. */
  readonly dropped?: readonly string[];
  /** Where the arrays are in a checkpoint. */
  readonly key?: string | undefined;
  /** Compares data with their checksums if reading a single array does not; rejects if they are damaged. */
  verify?(names: readonly string[]): Promise<void>;
}

/** An array whose values are contiguous in the file, in row-major order. */
export function plainArray(
  name: string,
  stored: StoredDtype,
  shape: readonly number[],
  bytes: () => Promise<ArrayBuffer>,
): ContentArray {
  return { name, stored, shape, read: async () => decodeHostArray(stored, shape, await bytes()) };
}

/** Reads everything except arrays of unsupported kinds. */
export async function readContent(
  { arrays, skipped = [] }: Content,
  { onSkipped }: ReadOptions = {},
): Promise<Record<string, HostArray>> {
  refuseDamaged(skipped);
  for (const { name, reason } of skipped) onSkipped?.(name, reason);
  const read: [string, HostArray][] = [];
  for (const array of arrays) read.push([array.name, await array.read()]);
  return Object.fromEntries(read);
}

/** Throws if two arrays have the same name. */
export function checkUnique(at: Place, arrays: readonly { readonly name: string }[]): void {
  const twice = firstTwice(arrays);
  if (twice !== undefined) throw corruptFile(at, `two of its arrays are called ${brief(twice)}`);
}
