import { openTemporary } from "./temporaryFile.js";

/**
 * Writes under a temporary name, then renames: a reader never sees half a file, and where writing fails nothing is left
 * of it. With `sync`, the default, the bytes are on the disk before the name is. Throws a TensorError, "disk-full" or
 * "unwritable-file", and what `pieces` throws.
 */
export async function writeWhole(
  op: string,
  path: string | URL,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  { sync = true }: { readonly sync?: boolean } = {},
): Promise<void> {
  const file = await openTemporary(op, path);
  try {
    let position = 0;
    for await (const piece of pieces) {
      await file.write(piece, position);
      position += piece.length;
    }
    await file.commit({ sync });
  } catch (error) {
    await file.discard();
    throw error;
  }
}
