import { TensorError } from "@fcn/tensor";
import { checkValue, isNode, nodeModule, rules } from "@fcn/tensor/internal";
import { type Abortable, unlessAborted } from "../../async/abort.js";
import type { Reply, Request } from "./messages.js";
import type { TaskName, Tasks } from "./tasks.js";

export interface WorkerOptions {
  /**
   * Number of threads that decode; 0 decodes in the calling thread, as in browsers. Default: derived from the number of
   * cores if there is enough work.
   */
  readonly workers?: number;
}

/** Runs tasks in worker threads or in the calling thread. */
export interface TaskPool {
  run<K extends TaskName>(task: K, input: Tasks[K][0]): Promise<Tasks[K][1]>;
  /** Stops the threads and rejects unfinished tasks; without threads, only those that have not started. */
  close(): Promise<void>;
}

/** With about this many tasks, starting threads pays off. */
const WORTH_IT = 512;
const MOST_WORKERS = 8;
/**
 * Bundlers would follow `new URL("./worker.js", import.meta.url)` if written as one, but browsers lack these threads.
 */
const HERE = import.meta.url;
/** A worker decodes one file in the background while it computes on another. */
const AT_A_TIME = 2;

/** Provides a pool until `use` ends or the signal is aborted; about `count` tasks are expected. */
export async function withPool<T>(
  options: WorkerOptions & Abortable,
  count: number,
  use: (pool: TaskPool) => Promise<T>,
): Promise<T> {
  options.signal?.throwIfAborted();
  const pool = await createPool(options.workers ?? (count < WORTH_IT ? 0 : await coreCount()));
  try {
    return await unlessAborted(use(pool), options.signal);
  } finally {
    await pool.close();
  }
}

/** The number of threads this machine runs at once, at most 8; 0 if Node's worker threads are not available. */
export async function coreCount(): Promise<number> {
  if (!isNode()) return 0;
  const { availableParallelism } = nodeModule("coreCount", "node:os");
  return Math.min(MOST_WORKERS, availableParallelism());
}

/** A pool of up to `size` threads, started on demand; with size 0, tasks run in the calling thread. */
export async function createPool(size: number): Promise<TaskPool> {
  checkValue("createPool", "workers", size, rules.whole(0));
  if (size === 0) {
    const { TASKS } = await import("./tasks.js");
    return localPool((task, input) => TASKS[task].run(input));
  }
  const { Worker } = nodeModule("workers", "node:worker_threads");
  const file = new URL("./worker.js", HERE);
  const options = { execArgv: [], env: threadEnvironment() };
  return new ThreadPool(size, () => new Worker(file, options));
}

/**
 * Threads run a file, for which Node rejects `--input-type`. Command line flags are not inherited (`execArgv`), but
 * those of NODE_OPTIONS are, so this one is removed.
 */
function threadEnvironment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: options, ...env } = process.env;
  if (options === undefined) return env;
  return { ...env, NODE_OPTIONS: options.replace(/(^|\s)--input-type(=|\s+)\S+/g, "$1") };
}

/** Number of files decoded at once without threads, limited by the memory that each takes. */
const LOCAL_AT_A_TIME = 4;

/** Runs tasks in this thread, a few at a time and in order. */
function localPool(run: TaskPool["run"]): TaskPool {
  let running = 0;
  let isClosed = false;
  const waiting: (() => void)[] = [];
  return {
    run: async (task, input) => {
      if (running >= LOCAL_AT_A_TIME) await new Promise<void>((resolve) => waiting.push(resolve));
      else running++;
      try {
        if (isClosed) throw closedError();
        return await run(task, input);
      } finally {
        // A waiting task takes over the free slot.
        const next = waiting.shift();
        if (next) next();
        else running--;
      }
    },
    close: async () => {
      isClosed = true;
    },
  };
}

/**
 * The part of Node's worker that the pool uses, declared here because the pool's options appear in public signatures,
 * which must not need Node's types.
 */
interface Thread {
  ref(): void;
  unref(): void;
  postMessage(request: Request): void;
  terminate(): Promise<number>;
  on(event: "message", listener: (reply: Reply) => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "exit", listener: (code: number) => void): unknown;
}

interface Job {
  readonly request: Request;
  readonly resolve: (output: never) => void;
  readonly reject: (error: TensorError) => void;
}

/** Runs tasks in at most `size` threads made by `start`. */
export class ThreadPool implements TaskPool {
  private readonly threads = new Map<Thread, Map<number, Job>>();
  private readonly waiting: Job[] = [];
  private nextId = 0;
  private isClosed = false;

  constructor(
    private readonly size: number,
    private readonly start: () => Thread,
  ) {}

  run<K extends TaskName>(task: K, input: Tasks[K][0]): Promise<Tasks[K][1]> {
    return new Promise((resolve, reject) => {
      if (this.isClosed) return reject(closedError());
      this.waiting.push({ request: { id: this.nextId++, task, input }, resolve, reject });
      this.hand();
    });
  }

  async close(): Promise<void> {
    this.isClosed = true;
    const jobs = [...this.waiting.splice(0), ...[...this.threads.values()].flatMap((own) => [...own.values()])];
    const threads = [...this.threads.keys()];
    this.threads.clear();
    for (const job of jobs) job.reject(closedError());
    await Promise.all(threads.map((thread) => thread.terminate()));
  }

  /** Assigns waiting jobs to the least busy threads. */
  private hand(): void {
    while (this.waiting.length > 0) {
      const thread = this.leastBusy();
      if (thread === undefined) return;
      const job = this.waiting.shift() as Job;
      this.threads.get(thread)?.set(job.request.id, job);
      // A busy thread keeps the process alive, an idle one does not.
      thread.ref();
      thread.postMessage(job.request);
    }
  }

  private leastBusy(): Thread | undefined {
    const [thread, jobs] = [...this.threads].sort(([, a], [, b]) => a.size - b.size)[0] ?? [];
    if (thread && jobs?.size === 0) return thread;
    if (this.threads.size < this.size) return this.startThread();
    return jobs && jobs.size < AT_A_TIME ? thread : undefined;
  }

  private startThread(): Thread {
    const thread = this.start();
    this.threads.set(thread, new Map());
    thread.on("message", (reply: Reply) => this.settle(thread, reply));
    thread.on("error", (error) => this.lose(thread, error.message));
    thread.on("exit", (code) => this.lose(thread, `it exited with code ${code}`));
    return thread;
  }

  private settle(thread: Thread, reply: Reply): void {
    const jobs = this.threads.get(thread);
    const job = jobs?.get(reply.id);
    if (!jobs || !job) return;
    jobs.delete(reply.id);
    if (jobs.size === 0) thread.unref();
    if ("error" in reply) job.reject(new TensorError(reply.error));
    else job.resolve(reply.output as never);
    this.hand();
  }

  /** Fails the jobs of a thread that died; a new thread starts for the next job. */
  private lose(thread: Thread, reason: string): void {
    const jobs = this.threads.get(thread);
    if (!this.threads.delete(thread) || !jobs) return;
    for (const job of jobs.values()) job.reject(diedError(reason));
    this.hand();
  }
}

function closedError(): TensorError {
  return new TensorError({
    code: "closed",
    message: "the loader was closed while it was in use",
    fix: "close it after the last batch",
  });
}

function diedError(reason: string): TensorError {
  return new TensorError({
    code: "worker-died",
    message: `a worker thread that decodes images died: ${reason}`,
    fix: {
      code: "use fewer workers or smaller batches if memory ran out",
      command: "use fewer threads (--workers 1) or smaller batches (--batch) if memory ran out",
    },
  });
}
