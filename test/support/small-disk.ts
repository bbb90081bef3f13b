import { spawn } from "node:child_process";
import { rmSync, statfsSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** A file system of its own, small enough to be filled. */
export interface SmallDisk {
  readonly path: string;
  /** Fills it up but for so many bytes, in whole pages. */
  fill(leave: number): void;
  /** Takes away what {@link fill} put there. */
  free(): void;
}

/**
 * Mounts `mib` MiB of memory until the tests of a file end. A user namespace holds the mount, so neither root nor
 * tidying up is needed: it goes with the process that holds it, and is reached through that process's root. Returns why
 * not where the system does not allow it.
 */
export async function openSmallDisk(mib: number): Promise<SmallDisk | string> {
  if (process.platform !== "linux") return "small disks are made with Linux namespaces";
  const folder = await mkdtemp(join(tmpdir(), "small-disk-"));
  const script = `mount -t tmpfs -o size=${mib}m,nr_inodes=4096 tmpfs "$1" && echo ready && exec cat`;
  const holder = spawn("unshare", ["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", folder]);
  afterAll(async () => {
    holder.kill();
    await rm(folder, { recursive: true, force: true });
  });
  const problem = await new Promise<string | undefined>((resolve) => {
    let said = "";
    holder.on("error", ({ message }) => resolve(message));
    holder.stderr.on("data", (text) => (said += text));
    holder.stdout.on("data", () => resolve(undefined));
    holder.on("close", (code) => resolve(`unshare and mount ended with ${code}: ${said.trim()}`));
  });
  if (problem !== undefined) return problem;
  const path = join("/proc", String(holder.pid), "root", folder);
  const filler = join(path, "filler");
  const free = (): void => rmSync(filler, { force: true });
  const fill = (leave: number): void => {
    free();
    const { bavail, bsize } = statfsSync(path);
    writeFileSync(filler, new Uint8Array(Math.max(0, bavail * bsize - leave)));
  };
  return { path, fill, free };
}
