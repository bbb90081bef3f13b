import { createDevice, type Device, io, type TensorError } from "@fcn/tensor";
import { nodeModule } from "@fcn/tensor/internal";
import type { DataLoader } from "../../data/loader/loader.js";
import { writeWholeFile } from "../../files/write.js";
import { savedTuning } from "../../measure/savedTuning.js";
import { saveModel } from "../../models/file/weightsFile.js";
import { createEventFile, type EventFile } from "../../report/eventFile.js";
import { extraLabels } from "../heads.js";
import { zeroThroughout } from "../learning.js";
import type { TrainProgress } from "../options.js";
import type { TrainRunOptions } from "../runOptions.js";
import { trainResolved } from "../train.js";
import { type Checkpoint, readCheckpoint, savedConfiguration, writeCheckpoint } from "./checkpoint.js";
import { countAndHash, tellLonger } from "./configuration.js";
import { prepareData, type RunData, withSavedRange } from "./data.js";
import { type DataState, dataState, tellOtherData } from "./dataState.js";
import { checkFinite } from "./finite.js";
import { openFolder, withRunFolder } from "./folder.js";
import { addValidation, type History, metricsCsv, namedScores } from "./history.js";
import { makeLoader, type PreparedRun, prepareRun } from "./prepare.js";
import { runReport } from "./report.js";
import { RUN_FILES, type TrainRunResult } from "./result.js";
import { throwIfStopped, unlessInterrupted } from "./stop.js";
import { validate } from "./validate.js";
import { Waiting } from "./waiting.js";

const { readdir } = nodeModule("trainRun", "node:fs/promises");
const { join } = nodeModule("trainRun", "node:path");

/** Everything a run needs while it trains. */
interface Run {
  readonly options: TrainRunOptions;
  readonly data: RunData;
  readonly state: DataState | undefined;
  readonly prepared: PreparedRun;
  readonly device: Device;
  /** The adapter of this run, and those before it if the run was resumed. */
  readonly adapters: readonly string[];
  readonly history: History;
  readonly events: EventFile;
}

export const trainRun = (options: TrainRunOptions): Promise<TrainRunResult> =>
  withRunFolder(options, () => runInFolder(options));

async function runInFolder(options: TrainRunOptions): Promise<TrainRunResult> {
  const begin = performance.now();
  const saved = options.resume ? await savedConfiguration(join(options.out, RUN_FILES.checkpoint)) : undefined;
  const data = await prepareData(withSavedRange(options, saved));
  throwIfStopped(options.signal);
  const device = options.device ?? (await createDevice({ tuning: savedTuning }));
  try {
    const prepared = await prepareRun(options, data, device, saved);
    try {
      throwIfStopped(options.signal);
      await openFolder(options);
      return await runPrepared(options, data, prepared, device, begin);
    } finally {
      prepared.model.dispose();
    }
  } finally {
    if (options.device === undefined) device.destroy();
  }
}

async function runPrepared(
  options: TrainRunOptions,
  data: RunData,
  prepared: PreparedRun,
  device: Device,
  begin: number,
): Promise<TrainRunResult> {
  const { out, resume = false, view } = options;
  const { model, configuration, steps, metadata } = prepared;
  const folder = join(out, RUN_FILES.checkpoint);
  const from = resume ? await readCheckpoint(folder, model, configuration) : undefined;
  if (resume && from === undefined) view?.line?.(`${out} has no checkpoint yet: starting at the beginning`);
  for (const text of from ? tellLonger(from, { ...prepared.settings, steps }) : []) view?.line?.(text);
  const history: History = from?.history ?? { readings: [], validations: [], best: undefined };
  const events = await createEventFile(join(out, RUN_FILES.tensorboard), from && from.step + 1);
  const adapters = adaptersOf(device, from, (text) => view?.line?.(text));
  const state = await dataState(data);
  const otherData = tellOtherData(from?.data, state);
  if (otherData) view?.line?.(otherData);
  const run: Run = { options, data, state, prepared, device, adapters, history, events };
  const { done, nothing, ...times } = await trainOn(run, from).finally(() => events.close());
  const best = history.best ?? undefined;
  const result: TrainRunResult = {
    ...{ out, model: metadata.model, classes: metadata.classes, steps, done, resumedFrom: from?.step ?? 0 },
    loss: history.readings.at(-1)?.loss ?? Number.NaN,
    best: best && { step: best.step, scores: best.scores, ...(best.heads ? { heads: best.heads } : {}) },
    ...{ adapter: device.info, configuration, seconds: (performance.now() - begin) / 1000, ...times },
    ...{ leftOut: data.opened.leftOut ?? [], stopped: false, files: [] },
  };
  const stopped = options.signal?.aborted === true || !(await writeReport(run, result));
  const empty =
    nothing ?? (from && done === steps ? zeroThroughout(history.readings.map(({ loss }) => loss)) : undefined);
  if (empty && !stopped) throw empty;
  return { ...result, stopped, files: await writtenFiles(out) };
}

