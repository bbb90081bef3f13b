import type { TensorError } from "@fcn/tensor";
import { damagedFile, fileError, reasonOf } from "./errors.js";

const REASONS: Readonly<Record<string, readonly [problem: string, fix: string]>> = {
  ENOENT: ["it does not exist", "check the path"],
  EACCES: ["permission to read it is denied", "change its permissions (chmod), or run as its owner"],
  EPERM: ["permission to read it is denied", "change its permissions (chmod), or run as its owner"],
  ENOTDIR: ["a part of its path is a file, not a folder", "check the path"],
  EISDIR: ["it is a folder, not a file", "name a file"],
  EMFILE: ["too many files are open", "use fewer workers, or raise the limit (ulimit -n)"],
};

function unreadable(path: string, cause: unknown): TensorError {
  const code = (cause as { code?: string }).code ?? "";
  const [problem, fix] = REASONS[code] ?? [`it cannot be read: ${reasonOf(cause)}`, "check the path and the disk"];
  return fileError(code === "ENOENT" ? "missing-data" : "unreadable-file", path, problem, fix, cause);
}

/** All bytes of a file (Node). Throws a TensorError that names the file when it is absent, forbidden or empty. */
export async function readBytes(path: string): Promise<Uint8Array> {
  const { readFile } = await import("node:fs/promises");
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  if (bytes.length === 0) throw damagedFile(path, "it is empty (0 bytes)");
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** A text file (Node), without a byte order mark. */
export async function readText(path: string): Promise<string> {
  return new TextDecoder().decode(await readBytes(path));
}

/** A JSON file (Node). */
export async function readJson(path: string): Promise<unknown> {
  const text = await readText(path);
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
export async function listFiles(folder: string, { recursive = false } = {}): Promise<string[]> {
  const { readdir } = await import("node:fs/promises");
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw unreadable(folder, cause);
  });
  const files: string[] = [];
  for (const entry of entries) {
    if (entry.name.startsWith(".")) continue;
    const kind = entry.isSymbolicLink() ? await kindOf(`${folder}/${entry.name}`) : entryKind(entry);
    if (kind === "file") files.push(entry.name);
    else if (kind === "folder" && recursive) {
      const below = await listFiles(`${folder}/${entry.name}`, { recursive });
      files.push(...below.map((name) => `${entry.name}/${name}`));
    }
  }
  return files.sort();
}

function entryKind(entry: { isFile(): boolean; isDirectory(): boolean }): "file" | "folder" | undefined {
  if (entry.isFile()) return "file";
  return entry.isDirectory() ? "folder" : undefined;
}

/** Whether a path is a file or a folder; undefined where there is nothing. Throws where looking is forbidden. */
export async function kindOf(path: string): Promise<"file" | "folder" | undefined> {
  const { stat } = await import("node:fs/promises");
  try {
    return entryKind(await stat(path));
  } catch (cause) {
    if (["ENOENT", "ENOTDIR"].includes((cause as { code?: string }).code ?? "")) return undefined;
    throw unreadable(path, cause);
  }
}

/** The folders in a folder, sorted. */
export async function listFolders(folder: string): Promise<string[]> {
  const { readdir } = await import("node:fs/promises");
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw unreadable(folder, cause);
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
