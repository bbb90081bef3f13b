import { nodeModule } from "../../plain/node.js";

/** Contained in temporary names: the machine and process that write the file. */
const PATTERN = /\.([0-9a-f]{8})-(\d+)-[0-9a-f]{8}\.tmp$/;

/** Whether a file or folder of this name is not finished. */
export const isTemporaryName = (name: string): boolean => PATTERN.test(name);

/** Milliseconds of tolerance: file systems round times, some of them to two seconds. */
const CLOCK = 2000;

/** A unique name beside `target` that identifies the machine and process that write the file (Node only). */
export async function temporaryName(target: string): Promise<string> {
  return `${target}.${await machineName()}-${process.pid}-${crypto.randomUUID().slice(0, 8)}.tmp`;
}

/**
 * Removes temporary files that killed processes left in a folder, but not in its subfolders (Node only). Keeps those of
 * running processes, and those of other machines and containers, whose processes it cannot see.
 */
export const removeLeftovers = (folder: string): Promise<void> => removeLeft(folder, "isFile");

/** {@link removeLeftovers} for temporary folders, each with all that is in it. */
export const removeLeftFolders = (folder: string): Promise<void> => removeLeft(folder, "isDirectory");

async function removeLeft(folder: string, isKind: "isFile" | "isDirectory"): Promise<void> {
  const { join } = nodeModule("removeLeftovers", "node:path");
  const fs = nodeModule("removeLeftovers", "node:fs/promises");
  const machine = await machineName();
  for (const entry of await fs.readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const [, writer, pid] = PATTERN.exec(entry.name) ?? [];
    if (writer !== machine || !entry[isKind]()) continue;
    const path = join(folder, entry.name);
    const { mtimeMs } = await fs.stat(path).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    // A file that cannot be removed does no harm.
    if (hasEnded(Number(pid), mtimeMs)) await fs.rm(path, { recursive: true, force: true }).catch(() => {});
  }
}

/**
 * Whether the process that wrote a file at `time` is gone. The next process in a container often has the same number.
 */
function hasEnded(pid: number, time: number): boolean {
  return pid === process.pid ? time < Date.now() - process.uptime() * 1000 - CLOCK : !isRunning(pid);
}

/** Whether a process with this number is running on this machine (Node only). */
export function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as { code?: unknown }).code === "EPERM";
  }
}

/** Identifies the machine, or the container if it has its own process numbers. */
async function machineName(): Promise<string> {
  const { hostname } = nodeModule("temporaryName", "node:os");
  const processes = await nodeModule("temporaryName", "node:fs/promises")
    .readlink("/proc/self/ns/pid")
    .catch(() => "");
  const { createHash } = nodeModule("temporaryName", "node:crypto");
  return createHash("sha256").update(`${hostname()} ${processes}`).digest("hex").slice(0, 8);
}
