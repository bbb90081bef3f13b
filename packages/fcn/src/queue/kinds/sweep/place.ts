import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { hasCode, TensorError } from "@fcn/tensor";
import { makeTemporaryFolder, reworded } from "@fcn/tensor/internal";
import { stampOf } from "../../../data/files/files.js";
import { writeWholeFile } from "../../../files/write.js";
import { isRemote } from "../../../places/address.js";
import { openPlace } from "../../../places/open.js";
import type { Place } from "../../../places/place.js";
import { checkpointFile, checkpointStep } from "../../../training/run/state/checkpoint.js";
import { RUN_FILES } from "../../../training/run/state/result.js";

/** What a sweep writes lies in a folder, or in a bucket. A name below either, as an address. */
export const pathIn = (out: string, name: string): string => (isRemote(out) ? `${out}/${name}` : join(out, name));

/** The text of a file of a sweep, or undefined if there is none. */
export async function readText(out: string, name: string): Promise<string | undefined> {
  try {
    if (!isRemote(out)) return await readFile(join(out, name), "utf8");
    return new TextDecoder().decode(await (await openPlace(out)).read(name));
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT" || hasCode(error, "missing-data")) return undefined;
    throw error;
  }
}

/** Writes a file of a sweep, which appears whole. */
export async function writeText(out: string, name: string, text: string): Promise<void> {
  if (!isRemote(out)) return writeWholeFile("sweep", join(out, name), text);
  await (await openPlace(out)).write(name, new TextEncoder().encode(text));
}

/** A folder of this machine in which a run is trained. */
export interface RunFolder {
  readonly path: string;
  /** What errors call it. */
  readonly shown: string;
  /** To be called when there is a checkpoint, which is copied to where it belongs if that is elsewhere. */
  readonly kept?: () => Promise<void>;
}

/**
 * Calls `use` with the folder of a run: its own, or if the sweep lies in a bucket, one for a while, to which the run is
 * fetched before, and from which it is written back after each checkpoint and at the end. Where the bucket does not
 * answer at the end, it is waited for some minutes.
 */
export async function withRunFolder<T>(
  out: string,
  name: string,
  { signal }: { readonly signal?: AbortSignal | undefined },
  use: (folder: RunFolder) => Promise<T>,
): Promise<T> {
  const shown = pathIn(out, name);
  if (!isRemote(out)) return use({ path: shown, shown });
  const place = await openPlace(shown);
  const scratch = await makeTemporaryFolder("sweep");
  try {
    const copy = new RunCopy(place, scratch.path);
    await copy.fetch();
    try {
      return await use({ path: scratch.path, shown, kept: () => copy.sendNowAndThen() });
    } finally {
      await whenItAnswers(() => copy.send(), signal);
    }
  } finally {
    await scratch.remove();
  }
}

/** An error in the training of a run, which names the folder by where it belongs. */
export function shownError(error: unknown, { path, shown }: RunFolder): unknown {
  if (!(error instanceof TensorError) || path === shown) return error;
  const said = (text: string): string => text.replaceAll(path, shown);
  const { message, fix, commandFix = fix } = error;
  return reworded(error, { message: said(message), fix: { code: said(fix), command: said(commandFix) } });
}

/** Seconds between attempts to write to a bucket that does not answer, and how many there are. */
const [PAUSE, MOST_PAUSES] = [5, 60];

async function whenItAnswers(work: () => Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  for (let pause = 0; ; pause++) {
    try {
      return await work();
    } catch (error) {
      if (!hasCode(error, "no-network") || signal?.aborted || pause === MOST_PAUSES) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000 * PAUSE));
    }
  }
}

/** At most one part in so many of the time goes into copies of checkpoints on the way. */
const SHARE = 10;

/** A run in a folder of this machine, and in its place. */
class RunCopy {
  readonly #here: Promise<Place>;
  /** The files that both have, with their stamps here. */
  readonly #same = new Map<string, string | undefined>();
  #next = 0;

  constructor(
    private readonly place: Place,
    folder: string,
  ) {
    this.#here = openPlace(folder);
  }

  /** Brings the run here. Without a checkpoint there is nothing to go on from. */
  async fetch(): Promise<void> {
    const names = await namesIn(this.place);
    const last = Math.max(...names.map(stepIn));
    if (last < 0) return;
    const here = await this.#here;
    for (const name of names) {
      if (stepIn(name) >= 0 && stepIn(name) < last) continue;
      await here.write(name, this.place.stream(name));
      this.#same.set(name, await stampOf(here.addressOf(name)));
    }
  }

