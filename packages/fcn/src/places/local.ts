import { createReadStream } from "node:fs";
import { open, readdir, readFile, readlink, realpath, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { io } from "@fcn/tensor";
import { invalidArgument, isTemporaryName } from "@fcn/tensor/internal";
import { fileError, reasonOf } from "../data/files/errors.js";
import { makeFolder } from "../files/write.js";
import { checkName } from "./address.js";
import { CALLER, noSuchFile, withoutCaller } from "./errors.js";
import { piecesOf } from "./pieces.js";
import type { Place, PlaceContent, PlaceEntry, WriteOptions } from "./place.js";

/** How a folder of this machine is used. */
export interface LocalOptions {
  /**
   * Whether links in the folder may lead out of it, as suits those who named it for themselves, and no others. Default
   * false: such links are refused.
   */
  readonly followsLinks?: boolean;
}

/** A folder of this machine. Links in it are followed as long as they stay in it, unless they may lead anywhere. */
export class LocalPlace implements Place {
  readonly address: string;
  readonly #root: string;
  /** The folder without links, once it exists. */
  #real: string | undefined;

  constructor(
    folder: string,
    private readonly options: LocalOptions = {},
  ) {
    this.#root = resolve(folder);
    this.address = folder.replace(/(?<=.)[/\\]+$/, "");
  }

  addressOf(name: string): string {
    return join(this.address, name);
  }

  async stat(name: string): Promise<PlaceEntry | undefined> {
    const path = await this.#find(name);
    const found = path === undefined ? undefined : await stat(path);
    return found?.isFile() ? { name, bytes: found.size } : undefined;
  }

  list(prefix = ""): AsyncIterable<PlaceEntry> {
    return this.#listFolder("", prefix, []);
  }

  async read(name: string, range?: { readonly offset: number; readonly length: number }): Promise<Uint8Array> {
    const path = await this.#existing(name);
    try {
      if (range === undefined) return new Uint8Array(await readFile(path));
      const file = await open(path);
      try {
        const bytes = new Uint8Array(range.length);
        let length = 0;
        for (let read = 1; read > 0 && length < bytes.length; length += read) {
          read = (await file.read(bytes, length, bytes.length - length, range.offset + length)).bytesRead;
        }
        return bytes.subarray(0, length);
      } finally {
        await file.close();
      }
    } catch (cause) {
      throw this.#unreadable(name, cause);
    }
  }

  async *stream(name: string): AsyncIterable<Uint8Array> {
    const path = await this.#existing(name);
    try {
      yield* createReadStream(path) as AsyncIterable<Uint8Array>;
    } catch (cause) {
      throw this.#unreadable(name, cause);
    }
  }

  async write(name: string, content: PlaceContent, options?: WriteOptions): Promise<void> {
    const path = await this.#target(name);
    try {
      await makeFolder(CALLER, dirname(path));
      await io.writeWhole(CALLER, path, piecesOf(content), options);
    } catch (error) {
      throw withoutCaller(error, path);
    }
  }

  async remove(name: string): Promise<void> {
    const path = await this.#target(name);
    await rm(path, { force: true }).catch((cause: unknown) => {
      throw withoutCaller(io.unwritable(CALLER, path, cause), path);
    });
    await this.#removeEmpty(dirname(path));
  }

  async #realRoot(): Promise<string> {
    this.#real ??= await realpath(this.#root).catch(() => undefined);
    return this.#real ?? realPathOf(this.#root);
  }

  /** Removes a folder below the place that holds nothing, and those above it. Other places have no folders. */
  async #removeEmpty(folder: string): Promise<void> {
    const root = await this.#realRoot();
    for (let at = await realPathOf(folder); at !== root && isBelow(root, at); at = dirname(at)) {
      if (
        !(await rmdir(at).then(
          () => true,
          () => false,
        ))
      )
        return;
    }
  }

  /** Where a file is written: links to it are replaced, those to its folder must stay in the place. */
  async #target(name: string): Promise<string> {
    const path = this.#pathOf(name);
    const folder = dirname(path);
    if (folder !== this.#root && (await this.#isOutside(await realPathOf(folder)))) throw this.#outside(name);
    return path;
  }

  async #existing(name: string): Promise<string> {
    const path = await this.#find(name);
    if (path === undefined) throw noSuchFile(this.addressOf(name));
    return path;
  }

  /** The path of a file without links; undefined if there is nothing. */
  async #find(name: string): Promise<string | undefined> {
    const path = this.#pathOf(name);
    const real = await realpath(path).catch((cause: unknown) => {
      if (isNothing(cause)) return undefined;
      throw this.#unreadable(name, cause);
    });
    if (real !== undefined && (await this.#isOutside(real))) throw this.#outside(name);
    return real;
  }

  /** Whether a path without links is not to be used. */
  async #isOutside(path: string): Promise<boolean> {
    return this.options.followsLinks !== true && !isBelow(await this.#realRoot(), path);
  }

  #pathOf(name: string): string {
    checkName(this.address, name);
    const path = join(this.#root, name);
    // On Windows, names may hold more that climbs: backslashes and drives.
    if (relative(this.#root, path).split(sep).join("/") !== name) throw this.#outside(name);
    return path;
  }

  #outside(name: string): Error {
    const fix = "put the file there in place of the link, or name the place to which it leads";
    return invalidArgument(`${this.addressOf(name)}: a link leads out of ${this.address}`, fix);
  }

  #unreadable(name: string, cause: unknown): Error {
    const address = this.addressOf(name);
    if (isNothing(cause)) return noSuchFile(address, cause);
    return fileError(
      "unreadable-file",
      address,
      `it cannot be read: ${reasonOf(cause)}`,
      "check its permissions",
      cause,
    );
  }

  /** In the order of whole names, for which a folder counts with its "/". */
  async *#listFolder(below: string, prefix: string, above: readonly string[]): AsyncGenerator<PlaceEntry> {
    const here = join(this.#root, below);
    const real = await realpath(here).catch(() => undefined);
    if (real === undefined || above.includes(real) || (await this.#isOutside(real))) return;
    const entries = await readdir(here, { withFileTypes: true }).catch((cause: unknown) => {
      if (isNothing(cause)) return [];
      throw this.#unreadable(below, cause);
    });
    const names: string[] = [];
    for (const entry of entries) {
      const name = below + entry.name;
      const kind = entry.isSymbolicLink() ? await stat(join(this.#root, name)).catch(() => undefined) : entry;
      if (kind?.isDirectory() && (name.startsWith(prefix) || prefix.startsWith(`${name}/`))) names.push(`${name}/`);
      if (kind?.isFile() && name.startsWith(prefix) && !isTemporaryName(name)) names.push(name);
    }
    for (const name of names.sort(byBytes)) {
      if (name.endsWith("/")) yield* this.#listFolder(name, prefix, [...above, real]);
      else {
        // What was removed meanwhile is left out, and so are links that lead out of the place.
        const entry = await this.stat(name).catch(() => undefined);
        if (entry !== undefined) yield entry;
      }
    }
  }
}

/** The order of buckets: that of the bytes in UTF-8. */
const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

const isNothing = (cause: unknown): boolean =>
  ["ENOENT", "ENOTDIR", "ELOOP"].includes((cause as { code?: string } | undefined)?.code ?? "");

/** Whether a path without links is a folder or lies in it. */
export const isBelow = (folder: string, path: string): boolean =>
  path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);

/** A path without links, of which only a first part needs to exist. A link to nothing counts as what it leads to. */
export async function realPathOf(path: string, links = 0): Promise<string> {
  const whole = resolve(path);
  try {
    return await realpath(whole);
  } catch (cause) {
    const above = dirname(whole);
    if (!isNothing(cause) || above === whole || links > MOST_LINKS) throw cause;
    const target = await readlink(whole).catch(() => undefined);
    const folder = await realPathOf(above, links);
    return target === undefined
      ? join(folder, whole.slice(above.length))
      : realPathOf(resolve(folder, target), links + 1);
  }
}

/** As many as Linux follows. */
const MOST_LINKS = 40;
