import { TensorError } from "../../plain/errors.js";

const SPACE = "free some space on that disk, or write to another one, and run again";
const PLACE = "name a place that exists and may be written";

/** Error codes of the operating system: what they mean, and what to do. */
const REASONS: Readonly<Record<string, readonly [problem: string, fix: string]>> = {
  ENOSPC: ["no space left on device", SPACE],
  EDQUOT: ["the disk quota is used up", SPACE],
  EFBIG: ["a file may not be that large", "raise the limit (ulimit -f), or write to another file system"],
  EROFS: ["the file system is read-only", PLACE],
  EACCES: ["permission denied", PLACE],
  EPERM: ["permission denied", PLACE],
  ENOENT: ["its folder does not exist", PLACE],
  EPIPE: ["its reader has ended", "read it to its end"],
  EISDIR: ["it is a folder, not a file", "name a file"],
  ENOTDIR: ["a part of its path is a file, not a folder", PLACE],
};

const ADDRESS = ["it is an address, and a file of this machine is wanted", "name a file, and copy it there"] as const;

/**
 * The error for a file or folder that could not be written, from what the operating system threw: `disk-full` if there
 * is no space or quota left, otherwise `unwritable-file`.
 */
export function unwritable(op: string, path: string, cause: unknown): TensorError {
  const system = String((cause as { code?: unknown } | undefined)?.code);
  const raw = cause instanceof Error ? cause.message : String(cause);
  const isAddress = system === "ENOENT" && /^[a-z][a-z0-9+.-]+:\/\//i.test(path);
  const [problem, fix] = (isAddress && ADDRESS) ||
    (Object.hasOwn(REASONS, system) && REASONS[system]) || [raw, "check the path and the disk"];
  const code = system === "ENOSPC" || system === "EDQUOT" ? "disk-full" : "unwritable-file";
  return new TensorError({ code, message: `${op}: cannot write ${path}: ${problem}`, fix }, { cause });
}
