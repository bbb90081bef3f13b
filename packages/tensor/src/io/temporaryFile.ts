import { nodeModule } from "../plain/node.js";
import { temporaryName } from "./leftovers.js";
import { unwritable } from "./unwritable.js";

type FileHandle = Awaited<ReturnType<typeof import("node:fs/promises")["open"]>>;

/**
 * A file under a temporary name (Node). Every method throws a TensorError where the system refuses: "disk-full" or
 * "unwritable-file".
 */
export interface TemporaryFile {
  /** Writes all bytes at that place of the file. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Gives the file its own name; with `sync` its bytes are on the disk before. */
  commit(options: { readonly sync: boolean }): Promise<void>;
  /** Removes it, unless it has its own name. */
  discard(): Promise<void>;
}

/** Temporary files that have not got their names yet, and what removes one. */
const unfinished = new Map<string, () => void>();

/**
 * Removes at once the temporary files of all writes that are under way: for a program that a signal ends. What is being
 * written then fails, or is not there.
 */
export function removeUnfinished(): void {
  for (const remove of unfinished.values()) remove();
}

function register(op: string, temporary: string): void {
  const { rmSync } = nodeModule(op, "node:fs");
  unfinished.set(temporary, () => rmSync(temporary, { force: true }));
}

/** Else the system says so when the file gets its name, after all the work. */
async function refuseFolder(op: string, target: string): Promise<void> {
  const found = await nodeModule(op, "node:fs/promises")
    .stat(target)
    .catch(() => undefined);
  if (found?.isDirectory()) throw unwritable(op, target, { code: "EISDIR" });
}

/**
 * Has `use` write a file under the temporary name that it is given, then gives the file the name `path` (Node). Where
 * `use` throws, nothing is left of it. Throws a TensorError, "disk-full" or "unwritable-file", at once where `path` is
 * a folder, and what `use` throws.
 */
export async function withTemporary<T>(op: string, path: string, use: (temporary: string) => Promise<T>): Promise<T> {
  const { rename, rm } = nodeModule(op, "node:fs/promises");
  await refuseFolder(op, path);
  const temporary = await temporaryName(path);
  register(op, temporary);
  try {
    const result = await use(temporary);
    await rename(temporary, path).catch((cause: unknown) => {
      throw unwritable(op, path, cause);
    });
    return result;
  } finally {
    await rm(temporary, { force: true });
    unfinished.delete(temporary);
  }
}

/** A new file beside `path`, of which no reader sees a half. `op` begins the messages of errors. */
export async function openTemporary(op: string, path: string | URL): Promise<TemporaryFile> {
  const fs = nodeModule(op, "node:fs/promises");
  const { fileURLToPath } = nodeModule(op, "node:url");
  const target = typeof path === "string" ? path : fileURLToPath(path);
  await refuseFolder(op, target);
  const temporary = await temporaryName(target);
  const guard = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (cause) {
      throw unwritable(op, target, cause);
    }
  };
  register(op, temporary);
  const file = await guard(() => fs.open(temporary, "wx")).catch((error: unknown) => {
    unfinished.delete(temporary);
    throw error;
  });
  let isOpen = true;
  return {
    write: (bytes, position) => guard(() => writeAll(file, bytes, position)),
    commit: ({ sync }) =>
      guard(async () => {
        if (sync) await file.sync();
        await file.close();
        await fs.rename(temporary, target);
        isOpen = false;
        unfinished.delete(temporary);
      }),
    discard: async () => {
      if (!isOpen) return;
      isOpen = false;
      await file.close().catch(() => {});
      await fs.rm(temporary, { force: true });
      unfinished.delete(temporary);
    },
  };
}

/** The system may take a part of what it is given, above all from the last place on a disk. */
async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    at += (await file.write(bytes, at, bytes.length - at, position + at)).bytesWritten;
  }
}
