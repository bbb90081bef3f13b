import { type io, TensorError } from "@fcn/tensor";
import { guessContent, isNode } from "@fcn/tensor/internal";
import { isBucket, openPlaces } from "./buckets.js";

/** How far a file has come. */
export interface LoadProgress {
  /** Bytes so far. */
  readonly loaded: number;
  /** Bytes of the whole file; undefined where the server does not say. */
  readonly total: number | undefined;
}

export interface LoadOptions {
  /** Called with each part of the file that arrives. */
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
  /** Ends the loading, which then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

const REMOTE = /^(https?|blob|data):/i;

/**
 * The address that is fetched, or undefined for the path of a file: addresses of http, https, blob and data, and on a
 * page, which has no paths, any text, relative to the page.
 */
export function remoteAddress(source: unknown): string | undefined {
  if (source instanceof URL) return REMOTE.test(source.href) ? source.href : undefined;
  if (typeof source !== "string") return undefined;
  return REMOTE.test(source) || !isNode() ? source : undefined;
}

/**
 * The bytes behind an address, or of a response that was fetched. Throws `no-network` where there is no connection, and
 * `download-refused`, with the address and the status, for any status but success and for a web page in place of the
 * file.
 */
export async function fetchBytes(
  op: string,
  source: string | Response,
  { onProgress, signal }: LoadOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  signal?.throwIfAborted();
  const response = typeof source === "string" ? await ask(op, source, signal) : source;
  const url = typeof source === "string" ? shortened(source) : response.url || "the given response";
  if (!response.ok) throw refused(op, url, `the server answered ${`${response.status} ${response.statusText}`.trim()}`);
  const parts: Uint8Array[] = [];
  let loaded = 0;
  // What was compressed for the way is longer than the server says.
  const isPlain = response.headers.get("content-encoding") === null;
  const length = Number(response.headers.get("content-length") ?? Number.NaN);
  const total = isPlain && length > 0 ? length : undefined;
  const reader = response.body?.getReader();
  const next = async (): Promise<Uint8Array | undefined> =>
    (
      await reader?.read().catch((cause: unknown) => {
        signal?.throwIfAborted();
        throw noNetwork(op, url, `after ${loaded} bytes`, cause);
      })
    )?.value;
  try {
    for (let part = await next(); part !== undefined; part = await next()) {
      signal?.throwIfAborted();
      parts.push(part);
      loaded += part.length;
      onProgress?.({ loaded, total });
    }
  } finally {
    await reader?.cancel().catch(() => undefined);
  }
  if (total !== undefined && loaded < total) throw noNetwork(op, url, `after ${loaded} of ${total} bytes`);
  const bytes = new Uint8Array(loaded);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  if (guessContent(bytes)?.what === WEB_PAGE) throw refused(op, url, "the server sent a web page (HTML), not a file");
  return bytes;
}

/** A file of weights: its path or its address in a bucket (Node), bytes, Blob or File, its address, or a response. */
export type FileSource = io.PathOrBytes | Response;

/** A file as the readers of `io` take it; what is fetched has its address for a name. */
export async function localFile(op: string, source: FileSource, options: LoadOptions = {}): Promise<io.PathOrBytes> {
  if ((typeof source === "string" || source instanceof URL) && isBucket(`${source}`)) {
    const { readAddress } = await openPlaces(op);
    return new File([(await readAddress(`${source}`)) as Uint8Array<ArrayBuffer>], `${source}`);
  }
  const fetched = source instanceof Response ? source : remoteAddress(source);
  if (fetched === undefined) return source as io.PathOrBytes;
  const bytes = await fetchBytes(op, fetched, options);
  const name = typeof fetched === "string" ? shortened(fetched) : fetched.url;
  return new File([bytes], name || "the given response");
}

/** What messages call a file. */
export function sourceName(source: io.PathOrBytes): string {
  if (typeof source === "string" || source instanceof URL) return String(source);
  return (source instanceof Blob && (source as Partial<File>).name) || "the given bytes";
}

const WEB_PAGE = "a web page (HTML)";

async function ask(op: string, url: string, signal: AbortSignal | undefined): Promise<Response> {
  try {
    return await fetch(url, signal ? { signal } : {});
  } catch (cause) {
    signal?.throwIfAborted();
    throw noNetwork(op, shortened(url), "before a byte came", cause);
  }
}

/** An address that carries the file itself is cut for messages. */
const shortened = (url: string): string => (url.length > 200 ? `${url.slice(0, 60)}...` : url);

const refused = (op: string, url: string, problem: string): TensorError =>
  new TensorError({
    code: "download-refused",
    message: `${op}: ${url}: ${problem}`,
    fix: "open the address in a browser: it must lead to the file itself",
    details: { url },
  });

export const noNetwork = (op: string, url: string, when: string, cause?: unknown): TensorError =>
  new TensorError(
    {
      code: "no-network",
      message: `${op}: ${url}: the connection failed ${when}${cause instanceof Error ? ` (${cause.message})` : ""}`,
      fix: {
        code: "check the address and the network; from another origin, the server must allow it (CORS)",
        command: "check the address and the network",
      },
    },
    { cause },
  );