  /** Copies a checkpoint on the way, unless the last copy was but now. It may fail: the next one tries again. */
  async sendNowAndThen(): Promise<void> {
    const begin = performance.now();
    if (begin < this.#next) return;
    await this.send().catch((error: unknown) => {
      if (!hasCode(error, "no-network")) throw error;
    });
    const end = performance.now();
    this.#next = end + SHARE * (end - begin);
  }

  /**
   * Writes what has changed to the place, the checkpoint last: until it is there, the former one holds. Does nothing if
   * another worker, which took this one for dead, has come further.
   */
  async send(): Promise<void> {
    const here = await this.#here;
    const names = (await namesIn(here)).sort((a, b) => stepIn(a) - stepIn(b));
    const there = (await namesIn(this.place)).filter((name) => stepIn(name) >= 0);
    const step = Math.max(...names.map(stepIn));
    if (there.some((name) => stepIn(name) > step)) return;
    for (const name of names) {
      const file = here.addressOf(name);
      const stamp = await stampOf(file);
      if (stamp === undefined || this.#same.get(name) === stamp) continue;
      await this.place.write(name, { file });
      this.#same.set(name, stamp);
    }
    for (const name of there) if (stepIn(name) < step) await this.place.remove(name);
  }
}

/** The step of a checkpoint by its name in the folder of a run; -1 for any other file. */
const stepIn = (name: string): number => {
  const [folder, file = ""] = name.split("/");
  return folder === RUN_FILES.checkpoint ? (checkpointStep(file) ?? -1) : -1;
};

/** The name below a bucket's address of a net in the folder of one of these runs that has no checkpoint. */
export async function netWithoutCheckpoint(out: string, runs: ReadonlySet<string>): Promise<string | undefined> {
  const above = (name: string): string => name.slice(0, Math.max(0, name.lastIndexOf("/")));
  const nets = new Map<string, string>();
  const goOn = new Set<string>();
  for await (const { name } of (await openPlace(out)).list()) {
    const run = above(name);
    if (runs.has(run) && [RUN_FILES.best, RUN_FILES.last].some((file) => name === `${run}/${file}`))
      nets.set(run, name);
    const owner = above(run);
    if (runs.has(owner) && stepIn(name.slice(owner.length + 1)) >= 0) goOn.add(owner);
  }
  return [...nets].find(([run]) => !goOn.has(run))?.[1];
}

/** The files of a run. */
async function namesIn(place: Place): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of place.list()) {
    if (Object.values<string>(RUN_FILES).includes(name.split("/")[0] as string)) names.push(name);
  }
  return names;
}

/**
 * Calls `use` with the folders of the first `most` of these runs that have a checkpoint, and with the one that they lie
 * in: that of the sweep, or if it lies in a bucket, one for a while with no more of each checkpoint than its header.
 */
export async function withRuns<T>(
  out: string,
  runs: readonly string[],
  most: number,
  use: (folders: readonly string[], root: string) => Promise<T>,
): Promise<T> {
  const scratch = isRemote(out) ? await makeTemporaryFolder("sweep") : undefined;
  const root = scratch?.path ?? out;
  try {
    const found: string[] = [];
    for (const run of runs) {
      if (found.length === most) break;
      if (scratch) await fetchHead(pathIn(out, run), join(root, run));
      if (await checkpointFile(join(root, run, RUN_FILES.checkpoint))) found.push(join(root, run));
    }
    return await use(found, root);
  } finally {
    await scratch?.remove();
  }
}

/** Copies the header of the last checkpoint of a run. The file is given its length, and takes no room. */
async function fetchHead(address: string, folder: string): Promise<void> {
  const place = await openPlace(address);
  const last = (await namesIn(place)).sort((a, b) => stepIn(a) - stepIn(b)).at(-1);
  if (last === undefined || stepIn(last) < 0) return;
  const { bytes = 0 } = (await place.stat(last)) ?? {};
  await (await openPlace(folder)).write(last, await headOf(place, last));
  const file = await open(join(folder, last), "r+");
  await file.truncate(bytes).finally(() => file.close());
}

/** The header of a safetensors file, which begins with its length. */
async function headOf(place: Place, name: string): Promise<Uint8Array> {
  const { buffer, byteOffset } = await place.read(name, { offset: 0, length: 8 });
  const length = Number(new DataView(buffer, byteOffset).getBigUint64(0, true));
  return place.read(name, { offset: 0, length: 8 + length });
}
