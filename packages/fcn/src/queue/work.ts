import { hostname } from "node:os";
import { hasCode, TensorError } from "@fcn/tensor";
import { checkValue, rules } from "@fcn/tensor/internal";
import type { Job, Worker } from "bullmq";
import { fileError } from "../data/files/errors.js";
import { kindOf } from "../data/files/files.js";
import { packageVersion } from "../files/version.js";
import type { tunedDevice } from "../measure/tunedDevice.js";
import { isRemote } from "../places/address.js";
import { Roots } from "../places/roots.js";
import { KINDS } from "./kinds/kinds.js";
import { Session } from "./kinds/session.js";
import type { ChunkJob, Run } from "./runs/spec.js";
import * as store from "./runs/store.js";
import { ATTEMPTS, keepTending, tendOnce, tendSoon } from "./runs/tend.js";
import { connect, PREFIX, QUEUES } from "./server/connection.js";

/** What a worker did, for its log. */
export type WorkerEvent =
  | { readonly kind: "ready"; readonly name: string; readonly queue: string; readonly roots: readonly string[] }
  | {
      readonly kind: "chunk";
      readonly run: string;
      readonly k: number;
      readonly items: number;
      readonly seconds: number;
    }
  | { readonly kind: "failure"; readonly run: string; readonly k: number; readonly message: string };

/** Options of {@link work}. */
export interface WorkOptions extends NonNullable<Parameters<typeof tunedDevice>[0]> {
  /** Address of the queue: `redis://` or `rediss://`. */
  readonly queue: string;
  /** Folders and addresses below which files are read and written. Default: the working directory. */
  readonly roots?: readonly string[] | undefined;
  /** The name that lists show. Default: that of the machine, with the number of the process. */
  readonly name?: string | undefined;
  /**
   * Chunks at a time. While the device works on one, images of another are read and written; but where one ends the
   * worker, the others count that end as well. Default 1.
   */
  readonly concurrency?: number | undefined;
  /** Seconds without a sign of life after which another worker takes over what this one had. Default 30. */
  readonly patience?: number | undefined;
  /** Ends the work when the chunks at work are done. */
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: WorkerEvent) => void) | undefined;
}

/** What a worker did in all. */
export interface WorkSummary {
  readonly chunks: number;
  readonly items: number;
}

/** Ends that a chunk may bring to its worker before it is put aside. */
const MOST_DEATHS = 3;

/** Errors after which there is no point in another attempt. */
const AT_ONCE = ["checksum-mismatch", "other-version"] as const;
/** Errors of one worker, or of one chunk on it. Images that fail are lines of a part, so all others are of the run. */
const OF_THE_WORKER = ["device-lost", "out-of-memory", "gpu-error", "kernel-compile", "no-adapter"] as const;
/** Milliseconds until a chunk is tried again for which a network was away. That is no attempt. */
const PAUSE = 5000;

