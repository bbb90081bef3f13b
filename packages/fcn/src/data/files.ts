import type { TensorError } from "@fcn/tensor";
import { nodeModule } from "@fcn/tensor/internal";
import { damagedFile, fileError, reasonOf } from "./errors.js";

const REASONS: Readonly<Record<string, readonly [problem: string, fix: string]>> = {
  ENOENT: ["it does not exist", "check the path"],
  EACCES: ["permission to read it is denied", "change its permissions (chmod), or run as its owner"],
  EPERM: ["permission to read it is denied", "change its permissions (chmod), or run as its owner"],
  ENOTDIR: ["a part of its path is a file, not a folder", "check the path"],
  EISDIR: ["it is a folder, not a file", "name a file"],
  EMFILE: ["too many files are open", "use fewer workers, or raise the limit (ulimit -n)"],
};

async function unreadable(path: string, cause: unknown): Promise<TensorError> {
  const code = (cause as { code?: string }).code ?? "";
  if (code === "ENOENT") {
    const target = await linkTarget(path);
    if (target !== undefined) return fileError("missing-data", path, ...nowhere(target), cause);
  }
  const [problem, fix] = REASONS[code] ?? [`it cannot be read: ${reasonOf(cause)}`, "check the path and the disk"];
  const at = code === "EACCES" || code === "EPERM" ? await closedPart(path) : path;
  return fileError(code === "ENOENT" ? "missing-data" : "unreadable-file", at, problem, fix, cause);
}

const nowhere = (target: string): [problem: string, fix: string] => [
  `it is a link to ${target}, where nothing is`,
  "put the file there, or replace the link by the file",
];

/** Where a link points; undefined for what is no link. */
async function linkTarget(path: string): Promise<string | undefined> {
  const { readlink } = nodeModule(path, "node:fs/promises");
  return readlink(path).catch(() => undefined);
}

/** The part of a forbidden path that is closed: the path, or the first folder above it that keeps others from looking into it. */
async function closedPart(path: string): Promise<string> {
  const { stat } = nodeModule(path, "node:fs/promises");
  const isKnown = await stat(path).then(
    () => true,
    (error: { code?: string }) => error.code !== "EACCES" && error.code !== "EPERM",
  );
  const above = path.replace(/[/\\]+[^/\\]+$/, "");
  return isKnown || above === path || above === "" ? path : closedPart(above);
}

/** All bytes of a file (Node). Throws a TensorError that names the file when it is absent, forbidden or empty. */
export async function readBytes(path: string): Promise<Uint8Array> {
  const { readFile } = nodeModule(path, "node:fs/promises");
  const bytes = await readFile(path).catch(async (cause: unknown) => {
    throw await unreadable(path, cause);
  });
  if (bytes.length === 0) throw damagedFile(path, "it is empty (0 bytes)");
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** What changes when a file (Node) is written or replaced; undefined where it cannot be found. */
export async function stampOf(path: string): Promise<string | undefined> {
  const { stat } = nodeModule(path, "node:fs/promises");
  const found = await stat(path).catch(() => undefined);
  return found && [found.ino, found.size, found.mtimeMs, found.ctimeMs].join(" ");
}

/** The first bytes of a file (Node), fewer where it is shorter. Throws where it cannot be read. */
export async function readStart(path: string, length: number): Promise<Uint8Array> {
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

/** A text file (Node) in UTF-8, or in UTF-16 that begins with a byte order mark, without the mark. */
export async function readText(path: string): Promise<string> {
  const bytes = await readBytes(path);
  const mark = bytes.length > 1 ? ((bytes[0] as number) << 8) | (bytes[1] as number) : 0;
  if (mark === 0xfffe) return new TextDecoder("utf-16le").decode(bytes);
  if (mark === 0xfeff) return new TextDecoder("utf-16be").decode(bytes);
  const text = new TextDecoder().decode(bytes);
  if (text.includes("\0")) throw fileError("corrupt-file", path, "it is no text in UTF-8", "save it as UTF-8");
  return text;
}

/** A JSON file (Node). */
export async function readJson(path: string): Promise<unknown> {
  return parseJson(path, await readText(path));
}

/** The value of a JSON text, which the file holds. */
export function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw damagedFile(path, `it is not JSON: ${reasonOf(cause)}`, cause);
  }
}

/** The lines of a text file (Node) without blanks around them; empty lines are left out. */
export async function readLines(path: string): Promise<string[]> {
  const lines = (await readText(path)).split(/\r?\n/).map((line) => line.trim());
  return lines.filter((line) => line !== "");
}

/** The files below a folder, as paths relative to it with "/", sorted. Hidden files and folders are left out. */
export async function listFiles(folder: string, options: { readonly recursive?: boolean } = {}): Promise<string[]> {
  return (await listEntries(folder, options)).files;
}

/** {@link listFiles}, and the links that point to nothing with their targets. A link to a folder that it lies in is not followed. */
export async function listEntries(
  folder: string,
  { recursive = false }: { readonly recursive?: boolean } = {},
): Promise<{ files: string[]; broken: { path: string; target: string }[] }> {
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

/** Whether a path is a file or a folder; undefined where there is nothing. Throws where looking is forbidden. */
export async function kindOf(path: string): Promise<"file" | "folder" | undefined> {
  const { stat } = nodeModule(path, "node:fs/promises");
  try {
    return entryKind(await stat(path));
  } catch (cause) {
    // A link that points to itself is nothing either.
    if (["ENOENT", "ENOTDIR", "ELOOP"].includes((cause as { code?: string }).code ?? "")) return undefined;
    throw await unreadable(path, cause);
  }
}

/** The folders in a folder, sorted. */
export async function listFolders(folder: string): Promise<string[]> {
  const { readdir } = nodeModule(folder, "node:fs/promises");
  const entries = await readdir(folder, { withFileTypes: true }).catch(async (cause: unknown) => {
    throw await unreadable(folder, cause);
  });
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .map((entry) => entry.name)
    .sort();
}

/** The file's name without its folders. */
export const fileName = (path: string): string => path.replace(/^.*[/\\]/, "");
/** The path without its last extension. */
export const withoutExtension = (path: string): string => path.replace(/\.[^./\\]+$/, "");
/** The path's last folder and file joined by "/". */
export const joinPath = (...parts: readonly string[]): string => parts.filter((part) => part !== "").join("/");
/** One spelling of a name: file systems and archives write letters with accents in one code point or in two. */
export const sameText = (name: string): string => name.normalize("NFC");
