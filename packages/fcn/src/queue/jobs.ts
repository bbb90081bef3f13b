import { invalidArgument } from "@fcn/tensor/internal";
import type { ToldError } from "../data/files/errors.js";
import { KINDS } from "./kinds/kinds.js";
import { progressOf } from "./runs/follow.js";
import type { Aside, Chunk, ChunkJob, Run, RunKind, RunState } from "./runs/spec.js";
import * as store from "./runs/store.js";
import { keepTending, stopTending } from "./runs/tend.js";
import { keepsJobs } from "./server/checks.js";
import { type Connection, withConnection } from "./server/connection.js";

/** A run of a queue. */
export interface RunSummary {
  readonly id: string;
  readonly kind: RunKind;
  readonly state: RunState;
  /** Milliseconds since 1970. */
  readonly created: number;
  /** Items that are done or given up, and all so far. */
  readonly done: number;
  readonly total: number;
  /** What is at work, and on which worker. */
  readonly active: readonly (Chunk & { readonly worker: string })[];
  /** What was given up, with the reason. */
  readonly aside: readonly Aside[];
  readonly error?: ToldError;
  /** What keeps the run from going on. */
  readonly problem?: ToldError;
}

/** What a queue holds. */
export interface QueueSummary {
  /** The address without name and password. */
  readonly queue: string;
  /** Whether the server keeps jobs on disk, so that they outlive its restart. */
  readonly keepsJobs: boolean;
  /** The names of the workers that are connected. */
  readonly workers: readonly string[];
  /** The newest first. */
  readonly runs: readonly RunSummary[];
}

const OP = "jobs";

/** What runs, waits and failed on a queue, and where. Throws as `work` does for a queue that cannot be used. */
export const jobs = (queue: string): Promise<QueueSummary> =>
  withConnection(OP, queue, async (connection) => {
    const [runs, active, clients] = await Promise.all([
      store.listRuns(OP, connection),
      connection.work.getActive(),
      connection.work.getWorkers(),
    ]);
    const workerOf = new Map(
      active.flatMap((job) => {
        if (!job) return [];
        const { run, k } = job.data as ChunkJob;
        return [[`${run} ${k}`, job.processedBy ?? "?"] as const];
      }),
    );
    const names = clients.map(({ rawname = "" }) => rawname.slice(rawname.indexOf(":w:") + 3));
    const told = await Promise.all(runs.map((run) => summaryOf(connection, run, workerOf)));
    return {
      queue: connection.address,
      keepsJobs: await keepsJobs(connection.redis),
      workers: names.sort(),
      runs: told,
    };
  });

async function summaryOf(connection: Connection, run: Run, workerOf: ReadonlyMap<string, string>): Promise<RunSummary> {
  const [{ done, total }, open, aside] = await Promise.all([
    progressOf(connection, run),
    store.openChunks(connection, run.id),
    store.asideChunks(connection, run.id),
  ]);
  const active = open.flatMap((chunk) => {
    const worker = workerOf.get(`${run.id} ${chunk.k}`);
    return worker === undefined ? [] : [{ ...chunk, worker }];
  });
  const { id, spec, state, error, problem } = run;
  const { kind, created } = spec;
  return { id, kind, state, created, done, total, active, aside, ...(error && { error }), ...(problem && { problem }) };
}

/**
 * Gives what was put aside, or a run that failed, to the workers again. Returns the number of chunks. Throws
 * `unknown-run`, and `invalid-argument` for a run of which nothing failed.
 */
export const retry = (queue: string, id: string): Promise<number> =>
  withConnection(OP, queue, async (connection) => {
    const run = await store.readRun(OP, connection, id);
    const aside = await store.asideChunks(connection, id);
    if (run.state === "cancelled" || (run.state !== "failed" && aside.length === 0)) {
      throw invalidArgument(
        `${OP}: run ${id} is ${run.state}, and nothing of it failed`,
        "retry a run of which something failed",
      );
    }
    const opened = await store.reopen(connection, id, aside);
    await keepTending(connection, id);
    return opened;
  });

/** Ends a run: what is at work is finished and forgotten. Results that are written stay. */
export const cancel = (queue: string, id: string): Promise<void> =>
  withConnection(OP, queue, (connection) => cancelRun(connection, id));

/** Cancels all runs that are running. Returns their ids. */
export const drain = (queue: string): Promise<string[]> =>
  withConnection(OP, queue, async (connection) => {
    const ids = await store.openRunIds(connection);
    for (const id of ids) await cancelRun(connection, id);
    return ids;
  });

async function cancelRun(connection: Connection, id: string): Promise<void> {
  // Throws if there is none.
  await store.readRun(OP, connection, id);
  await store.cancelRun(connection, id);
  await stopTending(connection, id, (ended) => KINDS[ended.spec.kind].cleanUp(ended));
}
