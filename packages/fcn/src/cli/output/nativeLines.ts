import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const STDERR = 2;
/** What Dawn says of drivers that allow more dynamic offsets than it can use, which is of no use to anyone here. */
const USELESS = /^Warning: maxDynamic(Uniform|Storage)BuffersPerPipelineLayout artificially reduced from .*\n/gm;

/**
 * Runs `call` while what native code prints to standard error, past Node, goes to a file, and prints that afterwards
 * without lines that are of no use. Only on a terminal of Linux: there Node's own stream has a descriptor of its own,
 * and the terminal can be opened a second time without harm to what others write into it.
 */
export function withoutUselessLines<T>(call: () => T): T {
  const aside = process.platform === "linux" && process.stderr.isTTY ? openAside() : undefined;
  if (aside === undefined) return call();
  const { folder, file, terminal } = aside;
  const isAside = putAt(STDERR, file);
  try {
    return call();
  } finally {
    // Otherwise, the descriptor belongs to whoever was faster.
    if (isAside) putAt(STDERR, `/proc/self/fd/${terminal}`);
    closeSync(terminal);
    process.stderr.write(readFileSync(file, "utf8").replace(USELESS, ""));
    rmSync(folder, { recursive: true });
  }
}

/** The terminal once more, and an empty file; undefined where either is forbidden. */
function openAside(): { folder: string; file: string; terminal: number } | undefined {
  try {
    const folder = mkdtempSync(join(tmpdir(), "fcn-"));
    const file = join(folder, "stderr");
    writeFileSync(file, "");
    return { folder, file, terminal: openSync(`/proc/self/fd/${STDERR}`, constants.O_WRONLY | constants.O_NOCTTY) };
  } catch {
    return undefined;
  }
}

/**
 * Has a descriptor write to another file: the system gives away the lowest number that is free. Returns false where a
 * thread has opened a file in between, which then has that number.
 */
function putAt(descriptor: number, path: string): boolean {
  closeSync(descriptor);
  const got = openOr(path, "/dev/null");
  if (got !== descriptor) closeSync(got);
  return got === descriptor;
}

function openOr(path: string, other: string): number {
  try {
    return openSync(path, constants.O_WRONLY | constants.O_NOCTTY);
  } catch {
    return openSync(other, constants.O_WRONLY);
  }
}
