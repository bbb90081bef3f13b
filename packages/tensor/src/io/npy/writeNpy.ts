import { elementCount, type HostArray, type HostData, type HostDtype, storedSize } from "../arrays/hostArray.js";
import { gather, loadValues, refuse, writableArrays } from "../arrays/writable.js";
import { openTemporary } from "../files/temporaryFile.js";
import { writeWhole } from "../files/writeWhole.js";
import { encodeNpyHeader } from "./header.js";

/** Writes an array (numpy.save; Node only). The file appears under its name when it is complete. */
export async function writeNpy(path: string | URL, array: HostArray): Promise<void> {
  await writeWhole("writeNpy", path, pieces("writeNpy", array));
}

/** A `.npy` file that is written in parts (Node only). */
export interface NpyWriter {
  /** Writes values to the elements from `begin` on, in row-major order. Parts may come in any order but not overlap. */
  write(values: HostData, begin: number): Promise<void>;
  /** Completes the file, which then appears under its name. Throws if elements are missing. */
  finish(): Promise<void>;
  /** Removes what was written, unless the file is finished. */
  discard(): Promise<void>;
}

/**
 * Starts a `.npy` file for an array that does not fit into memory (Node only). This and its methods throw `disk-full`,
 * `unwritable-file`, or `invalid-argument` for values of another dtype, too many values or too few.
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

/** As {@link writeNpy}, but returns the bytes, for use without a file system. */
export async function encodeNpy(array: HostArray): Promise<Uint8Array> {
  return gather(pieces("encodeNpy", array));
}

async function* pieces(op: string, array: HostArray): AsyncGenerator<Uint8Array> {
  for (const { name, value } of writableArrays(op, { array })) {
    yield encodeNpyHeader(value.dtype as HostArray["dtype"], value.shape);
    yield await loadValues(op, name, value);
  }
}