/** Writes the report with the best weights. Returns whether it was written, because the signal may prevent it. */
async function writeReport({ options, data, prepared, history }: Run, result: TrainRunResult): Promise<boolean> {
  const { out, view, signal } = options;
  const { model, metadata, settings } = prepared;
  if (history.best) await io.loadWeights(model, join(out, RUN_FILES.best));
  const onFailure = ({ message }: Error): void => view?.line?.(`left out of the report: ${message}`);
  const parts = { history, model, data, metadata, headLabels: settings.headLabels, onFailure, signal };
  const html = await unlessInterrupted(runReport(result, parts), signal);
  if (html === undefined) return false;
  await writeWholeFile("train", join(out, RUN_FILES.report), html);
  return true;
}

/**
 * The adapters of the whole run. Warns if the adapter or its tile sizes have changed, because sums are then rounded
 * differently and the last bits differ.
 */
function adaptersOf(
  { info, capabilities: { tuning = {} } }: Device,
  from: Checkpoint | undefined,
  line: (text: string) => void,
): readonly string[] {
  const name = info.description || [info.vendor, info.architecture, info.device].filter(Boolean).join(" ");
  const tiles = Object.entries(tuning).map((entry) => JSON.stringify(entry));
  const own = tiles.length === 0 ? name : `${name} with tuned tiles ${countAndHash(tiles)}`;
  const before = from?.adapters ?? [];
  const adapters = [...new Set([...before, own])];
  if (before.length > 0 && adapters.length > 1) {
    line(
      `the steps so far were made on ${before.join(" and ")}, these are on ${own}: the result may differ in its last bits`,
    );
  }
  return adapters;
}

async function writtenFiles(out: string): Promise<string[]> {
  const present = await readdir(out);
  return Object.values(RUN_FILES).flatMap((name) => (present.includes(name) ? [join(out, name)] : []));
}

/** The result of training: the step at which it ended, and the times of `TrainRunResult`. */
type Trained = Pick<TrainRunResult, "done" | "stepping" | "waited"> & { readonly nothing?: TensorError | undefined };

async function trainOn(run: Run, from: Checkpoint | undefined): Promise<Trained> {
  const { options, data, prepared, device } = run;
  const { model, settings, steps, readEvery, metadata } = prepared;
  const first = from?.step ?? 0;
  const unscored = from && lacksValidation(run, from) ? from : undefined;
  if (first >= steps && unscored === undefined) return { done: first, stepping: 0, waited: 0 };
  await using loader = makeLoader(options, data, prepared, from?.loader);
  const waiting = new Waiting(loader.batches(), device);
  options.view?.start?.(metadata.model, steps, first);
  let aside = 0;
  try {
    if (unscored) await makeUp(run, loader, unscored);
    const {
      steps: done,
      seconds,
      nothing,
    } = await trainResolved({
      ...settings,
      model,
      data: waiting.stream(),
      steps,
      readEvery,
      readAt: (step) => data.validation !== undefined && isDue(run, step, "validateEvery"),
      pauseAt: (step) => isDue(run, step, "checkpointEvery"),
      ...(options.signal ? { signal: options.signal } : {}),
      ...(from ? { from } : {}),
      onWarning: (text) => options.view?.line?.(`warning: ${text}`),
      onProgress: async (progress, optimizer) => {
        const begin = performance.now();
        await checkBeforeUse(run, progress);
        await report(run, loader, progress);
        if (isDue(run, progress.step, "checkpointEvery")) await keep(run, progress, optimizer, loader.state);
        aside += (performance.now() - begin) / 1000;
      },
    });
    if (done === first) throwIfStopped(options.signal, first);
    return { done, nothing, stepping: seconds - aside, waited: waiting.seconds };
  } finally {
    options.view?.end?.();
  }
}

