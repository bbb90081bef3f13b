import { io } from "@fcn/tensor";
import { nodeModule } from "@fcn/tensor/internal";

const fs = (): typeof import("node:fs/promises") => nodeModule("fileLock", "node:fs/promises");

/**
 * How often the holder shows that it is there, and after what silence one that cannot be looked for counts as gone.
 * Milliseconds.
 */
const BEAT = 10_000;
const SILENCE = 120_000;

/** Who holds a lock. */
export interface LockOwner {
  readonly pid: number;
  readonly host: string;
  /**
   * What tells a process from a later one with its number, and processes of containers that share a name; undefined
   * where the system has no /proc.
   */
  readonly started?: string | undefined;
  readonly namespace?: string | undefined;
}

/**
 * Runs `use` while no other process, and no other call, holds the lock file `path`, whose folder exists (Node). A lock
 * whose process is gone is taken over, so that a killed process does not stop the next one. Where one that lives holds
 * it, `whenHeld` throws, or waits a while and it is tried again; the owner is undefined where the lock does not tell
 * it.
 *
 * Throws a TensorError, "disk-full" or "unwritable-file", where there can be no lock; `op` begins its message.
 */
export async function withFileLock<T>(
  op: string,
  path: string,
  whenHeld: (owner: LockOwner | undefined) => void | Promise<void>,
  use: () => Promise<T>,
): Promise<T> {
  // The number tells this call's lock from that of another call in this process.
  const content = JSON.stringify({ ...(await ownerOf(process.pid)), id: crypto.randomUUID() });
  const guard = (cause: unknown): never => {
    throw io.unwritable(op, path, cause);
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
    // Another may have taken it over while this process slept.
    if ((await readLock(path))?.text === content) await fs().rm(path, { force: true });
  }
}

/** False where the file exists. */
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

/** Shows that the holder is there, as long as the lock is its own. */
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
  /** Undefined while it is being written. */
  readonly owner: LockOwner | undefined;
  readonly touched: number;
}

/** Undefined where the lock is gone. */
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
  if (!io.isRunning(owner.pid)) return false;
  if (owner.started === undefined) return isFresh;
  const { state, started } = await processStatus(owner.pid);
  return owner.started === started && !ENDED.includes(state);
}

/** A killed process stays on the list until its parent asks for it, which in containers may be never. */
const ENDED: readonly (string | undefined)[] = ["Z", "X"];

async function ownerOf(pid: number): Promise<LockOwner> {
  const { hostname } = nodeModule("fileLock", "node:os");
  const { started } = await processStatus(pid);
  const namespace = await fs()
    .readlink("/proc/self/ns/pid")
    .catch(() => undefined);
  return { pid, host: hostname(), started, namespace };
}

/** Of /proc, where the system has it. */
async function processStatus(pid: number): Promise<{ state: string | undefined; started: string | undefined }> {
  const status = await fs()
    .readFile(`/proc/${pid}/stat`, "utf8")
    .catch(() => "");
  // The name of the program, in brackets, may hold blanks: the fields are counted after it.
  const fields = status.slice(status.lastIndexOf(")") + 2).split(" ");
  return { state: fields[0] || undefined, started: fields[19] };
}

/** Two may find the lock stale at a time: one that was made meanwhile, whose text is another, is put back. */
export async function removeStale(path: string, text: string): Promise<void> {
  const aside = await io.temporaryName(path);
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
        // Not every file system has hard links.
        if (error.code !== "EEXIST") await create(path, moved);
      });
  }
  await fs().rm(aside, { force: true });
}