/** `queue.work`. */
export async function work(options: WorkOptions): Promise<WorkSummary> {
  const { concurrency = 1, patience = 30, name = `${hostname()}-${process.pid}`, onEvent, signal } = options;
  checkValue("work", "concurrency", concurrency, rules.whole(1));
  checkValue("work", "patience", patience, rules.from(1));
  const rootNames = options.roots ?? [process.cwd()];
  const roots = new Roots(rootNames);
  for (const root of rootNames) await checkRoot(root);
  const connection = await connect("work", options.queue);
  const session = new Session(roots, options);
  const done = { chunks: 0, items: 0 };
  try {
    // Without a device there is no point in taking work.
    await session.device();
    const version = await packageVersion();
    await connection.tend.setGlobalConcurrency(1);
    for (const id of await store.openRunIds(connection)) await keepTending(connection, id);
    const takeChunk = async (job: Job<ChunkJob>, token?: string): Promise<void> => {
      const { data } = job;
      const [run, chunk] = await Promise.all([
        store.readRun("work", connection, data.run),
        store.openChunk(connection, data.run, data.k),
      ]);
      if (run.state !== "running" || chunk === undefined) return;
      const start = performance.now();
      try {
        checkVersion(run, version);
        const taken = { ...chunk, starts: job.attemptsStarted };
        const part = await KINDS[run.spec.kind].work(run, taken, session, connection);
        const items = chunk.to - chunk.from;
        const seconds = (performance.now() - start) / 1000;
        const what = { part, worker: name, seconds: seconds / items };
        if ((await store.finishChunk(connection, run.id, chunk, what)) === 0) await tendSoon(connection, run.id);
        done.chunks++;
        done.items += items;
        onEvent?.({ kind: "chunk", run: run.id, k: chunk.k, items, seconds });
      } catch (error) {
        if (signal?.aborted && hasCode(error, "aborted")) {
          // Whoever takes it goes on from its checkpoint, and this is no attempt that failed.
          await job.moveToDelayed(Date.now(), token);
          throw new connection.bullmq.DelayedError();
        }
        onEvent?.({ kind: "failure", run: run.id, k: chunk.k, message: messageOf(error) });
        if (hasCode(error, "no-network")) {
          await store.setProblem(connection, run.id, error);
          await job.moveToDelayed(Date.now() + PAUSE, token);
          throw new connection.bullmq.DelayedError();
        }
        const isLast = job.attemptsMade + 1 >= ATTEMPTS || hasCode(error, ...AT_ONCE);
        if (!isLast) throw error;
        if (error instanceof TensorError && !hasCode(error, ...OF_THE_WORKER)) {
          return store.failRun(connection, run.id, error);
        }
        throw new connection.bullmq.UnrecoverableError(messageOf(error));
      }
    };
    const takeTending = async ({ data: { run: id } }: Job<{ run: string }>): Promise<void> =>
      tendOnce(connection, id, {
        advance: (run) => KINDS[run.spec.kind].advance(run, session, connection),
        foldOf: ({ spec }) => KINDS[spec.kind].fold,
        cleanUp: (run) => KINDS[run.spec.kind].cleanUp(run, roots),
      });
    const lock = 1000 * patience;
    const common = { ...{ connection: connection.redis, prefix: PREFIX, name, skipVersionCheck: true }, autorun: true };
    const workers: Worker[] = [
      new connection.bullmq.Worker(QUEUES.work, takeChunk, {
        ...{ ...common, concurrency, lockDuration: lock, stalledInterval: lock },
        maxStalledCount: MOST_DEATHS - 1,
        // A finished chunk that is added again must not find its old job.
        removeOnComplete: { count: 0 },
      }),
      new connection.bullmq.Worker(QUEUES.tend, takeTending, {
        ...{ ...common, lockDuration: Math.min(lock, 10_000), stalledInterval: Math.min(lock, 5000) },
        maxStalledCount: MOST_DEATHS - 1,
      }),
    ];
    for (const worker of workers) worker.on("error", () => {});
    await Promise.all(workers.map((worker) => worker.waitUntilReady()));
    onEvent?.({ kind: "ready", name, queue: connection.address, roots: rootNames });
    await aborted(signal);
    await Promise.all(workers.map((worker) => worker.close()));
    return done;
  } finally {
    await session.close();
    await connection.close();
  }
}

/** A root that is not there would refuse all work with the wrong reason. */
async function checkRoot(root: string): Promise<void> {
  if (isRemote(root) || (await kindOf(root)) === "folder") return;
  throw fileError(
    "missing-data",
    root,
    "a root of the worker must be a folder, and this is none",
    "name a folder that there is",
  );
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function checkVersion({ id, spec }: Run, own: string): void {
  if (spec.version === own) return;
  throw new TensorError({
    code: "other-version",
    message: `run ${id} is of @fcn/core ${spec.version}, and a worker has ${own}`,
    fix: `install the same version on all machines`,
  });
}

const aborted = (signal: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted) resolve();
    else signal?.addEventListener("abort", () => resolve(), { once: true });
  });
