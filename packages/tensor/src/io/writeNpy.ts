import { elementCount, type HostArray, type HostData, type HostDtype, storedSize } from "./hostArray.js";
import { encodeNpyHeader } from "./npyHeader.js";
import { openTemporary } from "./temporaryFile.js";
import { loadValues, refuse, writableArrays } from "./writable.js";
import { writeWhole } from "./writeWhole.js";

/** Writes an array as numpy.save does (Node). The file appears under its name when it is complete. */
export async function writeNpy(path: string | URL, array: HostArray): Promise<void> {
  await writeWhole("writeNpy", path, pieces("writeNpy", array));
}

/** A `.npy` file that is written in parts (Node). */
export interface NpyWriter {
  /**
   * Puts values at the elements from `begin` on, counted in row-major order. Parts may come in any order, each element
   * once.
   */
  write(values: HostData, begin: number): Promise<void>;
  /** The file appears under its name. Throws where elements are missing. */
  finish(): Promise<void>;
  /** Removes what was written, unless it is finished. */
  discard(): Promise<void>;
}

/**
 * Begins a `.npy` file for an array that does not fit into memory (Node). Throws a TensorError, as its methods do:
 * "disk-full", "unwritable-file", or "invalid-argument" for values of another type, too many or too few.
 */
export async function createNpy(
  path: string | URL,
  { dtype, shape }: { readonly dtype: HostDtype; readonly shape: readonly number[] },
): Promise<NpyWriter> {
  const [op, size, count] = ["createNpy", storedSize(dtype), elementCount(shape)];
  const header = encodeNpyHeader(dtype, shape);
  const file = await openTemporary(op, path);
  let written = 0;
  return {
    write: async (values, begin) => {
      if (values.BYTES_PER_ELEMENT !== size || !(begin >= 0) || begin + values.length > count) {
        const given = `${values.length} values of ${values.BYTES_PER_ELEMENT} bytes at ${begin}`;
        throw refuse(op, `${given} do not fit into [${shape.join(", ")}] of ${dtype}`);
      }
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      await file.write(bytes, header.length + begin * size);
      written += values.length;
    },
    finish: async () => {
      if (written !== count) throw refuse(op, `${written} of ${count} elements were written`);
      await file.write(header, 0);
      await file.commit({ sync: true });
    },
    discard: file.discard,
  };
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
