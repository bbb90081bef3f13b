import type { HostArray } from "./hostArray.js";
import { encodeNpyHeader } from "./npyHeader.js";
import { loadValues, writableArrays } from "./writable.js";
import { writeWhole } from "./writeWhole.js";

/** Writes an array as numpy.save does (Node). The file appears under its name when it is complete. */
export async function writeNpy(path: string | URL, array: HostArray): Promise<void> {
  await writeWhole("writeNpy", path, pieces("writeNpy", array));
}

/** The bytes of a `.npy` file, for where there is no file system. */
export async function encodeNpy(array: HostArray): Promise<Uint8Array> {
  const parts: BlobPart[] = [];
  for await (const piece of pieces("encodeNpy", array)) parts.push(piece as Uint8Array<ArrayBuffer>);
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

async function* pieces(op: string, array: HostArray): AsyncGenerator<Uint8Array> {
  for (const { name, value } of writableArrays(op, { array })) {
    yield encodeNpyHeader(value.dtype as HostArray["dtype"], value.shape);
    yield await loadValues(op, name, value);
  }
}
