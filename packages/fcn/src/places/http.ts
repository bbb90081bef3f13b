import { openAsBlob } from "node:fs";
import { join } from "node:path";
import { io, TensorError } from "@fcn/tensor";
import { makeTemporaryFolder } from "@fcn/tensor/internal";
import { fileError } from "../data/files/errors.js";
import { fetchBytes, noNetwork } from "../files/fetchBytes.js";
import { checkName, webAddress } from "./address.js";
import { busyError, CALLER, noSuchFile, withoutCaller } from "./errors.js";
import type { Place, PlaceContent, PlaceEntry } from "./place.js";

/**
 * A path of a web server. What follows "?" in its address, such as a signature, is sent with each name. Files are
 * written by PUT, where the server takes it.
 */
export class HttpPlace implements Place {
  readonly address: string;
  readonly #base: string;
  readonly #search: string;

  constructor(address: string) {
    const url = webAddress(address);
    this.#base = url.origin + url.pathname.replace(/\/+$/, "");
    this.#search = url.search;
    this.address = this.#base + this.#search;
  }

  addressOf(name: string): string {
    return `${this.#base}/${name.split("/").map(encodeURIComponent).join("/")}${this.#search}`;
  }

  async stat(name: string): Promise<PlaceEntry | undefined> {
    const response = await this.#ask(name, { method: "HEAD" });
    if (isNothing(response)) return undefined;
    const length = response.headers.get("content-length");
    if (response.ok && length !== null) return { name, bytes: Number(length) };
    // The server does not answer HEAD, or does not say how long the file is.
    let bytes = 0;
    try {
      for await (const piece of this.stream(name)) bytes += piece.length;
    } catch (error) {
      if (error instanceof TensorError && error.code === "missing-data") return undefined;
      throw error;
    }
    return { name, bytes };
  }

  list(): AsyncIterable<PlaceEntry> {
    const fix = "name each file, or use a folder or an address of a bucket (s3://)";
    throw fileError("unsupported", this.address, "a web server does not list its files", fix);
  }

  async read(name: string, range?: { readonly offset: number; readonly length: number }): Promise<Uint8Array> {
    if (range === undefined) {
      const response = this.#checked(name, await this.#ask(name));
      return this.#named(name, () => fetchBytes(CALLER, response));
    }
    const { offset, length } = range;
    const parts: Uint8Array[] = [];
    for await (const piece of length === 0 ? [] : this.#part(name, offset, length)) parts.push(piece);
    return new Uint8Array(Buffer.concat(parts));
  }

  async *stream(name: string): AsyncIterable<Uint8Array> {
    yield* this.#body(name, this.#checked(name, await this.#ask(name)));
  }

  async write(name: string, content: PlaceContent): Promise<void> {
    const response = await this.#put(name, content);
    await response.body?.cancel();
    if (response.ok) return;
    const { status } = response;
    const [problem, fix] = REFUSALS[status] ?? [answerOf(response), "check the address, and what the server takes"];
    const code = status === 413 || status === 507 ? "disk-full" : "unwritable-file";
    throw fileError(code, this.addressOf(name), `it cannot be written: ${problem}`, fix);
  }

  async #put(name: string, content: PlaceContent): Promise<Response> {
    const put = (body: unknown): Promise<Response> => this.#ask(name, { method: "PUT", body: body as BodyInit });
    if (content instanceof Uint8Array) return put(content);
    if ("file" in content) return put(await openAsBlob(content.file));
    // Servers may want the length beforehand, and do not wait for pieces that take long to make.
    const scratch = await makeTemporaryFolder(CALLER);
    try {
      const file = join(scratch.path, "pieces");
      await io.writeWhole(CALLER, file, content, { sync: false });
      return await put(await openAsBlob(file));
    } finally {
      await scratch.remove();
    }
  }

  async remove(name: string): Promise<void> {
    const response = await this.#ask(name, { method: "DELETE" });
    await response.body?.cancel();
    if (response.ok || isNothing(response)) return;
    const problem = `it cannot be removed: ${answerOf(response)}`;
    throw fileError("unwritable-file", this.addressOf(name), problem, "remove it on the server");
  }

  /** Part of a file: what the server sends of it, or cut out of the whole where it knows no parts. */
  async *#part(name: string, offset: number, length: number): AsyncGenerator<Uint8Array> {
    const response = await this.#ask(name, { headers: { range: `bytes=${offset}-${offset + length - 1}` } });
    // The file ends before the part begins.
    if (response.status === 416) return void (await response.body?.cancel());
    let at = response.status === 206 ? offset : 0;
    for await (const piece of this.#body(name, this.#checked(name, response))) {
      yield piece.subarray(Math.max(0, offset - at), Math.max(0, offset + length - at));
      at += piece.length;
      if (at >= offset + length) return;
    }
  }

  async *#body(name: string, { body, headers }: Response): AsyncGenerator<Uint8Array> {
    const total = Number(headers.get("content-length") ?? Number.NaN);
    let bytes = 0;
    try {
      for await (const piece of body ?? []) {
        bytes += piece.length;
        yield piece;
      }
    } catch (cause) {
      const when = `after ${bytes}${total > 0 ? ` of ${total}` : ""} bytes`;
      throw withoutCaller(noNetwork(CALLER, this.addressOf(name), when, cause), this.addressOf(name));
    }
  }

  async #ask(name: string, init: RequestInit = {}): Promise<Response> {
    checkName(this.address, name);
    const address = this.addressOf(name);
    // Lengths are those of the file itself only where nothing is compressed for the way.
    const headers = { "accept-encoding": "identity", ...init.headers };
    const response = await fetch(address, { ...init, headers }).catch((cause: unknown) => {
      throw withoutCaller(noNetwork(CALLER, address, "before an answer came", cause), address);
    });
    const busy = busyError(address, response.status);
    if (busy === undefined) return response;
    await response.body?.cancel();
    throw busy;
  }

  #checked(name: string, response: Response): Response {
    if (response.ok) return response;
    void response.body?.cancel();
    const address = this.addressOf(name);
    if (isNothing(response)) throw noSuchFile(address);
    const fix = "open the address in a browser: it must lead to the file itself";
    throw fileError("download-refused", address, answerOf(response), fix);
  }

  async #named<T>(name: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw withoutCaller(error, this.addressOf(name));
    }
  }
}

const isNothing = ({ status }: Response): boolean => status === 404 || status === 410;

const answerOf = ({ status, statusText }: Response): string =>
  `the server answered ${`${status} ${statusText}`.trim()}`;

const TAKES_NONE = [
  "the server takes no files there (PUT)",
  "use a folder, an address of a bucket, or another server",
] as const;
const DENIED = [
  "the server denies it",
  "use an address that is signed for writing, or have the server allow it",
] as const;
const FULL = ["the server has no room for it", "free some space there, or write to another place"] as const;

/** What answers to PUT mean. */
const REFUSALS: Readonly<Partial<Record<number, readonly [problem: string, fix: string]>>> = {
  401: DENIED,
  403: DENIED,
  404: TAKES_NONE,
  405: TAKES_NONE,
  413: FULL,
  501: TAKES_NONE,
  507: FULL,
};
