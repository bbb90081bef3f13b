import type { FileHandle } from "node:fs/promises";
import { io, TensorError } from "@fcn/tensor";
import { nodeModule } from "@fcn/tensor/internal";

const { link, open, readFile, readlink, rename, rm, stat, utimes } = nodeModule("trainRun", "node:fs/promises");
const { hostname } = nodeModule("trainRun", "node:os");
const { dirname, join } = nodeModule("trainRun", "node:path");

const NAME = "run.lock";
/** How often the holder shows that it is there, and after what silence one that cannot be looked for counts as gone. Milliseconds. */
const BEAT = 10_000;
const SILENCE = 120_000;

/** Who holds a lock. */
interface Owner {
  readonly pid: number;
  readonly host: string;
  /** What tells a process from a later one with its number, and processes of containers that share a name; undefined where the system has no /proc. */
  readonly started?: string | undefined;
  readonly namespace?: string | undefined;
}

/**
 * Runs `use` while no other run holds the folder, which exists. A lock whose process is gone is taken over, so that a killed run does not stop
 * the next one. Throws a TensorError, "folder-in-use", at once where a run that lives holds it.
 */
export async function withFolderLock<T>(folder: string, use: () => Promise<T>): Promise<T> {
  const path = join(folder, NAME);
  const own = await ownerOf(process.pid);
  await take(path, JSON.stringify(own)).catch((error: unknown) => {
    throw error instanceof TensorError ? error : io.unwritable("train", path, error);
  });
  const beat = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => {}), BEAT).unref();
  try {
    return await use();
  } finally {
    clearInterval(beat);
    await rm(path, { force: true });
  }
}

async function take(path: string, content: string): Promise<void> {
  for (;;) {
    const file = await open(path, "wx").catch(unlessExists);
    if (file !== undefined) return write(file, path, content);
    const found = await readLock(path);
    if (found === undefined) continue;
    if (await isHeld(found)) throw inUse(path, found.owner);
    await removeStale(path, found.text);
  }
}

async function write(file: FileHandle, path: string, content: string): Promise<void> {
  try {
    await file.writeFile(content);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}

function unlessExists(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
}

interface Lock {
  readonly text: string;
  /** Undefined while it is being written. */
  readonly owner: Owner | undefined;
  readonly touched: number;
}

/** Undefined where the lock is gone. */
async function readLock(path: string): Promise<Lock | undefined> {
  try {
    const [text, { mtimeMs: touched }] = [await readFile(path, "utf8"), await stat(path)];
    return { text, owner: parse(text), touched };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function parse(text: string): Owner | undefined {
  try {
    return JSON.parse(text) as Owner;
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

async function ownerOf(pid: number): Promise<Owner> {
  const { started } = await processStatus(pid);
  const namespace = await readlink("/proc/self/ns/pid").catch(() => undefined);
  return { pid, host: hostname(), started, namespace };
}

/** Of /proc, where the system has it. */
async function processStatus(pid: number): Promise<{ state: string | undefined; started: string | undefined }> {
  const status = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  // The name of the program, in brackets, may hold blanks: the fields are counted behind it.
  const fields = status.slice(status.lastIndexOf(")") + 2).split(" ");
  return { state: fields[0] || undefined, started: fields[19] };
}

/** Two runs may find the lock stale at a time: one that was made meanwhile is put back. */
async function removeStale(path: string, text: string): Promise<void> {
  const aside = await io.temporaryName(path);
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  if ((await readFile(aside, "utf8")) !== text) await link(aside, path).catch(() => {});
  await rm(aside, { force: true });
}

function inUse(path: string, owner: Owner | undefined): TensorError {
  const who = owner === undefined ? "" : ` (process ${owner.pid} on ${owner.host})`;
  return new TensorError({
    code: "folder-in-use",
    message: `train: another run${who} writes into ${dirname(path)}`,
    fix: `wait for its end, or name another folder; if there is no such run, remove ${path}`,
  });
}
