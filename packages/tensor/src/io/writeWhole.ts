import { TensorError } from "../device/errors.js";
import { nodeFiles } from "./source.js";

/** Writes under a temporary name, then renames: a reader never sees half a file. */
export async function writeWhole(op: string, path: string | URL, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  const fs = await nodeFiles(op);
  const { fileURLToPath } = await import("node:url");
  const target = typeof path === "string" ? path : fileURLToPath(path);
  const temporary = `${target}.${crypto.randomUUID()}.tmp`;
  try {
    const file = await fs.open(temporary, "wx");
    try {
      for await (const piece of pieces) await writeAll(file, piece);
      await file.sync();
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

function unwritable(op: string, target: string, cause: unknown): TensorError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const error = {
    code: "unwritable-file",
    message: `${op}: cannot write ${target}: ${reason}`,
    fix: "check that the folder exists, may be written and has room",
  };
  return new TensorError(error, { cause });
}
