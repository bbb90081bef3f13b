import type { TensorError } from "@fcn/tensor";
import { decodeText, describeFault, guessContent, nodeModule, recodeFix, type TextFault } from "@fcn/tensor/internal";
import { bucketFile, bucketFiles, bucketFolders, bucketKind, isBucket, readBucket } from "./buckets.js";
import { damagedFile, fileError, reasonOf, unlessAway, wrongContent } from "./errors.js";
import { JSON_FILE, parseJson } from "./json.js";
import { joinPath } from "./paths.js";

export * from "./paths.js";

const REASONS: Readonly<Record<string, readonly [problem: string, fix: string]>> = {
  ENOENT: ["it does not exist", "check the path"],
  EACCES: ["permission to read it is denied", "change its permissions (chmod), or run as its owner"],
  EPERM: ["permission to read it is denied", "change its permissions (chmod), or run as its owner"],
  ENOTDIR: ["a part of its path is a file, not a folder", "check the path"],
  EISDIR: ["it is a folder, not a file", "name a file"],
  ERR_FS_FILE_TOO_LARGE: ["it is larger than 2 GiB, which is more than is read at once", "cut it into smaller files"],
  ENAMETOOLONG: [
    "its name is longer than the system allows",
    "correct the name where it stands, in a list or an annotation",
  ],
  EMFILE: ["too many files are open", "use fewer workers, or raise the limit (ulimit -n)"],
};

/** The error for a file that cannot be read, with the reason that the system gave. */
export async function unreadable(path: string, cause: unknown): Promise<TensorError> {
  const code = (cause as { code?: string }).code ?? "";
  if (code === "ENOENT") {
    const target = await linkTarget(path);
    if (target !== undefined) return fileError("missing-data", path, ...nowhere(target), cause);
    if (isLostName(path)) return fileError("unreadable-file", path, LOST_NAME, lostNameFix(path), cause);
  }
  const [problem, fix] = REASONS[code] ?? [`it cannot be read: ${reasonOf(cause)}`, "check the path and the disk"];
  const at = code === "EACCES" || code === "EPERM" ? await closedPart(path) : path;
  return fileError(code === "ENOENT" ? "missing-data" : "unreadable-file", at, problem, fix, cause);
}

/** Node puts this character for bytes of a name that are not UTF-8; such a name finds no file. */
export const isLostName = (path: string): boolean => path.includes("\ufffd");
export const LOST_NAME = "its name is not in UTF-8, so that it cannot be opened";
/** The remedy for a file whose name has such a character. */
export function lostNameFix(path: string): string {
  const folder = path.slice(0, path.indexOf("\ufffd")).replace(/[^/\\]*$/, "") || ".";
  return `rename it; for example, where names are in GBK: convmv -r -f GBK -t UTF-8 --notest ${folder}`;
}

const nowhere = (target: string): [problem: string, fix: string] => [
  `it is a link to ${target}, which does not exist`,
  "put the file there, or replace the link by the file",
];

/** The target of a link, or undefined for anything that is not a link. */
async function linkTarget(path: string): Promise<string | undefined> {
  const { readlink } = nodeModule(path, "node:fs/promises");
  return readlink(path).catch(() => undefined);
}

/**
 * The inaccessible part of a forbidden path: the path itself, or the nearest folder above it that cannot be searched.
 */
async function closedPart(path: string): Promise<string> {
  const { stat } = nodeModule(path, "node:fs/promises");
  const isKnown = await stat(path).then(
    () => true,
    (error: { code?: string }) => error.code !== "EACCES" && error.code !== "EPERM",
  );
  const above = path.replace(/[/\\]+[^/\\]+$/, "");
  return isKnown || above === path || above === "" ? path : closedPart(above);
}

/**
 * Reads all bytes of a file, here or in a bucket (Node). Throws a TensorError that names the file if it does not exist,
 * is forbidden or is empty; `check` may throw for its size before it is read.
 */
export async function readBytes(path: string, check?: (size: number) => void): Promise<Uint8Array> {
  if (check) check(await sizeOf(path));
  const bytes = isBucket(path) ? await readBucket(path) : await readHere(path);
  if (bytes.length === 0) throw damagedFile(path, "it is empty (0 bytes)");
  return bytes;
}

