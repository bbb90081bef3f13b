import { nodeModule } from "../../plain/node.js";
import { removeLeftFolders, temporaryName } from "./leftovers.js";
import { unwritable } from "./unwritable.js";

type FileHandle = Awaited<ReturnType<typeof import("node:fs/promises")["open"]>>;

/** A file under a temporary name (Node only). Every method throws `disk-full` or `unwritable-file` on refusal. */
export interface TemporaryFile {
  /** Writes all bytes at that position of the file. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Gives the file its final name; with `sync`, after its bytes have reached the disk. */
  commit(options: { readonly sync: boolean }): Promise<void>;
  /** Removes the file, unless it has its final name. */
  discard(): Promise<void>;
}

/** Temporary files without their final names, and temporary folders, each with a function that removes it. */
const unfinished = new Map<string, () => void>();

/**
 * Removes all temporary folders and the temporary files of all unfinished writes at once, for a program that a signal
 * ends. Those writes then fail, or leave no file.
 */
export function removeUnfinished(): void {
  for (const remove of unfinished.values()) remove();
}

/**
 * A temporary name for a file that will replace `target`. Throws if that is a folder: the system would refuse only the
 * final rename, after all the work.
 */
async function reserve(op: string, target: string): Promise<string> {
  const { rmSync } = nodeModule(op, "node:fs");
  const { stat } = nodeModule(op, "node:fs/promises");
  const found = await stat(target).catch(() => undefined);
  if (found?.isDirectory()) throw unwritable(op, target, { code: "EISDIR" });
  const temporary = await temporaryName(target);
  unfinished.set(temporary, () => rmSync(temporary, { force: true }));
  return temporary;
}

/** Runs `work`, and says what the system refuses. */
async function guarded<T>(op: string, target: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw unwritable(op, target, cause);
  }
}

/**
 * Passes a temporary name to `use`, which writes a file there, then renames the file to `path` (Node only). If `use`
 * throws, no file is left. Throws `disk-full` or `unwritable-file` (at once if `path` is a folder), and what `use`
 * throws.
 */
export async function withTemporary<T>(op: string, path: string, use: (temporary: string) => Promise<T>): Promise<T> {
  const { rename, rm } = nodeModule(op, "node:fs/promises");
  const temporary = await reserve(op, path);
  try {
    const result = await use(temporary);
    await guarded(op, path, () => rename(temporary, path));
    return result;
  } finally {
    await rm(temporary, { force: true });
    unfinished.delete(temporary);
  }
}

/** A folder for files that are on their way to another place. */
export interface TemporaryFolder {
  readonly path: string;
  /** Removes it with all that is in it. */
  remove(): Promise<void>;
}

/**
 * Makes a folder among the system's temporary files (Node only). A signal that ends the program removes it, and what
 * killed programs left there goes when the next one is made. Throws `disk-full` or `unwritable-file`.
 */
export async function makeTemporaryFolder(op: string): Promise<TemporaryFolder> {
  const { rmSync } = nodeModule(op, "node:fs");
  const { mkdir, rm } = nodeModule(op, "node:fs/promises");
  const { tmpdir } = nodeModule(op, "node:os");
  await removeLeftFolders(tmpdir());
  const path = await temporaryName(nodeModule(op, "node:path").join(tmpdir(), "fcn"));
  unfinished.set(path, () => rmSync(path, { recursive: true, force: true }));
  const remove = async (): Promise<void> => {
    await rm(path, { recursive: true, force: true });
    unfinished.delete(path);
  };
  await guarded(op, path, () => mkdir(path, { mode: 0o700 })).catch(async (error: unknown) => {
    await remove();
    throw error;
  });
  return { path, remove };
}

/** Creates a file beside `path` that readers see only when it is complete. Error messages begin with `op`. */
export async function openTemporary(op: string, path: string | URL): Promise<TemporaryFile> {
  const fs = nodeModule(op, "node:fs/promises");
  const { fileURLToPath } = nodeModule(op, "node:url");
  const target = typeof path === "string" ? path : fileURLToPath(path);
  const temporary = await reserve(op, target);
  const guard = <T>(work: () => Promise<T>): Promise<T> => guarded(op, target, work);
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

/** The system may write only a part of the bytes, especially near the end of a disk. */
async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    at += (await file.write(bytes, at, bytes.length - at, position + at)).bytesWritten;
  }
}
