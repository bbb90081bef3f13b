import { TensorError } from "@fcn/tensor";
import { checkValue, invalidArgument, rules } from "@fcn/tensor/internal";
import { open } from "../data/open/open.js";
import type { OpenOptions } from "../data/open/openOptions.js";
import type { EvaluateOptions, Evaluation } from "../evaluation/evaluate.js";
import { readMetadata } from "../models/file/weightsFile.js";
import {
  boardOf,
  dataDigest,
  type EvaluateResult,
  type EvaluateTask,
  type SampleFailure,
} from "./kinds/evaluate/evaluateKind.js";
import type { QueueOptions } from "./predict.js";
import { type FollowOptions, follow } from "./runs/follow.js";
import * as store from "./runs/store.js";
import { type Connection, withConnection } from "./server/connection.js";
import { absolute, absoluteFolders, nameWeights, startRun } from "./start.js";

/** Options of `queue.evaluate`. */
export interface QueueEvaluateOptions
  extends QueueOptions,
    Pick<
      EvaluateOptions,
      | "tile"
      | "overlap"
      | "memory"
      | "head"
      | "scales"
      | "mirror"
      | "stride"
      | "precision"
      | "batchSize"
      | "sizes"
      | "skipBad"
    > {
  /** Files of nets whose probabilities are averaged, at least one. */
  readonly weights: string | readonly string[];
  /** What `data.open` understands: a folder at the same path on all machines, or an address of a bucket. */
  readonly data: string;
  /** The part of the data to score. Default val. */
  readonly split?: string | undefined;
  /** How the folder is read. */
  readonly open?: Omit<OpenOptions, "skipBad"> | undefined;
  /** Distances from boundaries, in pixels, within which pixels are also scored separately. Default none. */
  readonly radii?: readonly number[] | undefined;
}

/** What became of an evaluation on many machines. */
export interface QueueEvaluation extends Omit<Evaluation, "heads" | "failures"> {
  readonly id: string;
  readonly weights: readonly string[];
  readonly data: string;
  readonly split: string;
  /** Images that count. */
  readonly images: number;
  /** With `skipBad`, the images that could not be read, which do not count. */
  readonly failures: readonly SampleFailure[];
}

const OP = "evaluate";

/** `queue.evaluate`. */
export async function evaluate(options: QueueEvaluateOptions): Promise<QueueEvaluation> {
  if (options.chunk !== undefined) checkValue(OP, "chunk", options.chunk, rules.whole(1));
  return withConnection(OP, options.queue, async (connection) => {
    const id = await start(connection, options);
    options.onStart?.(id);
    return finish(connection, id, options);
  });
}

/** `queue.attachEvaluation`. */
export const attachEvaluation = (id: string, options: QueueOptions): Promise<QueueEvaluation> =>
  withConnection(OP, options.queue, (connection) => finish(connection, id, options));

async function start(connection: Connection, options: QueueEvaluateOptions): Promise<string> {
  const { queue: _, weights: given, data: named, split = "val", radii = [], chunk, ...rest } = options;
  const { onProgress: _p, onStart: _s, signal: _g, open: told = {}, ...inference } = rest;
  const [data, how] = [absolute(named), absoluteFolders(told)];
  const files = typeof given === "string" ? [given] : given;
  const weights = await nameWeights(files);
  const { classes } = await readMetadata(files[0] as string);
  const { splits } = await open(data, how);
  const dataset = splits[split];
  if (dataset === undefined || dataset.length === 0) {
    const names = Object.keys(splits).join(", ");
    throw invalidArgument(`${OP}: ${named} has no images in a split ${JSON.stringify(split)}`, `use one of: ${names}`);
  }
  const task: EvaluateTask = {
    ...{ data, split, names: files, numClasses: classes.length, digest: dataDigest(dataset) },
    open: how,
    options: { ...inference, radii },
  };
  const id = store.newRunId();
  await startRun(connection, id, { kind: "evaluate", weights, task, ...(chunk && { chunk }) }, dataset.length);
  return id;
}

async function finish(connection: Connection, id: string, options: FollowOptions): Promise<QueueEvaluation> {
  const { run, result, aside } = await follow(OP, connection, id, options);
  const task = run.spec.task as EvaluateTask;
  const { counts, failures } = result as EvaluateResult;
  if (aside.length > 0) {
    throw new TensorError({
      code: "worker-died",
      message: `${OP}: ${aside.length} chunks were put aside, so there is no score of the whole: ${aside[0]?.reason}`,
      fix: { code: `queue.retry(address, "${id}")`, command: `fcn jobs --queue ADDRESS --retry ${id}` },
    });
  }
  if (failures.length > 0 && (!task.options.skipBad || failures.length === run.total)) {
    const [first] = failures;
    throw new TensorError({
      code: "unreadable-sample",
      message: `${OP}: ${failures.length} of ${run.total} images cannot be read: ${first?.name}: ${first?.message}`,
      fix: { code: "mend them, or pass skipBad: true", command: "mend them, or leave them out: --skip-bad" },
    });
  }
  const board = boardOf(task);
  board.addCounts(counts);
  const { data, split, names: weights } = task;
  return { ...board.compute(), id, weights, data, split, images: run.total - failures.length, failures };
}
