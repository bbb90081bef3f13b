import { TensorError } from "@fcn/tensor";
import { checkValue, isNode, nodeModule, rules } from "@fcn/tensor/internal";
import { type Abortable, unlessAborted } from "../../async/abort.js";
import type { Reply, Request } from "./messages.js";
import type { TaskName, Tasks } from "./tasks.js";

export interface WorkerOptions {
  /**
   * Threads that decode; 0 decodes in the calling thread, as in browsers. Default: by the number of cores, where the
   * work is worth it.
   */
  readonly workers?: number;
}

/** Runs tasks, in worker threads or in this one. */
export interface TaskPool {
  run<K extends TaskName>(task: K, input: Tasks[K][0]): Promise<Tasks[K][1]>;
  /** Stops the threads; tasks that have not ended are rejected, without threads those that have not begun. */
  close(): Promise<void>;
}

/** Starting threads pays from about so many tasks on. */
const WORTH_IT = 512;
const MOST_WORKERS = 8;
/** Bundlers would follow `new URL("./worker.js", import.meta.url)` in one piece, but browsers have no such threads. */
const HERE = import.meta.url;
/** A worker decodes one file in the background while it computes on another. */
const AT_A_TIME = 2;

/** A pool for as long as `use` runs, or until the signal; `count` tasks are expected. */
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

/** How many threads this machine runs at once, 8 at most; 0 where there are no worker threads of Node. */
export async function coreCount(): Promise<number> {
  if (!isNode()) return 0;
  const { availableParallelism } = nodeModule("coreCount", "node:os");
  return Math.min(MOST_WORKERS, availableParallelism());
}

/** A pool of `size` threads, which start when they are needed; size 0 runs tasks in this thread. */
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
 * A thread runs a file, for which Node refuses `--input-type`. Flags of the command line are not handed on
 * (`execArgv`); those of NODE_OPTIONS are, but for this one.
 */
function threadEnvironment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: options, ...env } = process.env;
  if (options === undefined) return env;
  return { ...env, NODE_OPTIONS: options.replace(/(^|\s)--input-type(=|\s+)\S+/g, "$1") };
}

/** As many files are decoded at once without threads: each image in the making takes memory. */
const LOCAL_AT_A_TIME = 4;

/** Tasks in this thread, a few at a time, in their order. */
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
        // A waiting task takes the place over.
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
 * The part of a worker of Node that the pool uses, without Node's own types: options of the pool are a part of public
 * signatures.
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

/** Tasks in threads that `start` makes, `size` at most. */
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

  /** Gives waiting jobs to the threads with the least to do. */
  private hand(): void {
    while (this.waiting.length > 0) {
      const thread = this.leastBusy();
      if (thread === undefined) return;
      const job = this.waiting.shift() as Job;
      this.threads.get(thread)?.set(job.request.id, job);
      // A thread with work keeps the process alive, an idle one does not.
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

  /** A thread that died takes its jobs with it; another one starts for the next. */
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
    message: "the loader was closed while it was at work",
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
