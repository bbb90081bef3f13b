import type { FileHandle } from "node:fs/promises";
import { io } from "@fcn/tensor";
import { nodeModule } from "@fcn/tensor/internal";

/** After so long without a change a lock counts as left behind, whoever holds it. */
const STALE_MILLISECONDS = 10 * 60_000;
const POLL_MILLISECONDS = 100;

/**
 * Runs `use` while no other process, and no other call, holds the lock file `path`; waits for those that do. A lock whose process is gone is
 * taken over, so that a killed download does not stop the next one.
 */
export async function withLock<T>(path: string, signal: AbortSignal | undefined, use: () => Promise<T>): Promise<T> {
  const { hostname } = nodeModule("fetchWeights", "node:os");
  const { open, rm } = nodeModule("fetchWeights", "node:fs/promises");
  const { setTimeout: wait } = nodeModule("fetchWeights", "node:timers/promises");
  const host = hostname();
  for (;;) {
    const file = await open(path, "wx").catch(unlessExists);
    if (file !== undefined) {
      await file.writeFile(`${host} ${process.pid}`);
      await file.close();
      break;
    }
    signal?.throwIfAborted();
    if (await isLeftBehind(path, host)) await rm(path, { force: true });
    else await wait(POLL_MILLISECONDS);
  }
  try {
    return await use();
  } finally {
    await rm(path, { force: true });
  }
}

function unlessExists(error: unknown): FileHandle | undefined {
  if ((error as { code?: unknown }).code === "EEXIST") return undefined;
  throw error;
}

async function isLeftBehind(path: string, host: string): Promise<boolean> {
  const { readFile, stat } = nodeModule("fetchWeights", "node:fs/promises");
  try {
    if (Date.now() - (await stat(path)).mtimeMs > STALE_MILLISECONDS) return true;
    const [owner, pid] = (await readFile(path, "utf8")).split(" ");
    // A lock that is being written has no owner yet.
    return owner === host && !io.isRunning(Number(pid));
  } catch {
    return false;
  }
}