async function readHere(path: string): Promise<Uint8Array> {
  const { readFile } = nodeModule(path, "node:fs/promises");
  const bytes = await readFile(path).catch(async (cause: unknown) => {
    throw await unreadable(path, cause);
  });
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** The size of a file in bytes; 0 if it cannot be found (Node). Throws `no-network` for a bucket that is away. */
export async function sizeOf(path: string): Promise<number> {
  if (isBucket(path)) return (await bucketFile(path).catch(unlessAway(undefined)))?.bytes ?? 0;
  const { stat } = nodeModule(path, "node:fs/promises");
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

/**
 * A value that changes when a file is written or replaced, or undefined if it cannot be found (Node). Throws
 * `no-network` for a bucket that is away.
 */
export async function stampOf(path: string): Promise<string | undefined> {
  if (isBucket(path)) {
    const listed = await bucketFile(path).catch(unlessAway(undefined));
    return listed && `${listed.bytes} ${listed.version}`;
  }
  const { stat } = nodeModule(path, "node:fs/promises");
  const found = await stat(path).catch(() => undefined);
  return found && [found.ino, found.size, found.mtimeMs, found.ctimeMs].join(" ");
}

/** The first bytes of a file, or fewer if it is shorter (Node). Throws if it cannot be read. */
export async function readStart(path: string, length: number): Promise<Uint8Array> {
  if (isBucket(path)) return readBucket(path, { offset: 0, length });
  const { open } = nodeModule(path, "node:fs/promises");
  const handle = await open(path, "r").catch(async (cause: unknown) => {
    throw await unreadable(path, cause);
  });
  try {
    const { buffer, bytesRead } = await handle.read(new Uint8Array(length), 0, length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/**
 * Reads a text file (Node) in UTF-8, or in UTF-16 with a byte order mark, and strips the mark. Throws a TensorError
 * that names the file and says which byte is the first wrong one and how to recode it, or what the file is if it is not
 * text.
 *
 * @param tooLong the remedy for a file longer than a string may be
 */
export async function readText(path: string, tooLong = "cut it into several files"): Promise<string> {
  const bytes = await readBytes(path, (size) => checkLength(path, size, tooLong));
  const text = decodeText(bytes);
  const guess = guessContent(bytes);
  if (typeof text !== "string") {
    const other = guess?.what === JSON_FILE ? undefined : guess;
    throw wrongContent("corrupt-file", path, other, "text") ?? notUtf8(path, text);
  }
  // Web pages and pointer files are text, but never the text that was meant.
  if (guess?.fix !== undefined) throw wrongContent("corrupt-file", path, guess, "what its name says") as TensorError;
  return text;
}

const notUtf8 = (path: string, fault: TextFault): TensorError =>
  fileError("corrupt-file", path, describeFault(fault), recodeFix(path, fault));

/** The longest string that Node allows, in characters. */
const LONGEST_TEXT = 2 ** 29 - 24;

function checkLength(path: string, size: number, fix: string): void {
  if (size <= LONGEST_TEXT) return;
  const problem = `it has ${size} bytes (${Math.ceil(size / 2 ** 20)} MiB), but a text can have ${LONGEST_TEXT} at most`;
  throw fileError("unsupported-file", path, problem, fix);
}

export async function readJson(path: string): Promise<unknown> {
  const fix = "split the annotations into several files, each with its images and all categories: all of them are read";
  return parseJson(path, await readText(path, fix));
}

/** The lines of a text file without surrounding blanks; empty lines are left out (Node). */
export async function readLines(path: string): Promise<string[]> {
  const lines = (await readText(path)).split(/\r?\n/).map((line) => line.trim());
  return lines.filter((line) => line !== "");
}

/** The files in a folder as relative paths with "/", sorted. Hidden files and folders are skipped. */
export async function listFiles(folder: string, options: { readonly recursive?: boolean } = {}): Promise<string[]> {
  return (await listEntries(folder, options)).files;
}

/**
 * Like {@link listFiles}, but also returns broken links with their targets. Links to a folder that contains them are
 * not followed.
 */
export async function listEntries(
  folder: string,
  { recursive = false }: { readonly recursive?: boolean } = {},
): Promise<{ files: string[]; broken: { path: string; target: string }[] }> {
  if (isBucket(folder)) return { files: await bucketFiles(folder, recursive), broken: [] };
  const { readdir, realpath } = nodeModule(folder, "node:fs/promises");
  const files: string[] = [];
  const broken: { path: string; target: string }[] = [];
  const visit = async (below: string, above: readonly string[]): Promise<void> => {
    const here = joinPath(folder, below);
    const entries = await readdir(here, { withFileTypes: true }).catch(async (cause: unknown) => {
      throw await unreadable(here, cause);
    });
    const parents = recursive ? [...above, await realpath(here)] : above;
    for (const entry of entries.filter(({ name }) => !name.startsWith("."))) {
      const path = joinPath(below, entry.name);
      const isLink = entry.isSymbolicLink();
      const kind = isLink ? await kindOf(joinPath(folder, path)) : entryKind(entry);
      if (kind === "file") files.push(path);
      if (isLink && kind === undefined) {
        broken.push({ path, target: (await linkTarget(joinPath(folder, path))) ?? "" });
      }
      if (kind !== "folder" || !recursive) continue;
      if (!isLink || !parents.includes(await realpath(joinPath(folder, path)))) await visit(path, parents);
    }
  };
  await visit("", []);
  return { files: files.sort(), broken };
}

function entryKind(entry: { isFile(): boolean; isDirectory(): boolean }): "file" | "folder" | undefined {
  if (entry.isFile()) return "file";
  return entry.isDirectory() ? "folder" : undefined;
}

/** Whether a path is a file or a folder; undefined if there is nothing. Throws if access is forbidden. */
export async function kindOf(path: string): Promise<"file" | "folder" | undefined> {
  if (isBucket(path)) return bucketKind(path);
  const { stat } = nodeModule(path, "node:fs/promises");
  try {
    return entryKind(await stat(path));
  } catch (cause) {
    // A link that points to itself counts as nothing.
    if (["ENOENT", "ENOTDIR", "ELOOP"].includes((cause as { code?: string }).code ?? "")) return undefined;
    throw await unreadable(path, cause);
  }
}

/** The folders in a folder, sorted. */
export async function listFolders(folder: string): Promise<string[]> {
  if (isBucket(folder)) return bucketFolders(folder);
  const { readdir } = nodeModule(folder, "node:fs/promises");
  const entries = await readdir(folder, { withFileTypes: true }).catch(async (cause: unknown) => {
    throw await unreadable(folder, cause);
  });
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .map((entry) => entry.name)
    .sort();
}

/** Unifies a name's spelling, because file systems and archives write accents as one code point or as two. */
export const sameText = (name: string): string => name.normalize("NFC");
