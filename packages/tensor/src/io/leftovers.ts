import { nodeModule } from "../plain/node.js";
import { Crc32 } from "./crc32.js";

/** Of a temporary name: the machine that writes the file, and its process. */
const PATTERN = /\.([0-9a-f]{8})-(\d+)-[0-9a-f]{8}\.tmp$/;

/** Milliseconds: file systems round times, some of them to two seconds. */
const CLOCK = 2000;

/** A name beside `target` that no other file has, and that tells who writes it (Node). */
export async function temporaryName(target: string): Promise<string> {
  return `${target}.${await machineName()}-${process.pid}-${crypto.randomUUID().slice(0, 8)}.tmp`;
}

/**
 * Removes from a folder, not from those in it, what writes left half done when their process was killed (Node). Files
 * of processes that still run stay, and those of other machines and containers, of which that is not known.
 */
export async function removeLeftovers(folder: string): Promise<void> {
  const { join } = nodeModule("removeLeftovers", "node:path");
  const fs = nodeModule("removeLeftovers", "node:fs/promises");
  const machine = await machineName();
  for (const entry of await fs.readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const [, writer, pid] = PATTERN.exec(entry.name) ?? [];
    if (writer !== machine || !entry.isFile()) continue;
    const path = join(folder, entry.name);
    const { mtimeMs } = await fs.stat(path).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    // What cannot be removed is in nobody's way.
    if (hasEnded(Number(pid), mtimeMs)) await fs.rm(path, { force: true }).catch(() => {});
  }
}

/**
 * Whether the process that last wrote a file at `time` is gone. In a container the next one often has the same number.
 */
function hasEnded(pid: number, time: number): boolean {
  return pid === process.pid ? time < Date.now() - process.uptime() * 1000 - CLOCK : !isRunning(pid);
}

/** Whether there is a process of that number on this machine (Node). */
export function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as { code?: unknown }).code === "EPERM";
  }
}

/** Names the machine, and the container where its processes have numbers of their own. */
async function machineName(): Promise<string> {
  const { hostname } = nodeModule("temporaryName", "node:os");
  const processes = await nodeModule("temporaryName", "node:fs/promises")
    .readlink("/proc/self/ns/pid")
    .catch(() => "");
  const { value } = new Crc32().update(new TextEncoder().encode(`${hostname()} ${processes}`));
  return value.toString(16).padStart(8, "0");
}
