import { TensorError } from "@fcn/tensor";
import { unlessAborted } from "../../async/abort.js";
import { errorOf, type ToldError } from "../../data/files/errors.js";
import type { Connection } from "../server/connection.js";
import type { Aside, Run } from "./spec.js";
import * as store from "./store.js";
import { keepTending } from "./tend.js";

/** How far a run has come. */
export interface RunProgress {
  readonly id: string;
  /** Items that are done or given up. */
  readonly done: number;
  /** Items so far; a sweep adds some on its way. */
  readonly total: number;
  /** Workers that are connected. */
  readonly workers: number;
  /** What keeps the run from going on, if something does. */
  readonly problem?: ToldError;
}

/** Options of whoever waits for a run. */
export interface FollowOptions {
  readonly onProgress?: ((progress: RunProgress) => void) | undefined;
  /** Ends the waiting, not the run, and throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

const EVERY = 500;
/** Milliseconds without an answer of the server after which whoever waits is told. */
const LATE = 5000;
/** Looks between two reminders to tend the run, which a server may have lost with its last second. */
const REMIND = 20;

/** How far a run has come by its record. */
export async function progressOf(connection: Connection, run: Run): Promise<RunProgress> {
  const [open, workers] = await Promise.all([store.openChunks(connection, run.id), connection.work.getWorkersCount()]);
  const waiting = open.reduce((sum, { from, to }) => sum + to - from, 0);
  const { id, total, next, problem } = run;
  return { id, total, workers, done: next - waiting, ...(problem && { problem }) };
}

/**
 * Waits until a run has ended. Returns its result, and what was given up. Throws its error if it failed, and `aborted`
 * if it was cancelled.
 */
export async function follow(
  op: string,
  connection: Connection,
  id: string,
  { onProgress, signal }: FollowOptions = {},
): Promise<{ readonly result: unknown; readonly aside: readonly Aside[]; readonly run: Run }> {
  let last: RunProgress = { id, done: 0, total: 0, workers: 0 };
  const lookAt = async (isReminder: boolean): Promise<Run> => {
    const run = await store.readRun(op, connection, id);
    if (run.state === "running" && isReminder) await keepTending(connection, id);
    last = await progressOf(connection, run);
    return run;
  };
  for (let look = 0; ; look++) {
    signal?.throwIfAborted();
    const late = setTimeout(() => onProgress?.({ ...last, problem: away(connection) }), LATE);
    const run = await unlessAborted(lookAt(look % REMIND === 0), signal).finally(() => clearTimeout(late));
    onProgress?.(last);
    if (run.state === "done" && run.isClosed)
      return { run, result: run.result, aside: await store.asideChunks(connection, id) };
    if (run.state === "failed" && run.error) throw errorOf(run.error);
    if (run.state === "cancelled") {
      throw new TensorError({ code: "aborted", message: `${op}: run ${id} was cancelled`, fix: "start it again" });
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY));
  }
}

const away = ({ address }: Connection): ToldError => ({
  code: "no-queue",
  message: `the queue at ${address} does not answer`,
  fix: "it is waited for; what workers have finished is kept",
});