function isDue({ options, prepared }: Run, step: number, every: "validateEvery" | "checkpointEvery"): boolean {
  const stopped = every === "checkpointEvery" && options.signal?.aborted === true;
  return stopped || step === prepared.steps || step % prepared[every] === 0;
}

/**
 * Throws before a net with NaN or infinity is scored or kept. Its scores would be those of a net that sees the first
 * class everywhere.
 */
async function checkBeforeUse(run: Run, { step, open, names }: TrainProgress): Promise<void> {
  const isScored = run.data.validation !== undefined && open === undefined && isDue(run, step, "validateEvery");
  if (!isScored && !isDue(run, step, "checkpointEvery")) return;
  await checkFinite(run.prepared.model, run.options.out, { step, names });
}

async function report(run: Run, loader: DataLoader, progress: TrainProgress): Promise<void> {
  const { options, history, events } = run;
  const { step, loss, learningRate, imagesPerSecond } = progress;
  options.view?.progress?.(progress);
  // The loss of a part of an interval would change what an undisturbed run writes.
  if (progress.open !== undefined) return;
  history.readings.push({ step, loss, learningRate });
  await events.write(step, { loss, learningRate, imagesPerSecond });
  if (isDue(run, step, "validateEvery")) await score(run, loader, step);
}

/** Validates. A validation that the signal interrupts leaves no trace. */
async function score(
  { options, data, prepared, history, events }: Run,
  loader: DataLoader,
  step: number,
): Promise<void> {
  if (data.validation === undefined) return;
  const { view, signal, out } = options;
  const { model, metadata, settings } = prepared;
  const onFailure = ({ message }: Error): void => view?.line?.(`left out of the scores: ${message}`);
  const samples = await loader.samplesOf(data.validation);
  const further = extraLabels(settings.heads, settings.headLabels);
  const validating = validate(model, samples, { metadata, step, further, onFailure, signal });
  const validation = await unlessInterrupted(validating, signal);
  if (validation === undefined) return;
  view?.validation?.(step, validation.scores.meanIU);
  await events.write(step, namedScores(validation));
  if (addValidation(history, validation)) await saveModel(join(out, RUN_FILES.best), model, metadata);
}

/** Whether the validation after a checkpoint's step was interrupted. */
const lacksValidation = (run: Run, { step, history }: Checkpoint): boolean =>
  run.data.validation !== undefined && isDue(run, step, "validateEvery") && history.validations.at(-1)?.step !== step;

/** Makes the validation that a checkpoint lacks, and writes the checkpoint again. */
async function makeUp(run: Run, loader: DataLoader, from: Checkpoint): Promise<void> {
  await score(run, loader, from.step);
  if (lacksValidation(run, from)) return;
  await keep(run, from, { stateDict: () => from.optimizer }, from.loader);
}

/** Writes the checkpoint last, when all other files are on the disk. */
async function keep(
  { options, data, state, prepared, adapters, history }: Run,
  { step, open }: Pick<TrainProgress, "step" | "open"> | Checkpoint,
  optimizer: Parameters<typeof writeCheckpoint>[2],
  loader: Checkpoint["loader"],
): Promise<void> {
  const { out } = options;
  const { model, metadata, configuration } = prepared;
  await saveModel(join(out, RUN_FILES.last), model, metadata);
  if (data.validation === undefined) await saveModel(join(out, RUN_FILES.best), model, metadata);
  await writeWholeFile("train", join(out, RUN_FILES.metrics), metricsCsv(history));
  const written = { step, configuration, adapters, data: state, loader, history, open };
  await writeCheckpoint(join(out, RUN_FILES.checkpoint), model, optimizer, written);
}
