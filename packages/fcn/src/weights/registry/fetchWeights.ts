import { io, TensorError } from "@fcn/tensor";
import { checkValues, isNode, nodeModule, rules, withFileLock } from "@fcn/tensor/internal";
import { cacheFolder } from "./cache.js";
import { type Checked, checkFile, sizeFits, sizeText } from "./check.js";
import { type DownloadOptions, download } from "./download.js";
import type { PublishedFile, WeightsEntry } from "./entry.js";
import { unpackModel } from "./packaged.js";
import { describeWeights } from "./registry.js";

export interface FetchProgress {
  readonly name: string;
  /** Bytes received so far, including those of earlier attempts. */
  readonly received: number;
  /** Total number of bytes, if the server states it. */
  readonly total: number | undefined;
}

export interface FetchOptions {
  /** The cache folder. Default: FCN_CACHE, or `fcn/weights` in the platform's cache folder. */
  readonly cacheDir?: string;
  /** Use only the cache and never the network. Default false. */
  readonly offline?: boolean;
  readonly onProgress?: (progress: FetchProgress) => void;
  readonly signal?: AbortSignal;
  /** Number of successive attempts without any data before giving up. Default 4. */
  readonly retries?: number;
  /** Seconds without data after which a connection counts as lost. Default 30. */
  readonly idleSeconds?: number;
}

export interface FetchedWeights {
  readonly path: string;
  readonly entry: WeightsEntry;
  /** Whether the file was already in the cache. */
  readonly cached: boolean;
  /** What the file was compared with; empty if neither size nor checksum is published. */
  readonly checked: readonly Checked[];
}

/** Interval between checks of the lock of another process that downloads the same file. */
const POLL_MILLISECONDS = 100;

/**
 * Provides published weights as a file (Node): from the cache folder, or downloaded there under a temporary name,
 * resuming an earlier download; those of an npm package are taken from it, without a network. Size and checksum are
 * verified if they are published, also for a cached file. `which` is a name from `listWeights` or an entry of your own.
 * Load the file with `io.loadWeights` or a reader of `io`; `createPretrained` does all of it.
 *
 * Throws `missing-data` for an npm package that is not installed, `no-network`, `download-refused`,
 * `checksum-mismatch`, `unwritable-file`, `disk-full`, `invalid-argument` for an unknown name or an entry that is not
 * valid, and `unsupported` in a browser.
 */
export async function fetchWeights(which: string | WeightsEntry, options: FetchOptions = {}): Promise<FetchedWeights> {
  const entry = typeof which === "string" ? describeWeights(which) : which;
  const op = `fetchWeights ${entry.name}`;
  checkValues(op, [["file", entry.file, FILE_NAME]]);
  if (entry.npm === undefined) checkValues(op, [["url", entry.url, ADDRESS]]);
  const { fs, path } = nodeModules(op);
  const folder = options.cacheDir ?? (await cacheFolder());
  const target = path.join(folder, entry.file);
  const fromCache = async (): Promise<FetchedWeights | undefined> =>
    (await exists(fs, target)) ? { path: target, entry, cached: true, checked: await check(target, entry) } : undefined;
  const found = await fromCache();
  if (found !== undefined) return found;
  if (entry.npm === undefined && options.offline) throw notCached(entry, target);
  try {
    const { makeFolder } = await import("../../files/write.js");
    await makeFolder(op, folder);
    if (entry.npm === undefined) return await fetchFile(entry, target, { options, fromCache });
    await unpackModel(entry, target);
    return { path: target, entry, cached: false, checked: [] };
  } catch (error) {
    throw withRemedy(error, entry, target);
  }
}

/** Downloads a file while no other process does. */
async function fetchFile(
  entry: PublishedFile,
  target: string,
  { options, fromCache }: { options: FetchOptions; fromCache: () => Promise<FetchedWeights | undefined> },
): Promise<FetchedWeights> {
  const { fs } = nodeModules("fetchWeights");
  const { setTimeout: wait } = nodeModule("fetchWeights", "node:timers/promises");
  const waitForOther = async (): Promise<void> => {
    options.signal?.throwIfAborted();
    await wait(POLL_MILLISECONDS);
  };
  return withFileLock(`fetchWeights ${entry.name}`, `${target}.lock`, waitForOther, async () => {
    // Another process may have fetched it in the meantime.
    const fresh = await fromCache();
    if (fresh !== undefined) return fresh;
    const part = `${target}.part`;
    await download(part, downloadOptions(entry, options));
    const checked = await checkDownload(fs, part, entry);
    await fs.rename(part, target);
    return { path: target, entry, cached: false, checked };
  });
}

