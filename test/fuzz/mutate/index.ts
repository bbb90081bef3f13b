import type { Random } from "../random.js";
import { mutateBytes } from "./bytes.js";
import { type InnerChange, mutateMat, mutateNpy, mutatePng, mutateSafetensors, mutateZip } from "./containers.js";
import { mutateJson } from "./json.js";
import { mutatePickles } from "./pickle.js";
import { mutateText } from "./text.js";

/** What a file is inside, so that changes get past lengths and checksums. */
export type FileKind = "bytes" | "json" | "text" | "zip" | "npy" | "png" | "mat" | "safetensors" | "pickles";

const utf8 = (text: string | undefined): Uint8Array | undefined =>
  text === undefined ? undefined : new TextEncoder().encode(text);

const INNER: Readonly<Record<FileKind, InnerChange | undefined>> = {
  bytes: undefined,
  json: (bytes, r) => utf8(mutateJson(new TextDecoder().decode(bytes), r)),
  text: (bytes, r) => utf8(mutateText(new TextDecoder().decode(bytes), r)),
  zip: mutateZip,
  npy: mutateNpy,
  png: mutatePng,
  mat: mutateMat,
  safetensors: mutateSafetensors,
  pickles: (bytes, r) => mutatePickles(bytes, r),
};

/** No input grows above this. */
const LONGEST = 2 ** 18;

/** One to four changes in a row, of the inside of the file where its kind is known or of its bytes. */
export function mutate(bytes: Uint8Array, kind: FileKind, r: Random, other: Uint8Array): Uint8Array {
  let out = bytes;
  do {
    const inner = INNER[kind] !== undefined && r.chance(0.7) ? INNER[kind](out, r, other) : undefined;
    const next = inner ?? mutateBytes(out, r, other);
    out = next.length > LONGEST ? next.slice(0, LONGEST) : next;
  } while (r.chance(0.35));
  return out;
}
