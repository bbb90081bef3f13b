import { nodeModule } from "../../plain/node.js";
import { isRunning, temporaryName } from "./leftovers.js";
import { unwritable } from "./unwritable.js";

const fs = (): typeof import("node:fs/promises") => nodeModule("fileLock", "node:fs/promises");

/**
 * How often the holder shows that it is alive, and the silence after which a holder that cannot be checked counts as
 * gone, in milliseconds.
 */
const BEAT = 10_000;
const SILENCE = 120_000;

/** The process that holds a lock. */
export interface LockOwner {
  readonly pid: number;
  readonly host: string;
  /**
   * Distinguishes a process from a later one with the same number; with `namespace`, also processes of containers with
   * the same host name. Undefined on systems without /proc.
   */
  readonly started?: string | undefined;
  readonly namespace?: string | undefined;
}

/**
 * Runs `use` while no other process or call holds the lock file `path`, whose folder must exist (Node). The lock of a
 * dead process is taken over, so that a killed process does not block the next. While a live process holds the lock,
 * `whenHeld` is called with its owner, or with undefined if the lock does not state one. It either throws, or waits
 * before the next attempt.
 *
 * Throws `disk-full` or `unwritable-file` if the lock cannot be created, with a message that starts with `op`.
 */
export async function withFileLock<T>(
  op: string,
  path: string,
  whenHeld: (owner: LockOwner | undefined) => void | Promise<void>,
  use: () => Promise<T>,
): Promise<T> {
  // The id distinguishes this call's lock from those of other calls in this process.
  const content = JSON.stringify({ ...(await ownerOf(process.pid)), id: crypto.randomUUID() });
  const guard = (cause: unknown): never => {
    throw unwritable(op, path, cause);
  };
  for (;;) {
    if (await create(path, content).catch(guard)) break;
    const found = await readLock(path).catch(guard);
    if (found === undefined) continue;
    if (await isHeld(found)) await whenHeld(found.owner);
    else await removeStale(path, found.text).catch(guard);
  }
  const beat = setInterval(() => void touch(path, content).catch(() => {}), BEAT).unref();
  try {
    return await use();
  } finally {
    clearInterval(beat);
    // Another process may have taken over the lock while this one slept.
    if ((await readLock(path))?.text === content) await fs().rm(path, { force: true });
  }
}

/** Returns false if the file exists. */
async function create(path: string, content: string): Promise<boolean> {
  const file = await fs().open(path, "wx").catch(unlessExists);
  if (file === undefined) return false;
  try {
    await file.writeFile(content);
    return true;
  } catch (error) {
    await fs().rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}

function unlessExists(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
}

/** Shows that the holder is alive, as long as the lock is still its own. */
async function touch(path: string, content: string): Promise<void> {
  const file = await fs().open(path, "r+");
  try {
    if ((await file.readFile("utf8")) === content) await file.utimes(new Date(), new Date());
  } finally {
    await file.close();
  }
}

interface Lock {
  readonly text: string;
  /** Undefined while the lock is being written. */
  readonly owner: LockOwner | undefined;
  readonly touched: number;
}

/** Undefined if the lock is gone. */
async function readLock(path: string): Promise<Lock | undefined> {
  try {
    const [text, { mtimeMs: touched }] = [await fs().readFile(path, "utf8"), await fs().stat(path)];
    return { text, owner: parse(text), touched };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function parse(text: string): LockOwner | undefined {
  try {
    const owner = JSON.parse(text) as LockOwner | null;
    return typeof owner?.pid === "number" && typeof owner.host === "string" ? owner : undefined;
  } catch {
    return undefined;
  }
}

async function isHeld({ owner, touched }: Lock): Promise<boolean> {
  const isFresh = Date.now() - touched < SILENCE;
  if (owner === undefined) return isFresh;
  const own = await ownerOf(process.pid);
  if (owner.host !== own.host || owner.namespace !== own.namespace) return isFresh;
  if (!isRunning(owner.pid)) return false;
  if (owner.started === undefined) return isFresh;
  const { state, started } = await processStatus(owner.pid);
  return owner.started === started && !ENDED.includes(state);
}

/** A killed process stays listed until its parent reaps it, which in containers may never happen. */
const ENDED: readonly (string | undefined)[] = ["Z", "X"];

async function ownerOf(pid: number): Promise<LockOwner> {
  const { hostname } = nodeModule("fileLock", "node:os");
  const { started } = await processStatus(pid);
  const namespace = await fs()
    .readlink("/proc/self/ns/pid")
    .catch(() => undefined);
  return { pid, host: hostname(), started, namespace };
}

/** Reads /proc, if the system has it. */
async function processStatus(pid: number): Promise<{ state: string | undefined; started: string | undefined }> {
  const status = await fs()
    .readFile(`/proc/${pid}/stat`, "utf8")
    .catch(() => "");
  // The program name in brackets may contain blanks, so fields are counted after it.
  const fields = status.slice(status.lastIndexOf(")") + 2).split(" ");
  return { state: fields[0] || undefined, started: fields[19] };
}

/**
 * Two processes may consider a lock stale at once, so if the file removed turns out to be a newer lock, with another
 * text, it is put back.
 */
export async function removeStale(path: string, text: string): Promise<void> {
  const aside = await temporaryName(path);
  try {
    await fs().rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  const moved = await fs().readFile(aside, "utf8");
  if (moved !== text) {
    await fs()
      .link(aside, path)
      .catch(async (error: NodeJS.ErrnoException) => {
        // Not every file system supports hard links.
        if (error.code !== "EEXIST") await create(path, moved);
      });
  }
  await fs().rm(aside, { force: true });
}
