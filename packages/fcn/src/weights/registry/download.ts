import { TensorError } from "@fcn/tensor";
import { nodeModule } from "@fcn/tensor/internal";
import { PartFile } from "./partFile.js";

export interface DownloadOptions {
  readonly url: string;
  /** Used in messages. */
  readonly name: string;
  /** Whether the length stated by the server is acceptable; `published` describes the expected one. */
  readonly fits: (bytes: number) => boolean;
  readonly published: string;
  /**
   * Whether to resume an earlier download even if the server cannot confirm that its file is unchanged, because a
   * checksum follows.
   */
  readonly trustPart: boolean;
  /** Number of successive attempts without any data before giving up. */
  readonly retries: number;
  /** A connection counts as lost after this long without data. */
  readonly idleSeconds: number;
  readonly signal?: AbortSignal | undefined;
  readonly onBytes: (received: number, total: number | undefined) => void;
}

/** A connection failed or ended early; another attempt may continue from there. */
class Dropped extends Error {}

/** More than any weights need, so that a server cannot fill the disk. */
const MOST_BYTES = 16 * 2 ** 30;
const LONGEST_PAUSE = 5000;

/**
 * Downloads a file to `path`, and resumes an earlier download if the server still has the same file. Throws if
 * the server refuses, offers another size or a web page, or cannot be reached; the partial file is kept for the next
 * time.
 */
export async function download(path: string, options: DownloadOptions): Promise<void> {
  const { setTimeout: pause } = nodeModule("fetchWeights", "node:timers/promises");
  const part = new PartFile(path);
  let fruitless = 0;
  for (;;) {
    options.signal?.throwIfAborted();
    const before = await part.length();
    try {
      await attempt(part, options);
      return await part.finish();
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!(error instanceof Dropped)) throw error;
      fruitless = (await part.length()) > before ? 0 : fruitless + 1;
      if (fruitless > options.retries) throw unreachable(await part.length(), options, error);
      await pause(Math.min(100 * 2 ** fruitless, LONGEST_PAUSE));
    }
  }
}

/** Makes one request and stores everything that it returns. Aborts it after a period without data. */
async function attempt(part: PartFile, options: DownloadOptions): Promise<void> {
  const { url, trustPart, idleSeconds, signal } = options;
  const idle = new AbortController();
  const lost = (): void => idle.abort(new Error(`nothing came for ${idleSeconds} s`));
  const watch = setTimeout(lost, idleSeconds * 1000);
  try {
    const validator = await part.validator();
    const begin = trustPart || validator !== undefined ? await part.length() : 0;
    const either = AbortSignal.any(signal ? [idle.signal, signal] : [idle.signal]);
    const response = await ask(url, begin, validator, either);
    watch.refresh();
    const offset = await offsetOf(response, begin, part, options);
    if (offset !== undefined) await receive(response, offset, part, options, () => watch.refresh());
  } finally {
    clearTimeout(watch);
    idle.abort();
  }
}

async function ask(url: string, begin: number, validator: string | undefined, signal: AbortSignal): Promise<Response> {
  const range = begin > 0 ? { range: `bytes=${begin}-`, ...(validator ? { "if-range": validator } : {}) } : {};
  try {
    // Ranges of a compressed response would not be ranges of the file.
    return await fetch(url, { headers: { "accept-encoding": "identity", ...range }, signal });
  } catch (cause) {
    throw new Dropped(reasonOf(cause), { cause });
  }
}

const CONTENT_RANGE = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/;

/**
 * Where the response belongs in the file; undefined if the file is already complete. Throws for a response that is not
 * part of the file.
 */
async function offsetOf(
  { status, statusText, headers }: Response,
  begin: number,
  part: PartFile,
  options: DownloadOptions,
): Promise<number | undefined> {
  const [, first, total] = CONTENT_RANGE.exec(headers.get("content-range") ?? "") ?? [];
  if (status === 416 && Number(total) === begin) return undefined;
  if (status === 416 || (status === 206 && Number(first) !== begin)) {
    await part.restart();
    throw new Dropped(`the server cannot go on from byte ${begin}`);
  }
  if (status === 408 || status === 429 || status >= 500) throw new Dropped(`status ${status}`);
  if (status !== 200 && status !== 206) throw refused(`status ${status} ${statusText}`.trim(), options);
  if (/^text\/html/i.test(headers.get("content-type") ?? "")) throw refused("a web page, not a file", options);
  if (status === 206) return begin;
  await part.restart(headers);
  return 0;
}

async function receive(
  response: Response,
  offset: number,
  part: PartFile,
  options: DownloadOptions,
  alive: () => unknown,
): Promise<void> {
  const length = response.headers.get("content-length");
  const total = length === null ? undefined : offset + Number(length);
  if (total !== undefined && (total > MOST_BYTES || !options.fits(total))) {
    throw refused(`a file of ${total} bytes, published are ${options.published}`, options);
  }
  let at = offset;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunksOf(response)) {
      alive();
      if (at + chunk.length > MOST_BYTES) throw refused(`more than ${MOST_BYTES} bytes`, options);
      yield chunk;
      at += chunk.length;
      options.onBytes(at, total);
    }
  }
  await part.write(offset, counted());
  if (total !== undefined && at < total) throw new Dropped(`the response ended after ${at} of ${total} bytes`);
}

/** Marks failures of the connection as such, to tell them from failures of the disk. */
async function* chunksOf({ body }: Response): AsyncGenerator<Uint8Array> {
  const reader = body?.getReader();
  for (;;) {
    const { done, value } = (await reader?.read().catch((cause: unknown) => {
      throw new Dropped(reasonOf(cause), { cause });
    })) ?? { done: true, value: undefined };
    if (done) return;
    yield value;
  }
}

/** The system's code for the fault, such as ENOTFOUND, which may belong to an inner cause. */
function reasonOf(error: unknown): string {
  const codeOf = (at: unknown, depth: number): string | undefined => {
    if (!(at instanceof Error) || depth > 8) return undefined;
    const { code } = at as { code?: unknown };
    return typeof code === "string" ? code : codeOf(at.cause, depth + 1);
  };
  return codeOf(error, 0) ?? (error instanceof Error ? error.message : String(error));
}

function refused(what: string, { name, url }: DownloadOptions): TensorError {
  return new TensorError({
    code: "download-refused",
    message: `fetchWeights ${name}: ${new URL(url).host} sent ${what}`,
    fix: `open ${url} in a browser, save the file and put it into the cache folder, or use another entry`,
  });
}

function unreachable(kept: number, { name, url }: DownloadOptions, cause: Dropped): TensorError {
  const rest = kept > 0 ? `; the ${kept} bytes that arrived are kept for the next try` : "";
  const message = `fetchWeights ${name}: no connection to ${new URL(url).host} (${cause.message})${rest}`;
  return new TensorError({ code: "no-network", message, fix: "connect to the network and try again" }, { cause });
}
