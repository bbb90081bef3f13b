/**
 * Predictions, evaluations and sweeps on many machines, by a queue of BullMQ on Redis or Valkey (Node). Needs the
 * packages `bullmq` and `ioredis`, which are asked for where they are used.
 *
 * @module
 */

import { nodeModule } from "@fcn/tensor/internal";
import type { QueueEvaluateOptions, QueueEvaluation } from "./evaluate.js";
import type { QueueSummary } from "./jobs.js";
import type { QueueOptions, QueuePredictOptions, QueuePredictSummary } from "./predict.js";
import type { SweepFollowOptions, SweepOptions, SweepSummary } from "./sweep.js";
import type { WorkOptions, WorkSummary } from "./work.js";

export type { ClassShare, ImageSummary, OutputName } from "../prediction/files/outputs.js";
export type { ImageReport } from "../prediction/files/run.js";
export type { QueueEvaluateOptions, QueueEvaluation } from "./evaluate.js";
export type { QueueSummary, RunSummary } from "./jobs.js";
export type { SampleFailure } from "./kinds/evaluate/evaluateKind.js";
export type { PredictResult } from "./kinds/predict/task.js";
export type { SweepResult } from "./kinds/sweep/advance.js";
export type { SweepPlan, SweptSettings } from "./kinds/sweep/options.js";
export type { RandomSearch, Range, Settings } from "./kinds/sweep/plan.js";
export type { TrialReport } from "./kinds/sweep/record.js";
export type { Budget, Halving, Rung } from "./kinds/sweep/rungs.js";
export type { QueueOptions, QueuePredictOptions, QueuePredictSummary } from "./predict.js";
export type { FollowOptions, RunProgress } from "./runs/follow.js";
export type { Aside, Chunk, RunKind, RunState } from "./runs/spec.js";
export type { SweepFollowOptions, SweepOptions, SweepSummary, TrialProgress } from "./sweep.js";
export type { WorkerEvent, WorkOptions, WorkSummary } from "./work.js";

/** Pages load this file with the rest of the package, and bundles for them have nothing of `node.ts`. */
async function onNode(op: string): Promise<typeof import("./node.js")> {
  nodeModule(op, "node:fs");
  return import("./node.js");
}

/**
 * Takes chunks of runs from a queue until `signal` is aborted: predictions, evaluations and trials of sweeps, as
 * `queue.predict`, `queue.evaluate` and `queue.sweep` add them on any machine. Any number of workers may come and go;
 * BullMQ gives what a dead one had to others. A chunk that ends three workers is put aside. Only files below the roots
 * are read or written, and only weights that have the digest that the run names.
 *
 * Throws `no-queue` for a server that does not answer or refuses, `unfit-queue` for one that would lose jobs,
 * `other-version` for one that works for another version of this library, `missing-package`, and `no-adapter` where
 * there is no device.
 */
export const work = async (options: WorkOptions): Promise<WorkSummary> => (await onNode("work")).work(options);

/**
 * Predicts images on all workers of a queue, and writes the results into a place, as `fcn predict` on one machine does:
 * the same files with the same bytes, and the same manifest. The run goes on if the caller goes away; `onStart` tells
 * its id, with which {@link attach} waits for it again. An image that cannot be read is a line of the reports. Throws
 * what {@link work} throws, `file-exists` as `fcn predict`, `limit-exceeded` for more than 2,000,000 images or than the
 * list of results in the place has room for, `checksum-mismatch` if weights change under way, and `aborted` if the run
 * is cancelled.
 */
export const predict = async (inputs: readonly string[], options: QueuePredictOptions): Promise<QueuePredictSummary> =>
  (await onNode("predict")).predict(inputs, options);

/** Waits for a prediction that was started before, by this process or by another. Throws `unknown-run`. */
export const attach = async (id: string, options: QueueOptions): Promise<QueuePredictSummary> =>
  (await onNode("attach")).attach(id, options);

/**
 * Scores a net on labelled images on all workers of a queue, as `evaluate` does: what is counted are whole numbers, so
 * that the scores are exactly those of one machine. All machines must see the data at the same path or address. Throws
 * what {@link work} throws, `unreadable-sample` for images that cannot be read unless `skipBad` is set, and
 * `checksum-mismatch` if weights change under way or a worker sees other images.
 */
export const evaluate = async (options: QueueEvaluateOptions): Promise<QueueEvaluation> =>
  (await onNode("evaluate")).evaluate(options);

/** Waits for an evaluation that was started before, by this process or by another. Throws `unknown-run`. */
export const attachEvaluation = async (id: string, options: QueueOptions): Promise<QueueEvaluation> =>
  (await onNode("attachEvaluation")).attachEvaluation(id, options);

/**
 * Trains a net with many combinations of settings, and compares them by their best mean IU: one after another here, or
 * with `queue` on its workers, to the same results. A trial is a run of `trainRun` in a folder of `out`, and one that
 * is trained to its end has the bits of `trainRun` with its settings. Folders of trials stay, and a sweep on a queue
 * goes on if the caller goes away. A trial that diverges, or cannot be trained with its settings, is part of the
 * result.
 *
 * `await fcn.queue.sweep({ data: "photos", out: "out", steps: 900, axes: { learningRate: [1e-2, 1e-3] } })`
 *
 * Throws what `trainRun` throws for the data; what {@link work} throws for the queue; `run-exists` if `out` holds a
 * sweep and `resume` is not set; `aborted` if the signal ends it.
 */
export const sweep = async (options: SweepOptions): Promise<SweepSummary> => (await onNode("sweep")).sweep(options);

/** Waits for a sweep that was started before, by this process or by another. Throws `unknown-run`. */
export const attachSweep = async (
  id: string,
  options: SweepFollowOptions & { readonly queue: string },
): Promise<SweepSummary> => (await onNode("attachSweep")).attachSweep(id, options);

/** What runs, waits and failed on a queue, and where. */
export const jobs = async (queue: string): Promise<QueueSummary> => (await onNode("jobs")).jobs(queue);

/**
 * Gives what was put aside, or a run that failed, to the workers again. Returns the number of chunks. Throws
 * `unknown-run`, and `invalid-argument` for a run of which nothing failed.
 */
export const retry = async (queue: string, id: string): Promise<number> => (await onNode("retry")).retry(queue, id);

/** Ends a run: what is at work is finished and forgotten. Results that are written stay. Throws `unknown-run`. */
export const cancel = async (queue: string, id: string): Promise<void> => (await onNode("cancel")).cancel(queue, id);

/** Cancels all runs that are running. Returns their ids. */
export const drain = async (queue: string): Promise<string[]> => (await onNode("drain")).drain(queue);
