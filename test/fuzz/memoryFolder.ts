import type { Dirent, Stats } from "node:fs";
import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { posix } from "node:path";

/**
 * Files below a folder that `node:fs/promises` finds in memory. A reader of folders makes some thirty calls an input;
 * those of a disk would take nearly all the time. What is odd about a path is left to the system, so that its own
 * errors come.
 */
export class MemoryFolder {
  readonly #files = new Map<string, { bytes: Uint8Array; version: number }>();
  readonly #folders = new Map<string, Map<string, "file" | "folder">>();
  #version = 1;

  constructor(private readonly root: string) {
    this.#folders.set(root, new Map());
    this.#install();
  }

  write(path: string, bytes: Uint8Array): void {
    this.#files.set(posix.join(this.root, path), { bytes, version: ++this.#version });
    let at = this.root;
    for (const [i, part] of path.split("/").entries()) {
      const isFile = i === path.split("/").length - 1;
      this.#folders.get(at)?.set(part, isFile ? "file" : "folder");
      at = posix.join(at, part);
      if (!isFile && !this.#folders.has(at)) this.#folders.set(at, new Map());
    }
  }

  /** The path as it is known here; undefined for one that is the system's. */
  #own(path: unknown): string | undefined {
    if (typeof path !== "string" || path.includes("\0") || path.split("/").some((part) => part.length > 80))
      return undefined;
    const plain = posix.normalize(path).replace(/\/$/, "");
    return plain === this.root || plain.startsWith(`${this.root}/`) ? plain : undefined;
  }

  #missing(call: string, path: string): Error {
    const inFile = [...this.#files.keys()].some((file) => path.startsWith(`${file}/`));
    const [code, text] = inFile ? ["ENOTDIR", "not a directory"] : ["ENOENT", "no such file or directory"];
    return Object.assign(new Error(`${code}: ${text}, ${call} '${path}'`), { code, syscall: call, path });
  }

  #stats(path: string): Stats {
    const file = this.#files.get(path);
    if (file === undefined && !this.#folders.has(path)) throw this.#missing("stat", path);
    const version = file?.version ?? 0;
    const times = { ino: path.length, size: file?.bytes.length ?? 0, mtimeMs: version, ctimeMs: version };
    const kinds = {
      isFile: () => file !== undefined,
      isDirectory: () => file === undefined,
      isSymbolicLink: () => false,
    };
    return { ...times, ...kinds } as Stats;
  }

  #bytes(call: string, path: string): Buffer {
    const file = this.#files.get(path);
    if (file !== undefined) return Buffer.from(file.bytes);
    if (!this.#folders.has(path)) throw this.#missing(call, path);
    const text = "EISDIR: illegal operation on a directory, read";
    throw Object.assign(new Error(text), { code: "EISDIR", syscall: "read" });
  }

  #entries(path: string): Dirent[] {
    const entries = this.#folders.get(path);
    if (entries === undefined) throw this.#missing("scandir", path);
    return [...entries].map(([name, kind]) => {
      const kinds = {
        isFile: () => kind === "file",
        isDirectory: () => kind === "folder",
        isSymbolicLink: () => false,
      };
      return { name, ...kinds } as Dirent;
    });
  }

  #handle(path: string) {
    const bytes = this.#bytes("open", path);
    return {
      stat: async () => this.#stats(path),
      readFile: async () => bytes,
      read: async (buffer: Uint8Array, offset: number, length: number, position: number) => {
        const bytesRead = bytes.copy(buffer, offset, position, position + length);
        return { bytesRead, buffer };
      },
      close: async () => {},
    };
  }

  #install(): void {
    const serve = (name: string, answer: (path: string, options: unknown) => unknown): void => {
      const functions = fs as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
      const original = functions[name] as (...args: unknown[]) => Promise<unknown>;
      functions[name] = async (...args) => {
        const own = this.#own(args[0]);
        return own === undefined ? original(...args) : answer(own, args[1]);
      };
    };
    serve("stat", (path) => this.#stats(path));
    serve("lstat", (path) => this.#stats(path));
    serve("access", (path) => void this.#stats(path));
    serve("realpath", (path) => this.#stats(path) && path);
    serve("readlink", (path) => {
      throw this.#stats(path) && Object.assign(new Error("EINVAL: invalid argument, readlink"), { code: "EINVAL" });
    });
    serve("readFile", (path, options) => {
      const bytes = this.#bytes("open", path);
      return typeof options === "string" ? bytes.toString(options as BufferEncoding) : bytes;
    });
    serve("open", (path) => this.#handle(path));
    serve("readdir", (path, options) => {
      const entries = this.#entries(path);
      return (options as { withFileTypes?: boolean } | undefined)?.withFileTypes
        ? entries
        : entries.map(({ name }) => name);
    });
    syncBuiltinESMExports();
  }
}
