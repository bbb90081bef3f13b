import { TensorError } from "@fcn/tensor";
import { checkValue, invalidArgument, rules } from "@fcn/tensor/internal";
import { toldOf } from "../data/files/errors.js";
import { isRemote } from "../places/address.js";
import { openPlace } from "../places/open.js";
import type { Input } from "../prediction/files/input.js";
import { expandInputs } from "../prediction/files/inputs.js";
import { OUTPUTS, type OutputName, reserveNames } from "../prediction/files/outputs.js";
import type { ImageReport, PredictRun } from "../prediction/files/run.js";
import { SAVED } from "../prediction/files/scenes.js";
import type { PredictOptions } from "../prediction/predict.js";
import { type ListedImage, RunFiles } from "./kinds/predict/files.js";
import type { PredictResult, PredictTask } from "./kinds/predict/task.js";
import { type FollowOptions, follow } from "./runs/follow.js";
import * as store from "./runs/store.js";
import { type Connection, withConnection } from "./server/connection.js";
import { absolute, nameWeights, startRun } from "./start.js";

/** Options of what runs on a queue. */
export interface QueueOptions extends FollowOptions {
  /** Address of the queue: `redis://` or `rediss://`. */
  readonly queue: string;
  /** Items a job. Default: as many as take about ten seconds on the workers that there are. */
  readonly chunk?: number | undefined;
  /** Called with the id of the run, by which {@link attach} finds it again. */
  readonly onStart?: ((id: string) => void) | undefined;
}

/** Options of {@link predict}. */
export interface QueuePredictOptions extends QueueOptions, Omit<PredictOptions, "signal" | "preprocessing"> {
  /** Files of nets whose probabilities are averaged, at least one. */
  readonly weights: string | readonly string[];
  /** The place for the results. */
  readonly out: string;
  /** What to write for each image. Default: labels and overlay; of scenes, the labels. */
  readonly save?: readonly OutputName[] | undefined;
  /** Pixels by which polygons may move. Default 0. */
  readonly tolerance?: number | undefined;
  /** @internal */
  readonly scenes?: PredictRun["scenes"];
  /** @internal */
  readonly mostImages?: number;
  /** Overwrites files that are not results of `predict`. Inputs are never overwritten. Default false. */
  readonly overwrite?: boolean | undefined;
}

/** Whoever asks holds some 650 bytes of memory an image, and 800 an image in the end, which is less than Node has. */
const MOST_IMAGES = 2_000_000;

/** What became of a prediction on many machines. */
export interface QueuePredictSummary extends PredictResult {
  readonly id: string;
  readonly out: string;
  /** In the order of the inputs; undefined if another command has read them. */
  readonly reports: readonly ImageReport[] | undefined;
}

/** `queue.predict`. */
export async function predict(inputs: readonly string[], options: QueuePredictOptions): Promise<QueuePredictSummary> {
  if (options.chunk !== undefined) checkValue("predict", "chunk", options.chunk, rules.whole(1));
  return withConnection("predict", options.queue, async (connection) => {
    const id = await start(connection, inputs, options);
    options.onStart?.(id);
    return finish(connection, id, options);
  });
}

async function start(connection: Connection, names: readonly string[], options: QueuePredictOptions): Promise<string> {
  const { queue: _, weights: given, out, save, tolerance = 0, overwrite: _o, chunk, scenes, ...rest } = options;
  const { onProgress: _p, onStart: _s, signal: _g, mostImages: _m, ...inference } = rest;
  const files = typeof given === "string" ? [given] : given;
  const id = store.newRunId();
  const runFiles = new RunFiles(await openPlace(absolute(out)), id);
  // Workers that share no folder with this machine share the place for results.
  const weights = await nameWeights(files, async (file, i, bytes) => {
    return isRemote(out) && !isRemote(file) ? runFiles.writeWeights(i, bytes) : absolute(file);
  });
  const images = await writeList(names, runFiles, options).catch(async (error: unknown) => {
    await runFiles.clear(0, 0, weights.length).catch(() => undefined);
    throw error;
  });
  const task: PredictTask = {
    ...{ images, out: absolute(out), shown: out, names: files, options: inference, tolerance },
    ...(save && { save }),
    ...(scenes && { scenes }),
  };
  await startRun(connection, id, { kind: "predict", weights, task, ...(chunk && { chunk }) }, images);
  return id;
}

/**
 * Lists the images that are named for workers, and their results in the place. Returns how many they are. Leaves
 * nothing behind where it fails.
 */
async function writeList(
  names: readonly string[],
  files: RunFiles,
  { out, save = SAVED, overwrite = false, mostImages: most = MOST_IMAGES }: QueuePredictOptions,
): Promise<number> {
  const inputs = await expandInputs(names, { out, most });
  const { named, manifest } = await reserveNames(files.place, save, inputs, overwrite);
  const suffix = OUTPUTS[save[0] as OutputName].suffix;
  const stems = named.map(([first = ""]) => first.slice(0, -suffix.length));
  try {
    await files.writeList(await Promise.all(inputs.map((input, i) => listed(input, stems[i] as string))));
  } catch (error) {
    const undo = [manifest.settle([], named.flat()), files.clear(inputs.length, 0, 0)];
    await Promise.allSettled(undo);
    throw error;
  }
  return inputs.length;
}

async function listed(input: Input, stem: string): Promise<ListedImage> {
  const { name, path, address = path } = input;
  if (address !== undefined) return { input: name, stem, address: absolute(address) };
  if (name === "standard input") {
    throw invalidArgument("predict: standard input cannot be read by other machines", "name files instead");
  }
  const error = await input.load().then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (error instanceof TensorError) return { input: name, stem, error: toldOf(error) };
  throw error;
}

/** `queue.attach`. */
export const attach = (id: string, options: QueueOptions): Promise<QueuePredictSummary> =>
  withConnection("predict", options.queue, (connection) => finish(connection, id, options));

async function finish(connection: Connection, id: string, options: FollowOptions): Promise<QueuePredictSummary> {
  const { run, result } = await follow("predict", connection, id, options);
  const { out, shown } = run.spec.task as PredictTask;
  const files = new RunFiles(await openPlace(out), id);
  const reports = await files.readReport();
  await files.removeReport();
  return { ...(result as PredictResult), id, out: shown, reports };
}
