/**
 * Predictions, evaluations and sweeps on many machines, by a queue of BullMQ on Redis or Valkey (Node). Needs the
 * packages `bullmq` and `ioredis`, which are asked for where they are used.
 *
 * @module
 */

import type { QueueOptions, QueuePredictOptions, QueuePredictSummary } from "./predict.js";
import type { SweepFollowOptions, SweepOptions, SweepSummary } from "./sweep.js";
import type { WorkOptions, WorkSummary } from "./work.js";

// Pages load this file with the rest of the package, and nothing of what it names.

/** {@inheritDoc} */
export const work = async (options: WorkOptions): Promise<WorkSummary> => (await import("./work.js")).work(options);

export const predict = async (inputs: readonly string[], options: QueuePredictOptions): Promise<QueuePredictSummary> =>
  (await import("./predict.js")).predict(inputs, options);

export const attach = async (id: string, options: QueueOptions): Promise<QueuePredictSummary> =>
  (await import("./predict.js")).attach(id, options);

/** {@inheritDoc} */
export const sweep = async (options: SweepOptions): Promise<SweepSummary> =>
  (await import("./sweep.js")).sweep(options);

/** {@inheritDoc} */
export const attachSweep = async (
  id: string,
  options: SweepFollowOptions & { readonly queue: string },
): Promise<SweepSummary> => (await import("./sweep.js")).attachSweep(id, options);
