import { openTemporary } from "./temporaryFile.js";

/**
 * Writes under a temporary name, then renames (Node only): readers never see a partial file, and a failure leaves none.
 * With `sync` (the default), the bytes reach the disk before the rename. Throws `disk-full` or `unwritable-file`, and
 * what `pieces` throws.
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
