import { hasCode, TensorError } from "@fcn/tensor";
import type { Connection } from "../server/connection.js";
import type { Chunk, ChunkJob, Run } from "./spec.js";
import * as store from "./store.js";

/** What remains to be done when all items of a run have parts: more items, or the result. */
export type Advance = { readonly total: number } | { readonly result: unknown };

/** Makes one part that stands for several, or a promise of it. */
export type Fold = (run: Run, parts: readonly unknown[]) => unknown;

/** What a kind of run adds to the tending. Each is called again if it was interrupted. */
export interface Tending {
  /** Looks at the finished parts. */
  readonly advance: (run: Run) => Promise<Advance>;
  /** What makes one part of several, where parts add up. */
  readonly foldOf?: (run: Run) => Fold | undefined;
  /** Removes what only a running run needs. */
  readonly cleanUp: (run: Run) => Promise<void>;
}

/** Milliseconds between two looks at a run. */
const EVERY = 1000;
/** One look in so many looks at each job. */
const THOROUGH = 10;
/** Seconds that a chunk should take, so that its own cost does not count and little is lost with a worker. */
const CHUNK_SECONDS = 10;
/** Items a chunk at most. */
export const MOST_ITEMS = 1000;
/** Seconds of work that wait in the queue. */
const AHEAD_SECONDS = 4;
const MOST_OPEN = 4000;
/** Attempts of a chunk that fails with an error, apart from those that end with their worker. */
export const ATTEMPTS = 3;

/** The id of a chunk's job, which follows from the chunk so that it is added once. */
const jobId = (run: string, k: number): string => `${run}-${k}`;

/** Has a run looked after until it ends, whichever workers come and go. */
export async function keepTending({ tend }: Connection, id: string): Promise<void> {
  const opts = { removeOnComplete: true, removeOnFail: true };
  await tend.upsertJobScheduler(id, { every: EVERY }, { name: "tend", data: { run: id }, opts });
}

/** Has a run looked at as soon as a worker is free, for which nothing is left in the queue. */
export async function tendSoon({ tend }: Connection, id: string): Promise<void> {
  const opts = { removeOnComplete: true, removeOnFail: true, deduplication: { id } };
  await tend.add("tend", { run: id }, opts);
}

/**
 * One look at a run: puts aside what failed, adds chunks where few are waiting, and ends the run when nothing is left.
 * Whatever interrupts it, the next look goes on.
 */
export async function tendOnce(connection: Connection, id: string, tending: Tending): Promise<void> {
  const run = await store.readRun("work", connection, id);
  try {
    if (run.state === "running") {
      await goOn(connection, run, tending).catch(async (error: unknown) => {
        if (!(error instanceof TensorError) || hasCode(error, "no-network")) throw error;
        await store.failRun(connection, id, error);
      });
    }
    // Also where it was cancelled meanwhile, so that nothing stays of what was written since.
    await stopTending(connection, id, tending.cleanUp);
  } catch (error) {
    if (!(error instanceof TensorError)) throw error;
    await store.setProblem(connection, id, error);
  }
}

async function goOn(connection: Connection, run: Run, { advance, foldOf }: Tending): Promise<void> {
  const { id } = run;
  const open = await settleFailed(connection, run);
  const fold = foldOf?.(run);
  if (fold) await store.foldParts(connection, id, (parts) => fold(run, parts));
  if (run.next < run.total) return feed(connection, run, open);
  if (open.length > 0) return;
  const aside = await store.asideChunks(connection, id);
  const next = await advance(run);
  if ("total" in next) await store.setTotal(connection, id, next.total);
  else await store.completeRun(connection, id, next.result, aside.length);
}

/**
 * Removes the jobs of a run that has ended, and what it kept unless it can be retried; does nothing for one that is
 * running. A job at work cannot be removed; it finds its run ended.
 */
export async function stopTending(connection: Connection, id: string, cleanUp: Tending["cleanUp"]): Promise<void> {
  const run = await store.readRun("work", connection, id);
  if (run.state === "running") return;
  const open = await store.openChunks(connection, id);
  await Promise.allSettled(open.map(({ k }) => connection.work.remove(jobId(id, k))));
  const canBeRetried = !(await store.hasEnded(connection, id));
  if (!canBeRetried) await cleanUp(run);
  await connection.tend.removeJobScheduler(id);
  // It may have been retried meanwhile.
  if (!(await store.closeRun(connection, id, canBeRetried))) await keepTending(connection, id);
}

