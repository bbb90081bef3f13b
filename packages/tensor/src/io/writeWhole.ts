import { TensorError } from "../device/errors.js";
import { nodeFiles } from "./source.js";
import { unwritable } from "./unwritable.js";

/**
 * Writes under a temporary name, then renames: a reader never sees half a file, and where writing fails nothing is left of it. With `sync`, the
 * default, the bytes are on the disk before the name is. Throws a TensorError: "disk-full" or "unwritable-file".
 */
export async function writeWhole(
  op: string,
  path: string | URL,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  { sync = true }: { readonly sync?: boolean } = {},
): Promise<void> {
  const fs = await nodeFiles(op);
  const { fileURLToPath } = await import("node:url");
  const target = typeof path === "string" ? path : fileURLToPath(path);
  const temporary = `${target}.${crypto.randomUUID()}.tmp`;
  try {
    const file = await fs.open(temporary, "wx");
    try {
      for await (const piece of pieces) await writeAll(file, piece);
      if (sync) await file.sync();
    } finally {
      await file.close();
    }
    await fs.rename(temporary, target);
  } catch (error) {
    await fs.rm(temporary, { force: true });
    throw error instanceof TensorError ? error : unwritable(op, target, error);
  }
}

async function writeAll(
  file: { write(bytes: Uint8Array, offset: number): Promise<{ bytesWritten: number }> },
  bytes: Uint8Array,
): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten;
}