const ADDRESS = rules.rule<string>(
  "an address that begins with https:// or http://",
  (value) => typeof value === "string" && /^https?:/.test(value) && URL.canParse(value),
);
const FILE_NAME = rules.rule<string>(
  "a plain name for the file in the cache",
  (value) => typeof value === "string" && /^[\w-][\w.-]*$/.test(value),
);

type FileSystem = typeof import("node:fs/promises");

function nodeModules(op: string): { fs: FileSystem; path: typeof import("node:path") } {
  if (isNode()) return { fs: nodeModule(op, "node:fs/promises"), path: nodeModule(op, "node:path") };
  throw new TensorError({
    code: "unsupported",
    message: `${op}: this environment has no file system to keep it in`,
    fix: {
      code: "fetch the bytes: new Uint8Array(await (await fetch(url)).arrayBuffer()), and hand them to the reader",
    },
  });
}

const exists = (fs: FileSystem, path: string): Promise<boolean> =>
  fs.access(path).then(
    () => true,
    () => false,
  );

function downloadOptions(entry: PublishedFile, options: FetchOptions): DownloadOptions {
  return {
    name: entry.name,
    url: entry.url,
    fits: (bytes) => sizeFits(entry.size, bytes),
    published: sizeText(entry.size),
    trustPart: entry.checksum !== undefined,
    retries: options.retries ?? 4,
    idleSeconds: options.idleSeconds ?? 30,
    signal: options.signal,
    onBytes: (received, total) => options.onProgress?.({ name: entry.name, received, total }),
  };
}

/** Checks a cached file. It belongs to the user, so a wrong one is kept. */
async function check(path: string, entry: WeightsEntry): Promise<readonly Checked[]> {
  const { problem, checked } = await checkFile(path, entry);
  if (problem === undefined) return checked;
  throw mismatch(entry, `${path}: ${problem}`, `delete ${path}, so that it is fetched again`);
}

async function checkDownload(fs: FileSystem, part: string, entry: PublishedFile): Promise<readonly Checked[]> {
  const { problem, checked } = await checkFile(part, entry);
  if (problem === undefined) return checked;
  await fs.rm(part, { force: true });
  throw mismatch(
    entry,
    `the file from ${entry.url} is not the published one: ${problem}`,
    "try again; if it stays so, the publisher has another file there",
  );
}

function mismatch({ name }: WeightsEntry, problem: string, fix: string): TensorError {
  return new TensorError({ code: "checksum-mismatch", message: `fetchWeights ${name}: ${problem}`, fix });
}

const byHand = ({ url }: PublishedFile, target: string): string =>
  `get ${url} on another machine and put it at ${target}`;

function notCached(entry: PublishedFile, target: string): TensorError {
  return new TensorError({
    code: "no-network",
    message: `fetchWeights ${entry.name}: ${target} is not there, and offline is set`,
    fix: `fetch it once with a network, or ${byHand(entry, target)}`,
  });
}

/** Adds what the user can do if the network or the disk fails. */
function withRemedy(error: unknown, entry: WeightsEntry, target: string): unknown {
  const system = (error as { code?: unknown }).code;
  const isSystem = !(error instanceof TensorError) && typeof system === "string" && /^E[A-Z]+$/.test(system);
  const known = isSystem ? io.unwritable(`fetchWeights ${entry.name}`, target, error) : error;
  if (!(known instanceof TensorError)) return known;
  const remedy = remedyFor(known.code, entry, target);
  if (remedy === undefined) return known;
  return new TensorError({ ...known.parts(), fix: `${known.fix}${remedy}` }, { cause: known.cause });
}

function remedyFor(code: string, entry: WeightsEntry, target: string): string | undefined {
  if (code === "no-network" && entry.npm === undefined) return `, or ${byHand(entry, target)}`;
  return code === "unwritable-file" || code === "disk-full" ? "; cacheDir, or FCN_CACHE, names the folder" : undefined;
}