/** Puts open chunks aside whose jobs have failed, and adds those again that have none. Returns what is open. */
async function settleFailed(connection: Connection, { id }: Run): Promise<Chunk[]> {
  const { work } = connection;
  const open = await store.openChunks(connection, id);
  const { failed = 0, ...there } = await work.getJobCounts("failed", "waiting", "active", "delayed");
  const jobs = Object.values(there).reduce((sum, count) => sum + count, 0);
  // Jobs of other runs may make up for one that is missing, so that each is looked at now and then.
  const isThorough = Math.floor(Date.now() / EVERY) % THOROUGH === 0;
  if (failed === 0 && jobs >= open.length && !isThorough) return open;
  const states = await Promise.all(open.map(({ k }) => work.getJobState(jobId(id, k))));
  const lost: Chunk[] = [];
  const still: Chunk[] = [];
  for (const [i, chunk] of open.entries()) {
    if (states[i] !== "failed") {
      still.push(chunk);
      if (states[i] === "unknown" || states[i] === "completed") lost.push(chunk);
      continue;
    }
    const job = await work.getJob(jobId(id, chunk.k));
    await store.putAside(connection, id, chunk, reasonOf(job?.failedReason));
    await job?.remove();
  }
  // It may have been finished since the list was read.
  const current = new Set((lost.length > 0 ? await store.openChunks(connection, id) : []).map(({ k }) => k));
  await addJobs(
    connection,
    id,
    lost.filter(({ k }) => current.has(k)),
  );
  return still;
}

/** BullMQ's word for a job that was lost too often, in those of people. */
const reasonOf = (reason = "it failed"): string => (/stalled/.test(reason) ? "it ended 3 workers" : reason);

async function feed(connection: Connection, run: Run, open: readonly Chunk[]): Promise<void> {
  const [seconds, workers] = await Promise.all([
    store.secondsPerItem(connection, run.id),
    connection.work.getWorkersCount(),
  ]);
  const chunks = cut(run, { open: open.length, workers, seconds });
  if (chunks.length === 0 || !(await store.addChunks(connection, run, chunks))) return;
  await addJobs(connection, run.id, chunks);
}

/**
 * The chunks to add: single items until speeds are known, then as many items as take some seconds on the worker in the
 * middle.
 */
export function cut(
  { spec, total, next, chunks }: Pick<Run, "spec" | "total" | "next" | "chunks">,
  { open, workers, seconds }: { readonly open: number; readonly workers: number; readonly seconds: readonly number[] },
): Chunk[] {
  const sorted = [...seconds].sort((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)];
  const measured = middle === undefined ? 1 : Math.round(CHUNK_SECONDS / Math.max(middle, 1e-6));
  // Towards the end, so many that all workers have some.
  const share = Math.ceil((total - next) / (2 * Math.max(workers, 1)));
  const size = spec.chunk ?? Math.max(1, Math.min(MOST_ITEMS, measured, share));
  const rate = sorted.reduce((sum, each) => sum + 1 / Math.max(each, 1e-6), 0);
  const wanted = Math.min(MOST_OPEN, 2 * Math.max(workers, 4) + Math.ceil((AHEAD_SECONDS * rate) / size));
  const added: Chunk[] = [];
  for (let from = next; from < total && open + added.length < wanted; ) {
    const to = Math.min(from + size, total);
    added.push({ k: chunks + added.length, from, to });
    from = to;
  }
  return added;
}

/** Adds the jobs of chunks. The server keeps one in half the memory if no field of it has more than 64 bytes. */
async function addJobs({ work }: Connection, run: string, chunks: readonly Chunk[]): Promise<void> {
  if (chunks.length === 0) return;
  await work.addBulk(
    chunks.map(({ k }) => {
      const data: ChunkJob = { run, k };
      return { name: "chunk", data, opts: { attempts: ATTEMPTS, jobId: jobId(run, k) } };
    }),
  );
}
