import { type Device, io, type TensorError } from "@fcn/tensor";
import { invalidArgument, nodeModule } from "@fcn/tensor/internal";
import type { DataLoader } from "../../data/loader/loader.js";
import type { HostSamples } from "../../data/workers/makeBatch.js";
import { writeWholeFile } from "../../files/write.js";
import { tunedDevice } from "../../measure/tunedDevice.js";
import { buildNet, saveModel } from "../../models/file/weightsFile.js";
import { checkGiven } from "../../options/option.js";
import { createEventFile, type EventFile } from "../../report/eventFile.js";
import { zeroThroughout } from "../learning.js";
import { extraLabels } from "../loss/heads.js";
import { type Average, averageOf, byAverage } from "../optimizer/average.js";
import { SETTINGS } from "../settings/run.js";
import type { TrainRunOptions } from "../settings/runOptions.js";
import type { TrainProgress } from "../settings/trainOptions.js";
import { trainResolved } from "../train.js";
import { countAndHash, tellLonger } from "./configuration.js";
import { checkFinite } from "./finite.js";
import { PREVIEWED, previewSheet } from "./preview.js";
import { runReport } from "./report.js";
import { prepareData } from "./start/data.js";
import { effectiveOptions } from "./start/effective.js";
import { chooseNet } from "./start/net.js";
import { makeLoader, type PreparedRun, prepareRun, stepsPerEpoch } from "./start/prepare.js";
import { chooseStart } from "./start/pretrained.js";
import { type Checkpoint, readCheckpoint, savedConfiguration, writeCheckpoint } from "./state/checkpoint.js";
import type { States } from "./state/checkpointArrays.js";
import { type DataState, dataState, tellOtherData } from "./state/dataState.js";
import { openFolder, withRunFolder } from "./state/folder.js";
import { addValidation, type History, metricsCsv, namedScores } from "./state/history.js";
import { RUN_FILES, type TrainRunResult } from "./state/result.js";
import { throwIfStopped, unlessInterrupted } from "./stop.js";
import { validate } from "./validate.js";
import { Waiting } from "./waiting.js";

const { readdir } = nodeModule("trainRun", "node:fs/promises");
const { join } = nodeModule("trainRun", "node:path");

/** Everything a run needs while it trains. */
interface Run extends PreparedRun {
  readonly device: Device;
  readonly state: DataState | undefined;
  /** The adapter of this run, and those before it if the run was resumed. */
  readonly adapters: readonly string[];
  readonly history: History;
  readonly events: EventFile;
}

export const trainRun = (options: TrainRunOptions): Promise<TrainRunResult> =>
  withRunFolder(options, () => runInFolder(options));

async function runInFolder(options: TrainRunOptions): Promise<TrainRunResult> {
  const begin = performance.now();
  const { out, resume = false, signal } = options;
  const saved = resume ? await savedConfiguration(join(out, RUN_FILES.checkpoint)) : undefined;
  const data = await prepareData(options, saved);
  throwIfStopped(signal);
  using own = options.device ? undefined : await tunedDevice(options);
  const device = options.device ?? (own as Device);
  checkGiven("train", SETTINGS, options);
  const start = await chooseStart(options, data, saved);
  const metadata = await chooseNet(start, data, saved);
  using model = buildNet(metadata, device);
  const prepared = await prepareRun({ ...start, data, metadata, model }, saved);
  throwIfStopped(signal);
  await openFolder(options);
  return await runPrepared(prepared, device, begin);
}

async function runPrepared(prepared: PreparedRun, device: Device, begin: number): Promise<TrainRunResult> {
  const { options, data, model, metadata, settings, configuration } = prepared;
  const { out, resume = false, signal } = options;
  const tell = (text: string): void => options.view?.line?.(text);
  if (options.patience !== undefined && data.validation === undefined) {
    throw invalidArgument(`train: patience ${options.patience} without images to validate on`, {
      code: "leave patience out, or give the data a validation split (open: { validation: 0.2 })",
      command: "leave --patience out, or name images to validate on in splits/val.txt",
    });
  }
  const from = resume ? await readCheckpoint(join(out, RUN_FILES.checkpoint), model, configuration) : undefined;
  if (resume && from === undefined) tell(`${out} has no checkpoint yet: starting at the beginning`);
  for (const text of from ? tellLonger(from, settings) : []) tell(text);
  const effective = `${JSON.stringify(effectiveOptions(prepared), undefined, 2)}\n`;
  await writeWholeFile("train", join(out, RUN_FILES.config), effective);
  const history: History = from?.history ?? { readings: [], validations: [] };
  const events = await createEventFile(join(out, RUN_FILES.tensorboard), from && from.step + 1);
  const adapters = adaptersOf(device, from?.adapters ?? [], tell);
  const state = await dataState(data);
  const otherData = tellOtherData(from?.data, state);
  if (otherData) tell(otherData);
  const run: Run = { ...prepared, device, state, adapters, history, events };
  if (options.preview !== undefined) await writePreview(options.preview, run);
  const { nothingLearned, ...trained } = await trainOn(run, from).finally(() => events.close());
  const { best } = history;
  const result: TrainRunResult = {
    ...{ out, model: metadata.model, classes: metadata.classes, steps: settings.steps },
    ...{ resumedFrom: from?.step ?? 0, loss: history.readings.at(-1)?.loss ?? Number.NaN },
    best: best && { step: best.step, scores: best.scores, ...(best.heads ? { heads: best.heads } : {}) },
    ...{ adapter: device.info, configuration, seconds: (performance.now() - begin) / 1000, ...trained },
    ...{ leftOut: data.opened.leftOut ?? [], stopped: false, files: [] },
  };
  const stopped = signal?.aborted === true || !(await writeReport(run, result));
  const isWhole = from !== undefined && trained.done === settings.steps;
  const empty = nothingLearned ?? (isWhole ? zeroThroughout(history.readings.map(({ loss }) => loss)) : undefined);
  if (empty && !stopped) throw empty;
  return { ...result, stopped, files: await writtenFiles(out) };
}

/** Writes the report with the best weights. Returns whether it was written, because the signal may prevent it. */
async function writeReport(run: Run, result: TrainRunResult): Promise<boolean> {
  const { out, signal } = run.options;
  if (run.history.best) await io.loadWeights(run.model, join(out, RUN_FILES.best));
  const html = await unlessInterrupted(runReport(result, run), signal);
  if (html !== undefined) await writeWholeFile("train", join(out, RUN_FILES.report), html);
  return html !== undefined;
}

/**
 * The adapters of the whole run, after those `before`. Warns if the adapter or its tile sizes have changed, because
 * sums are then rounded differently and the last bits differ.
 */
function adaptersOf(
  { info, capabilities: { tuning = {} } }: Device,
  before: readonly string[],
  tell: (text: string) => void,
): readonly string[] {
  const name = info.description || [info.vendor, info.architecture, info.device].filter(Boolean).join(" ");
  const tiles = Object.entries(tuning).map((entry) => JSON.stringify(entry));
  const own = tiles.length === 0 ? name : `${name} with tuned tiles ${countAndHash(tiles)}`;
  const adapters = [...new Set([...before, own])];
  if (before.length > 0 && adapters.length > 1) {
    tell(
      `the steps so far were made on ${before.join(" and ")}, these are on ${own}: the result may differ in its last bits`,
    );
  }
  return adapters;
}

async function writtenFiles(out: string): Promise<string[]> {
  const present = await readdir(out);
  return Object.values(RUN_FILES).flatMap((name) => (present.includes(name) ? [join(out, name)] : []));
}

/** Draws the first batches of the run, which a loader of their own makes. */
async function writePreview(file: string, run: Run): Promise<void> {
  await using loader = makeLoader(run, undefined);
  const batches: HostSamples[] = [];
  let count = 0;
  for await (const batch of loader.epoch()) {
    batches.push(batch);
    count += batch.names.length;
    if (count >= PREVIEWED) break;
  }
  const { classes, palette } = run.data.opened;
  const { preprocessing } = run.metadata;
  await writeWholeFile("train", file, await previewSheet(batches, { classes, palette, preprocessing }));
}

/** The result of training: the step at which it ended, and the times of `TrainRunResult`. */
type Trained = Pick<TrainRunResult, "done" | "stepping" | "waited"> & {
  readonly nothingLearned?: TensorError | undefined;
};

async function trainOn(run: Run, from: Checkpoint | undefined): Promise<Trained> {
  const { options, metadata, settings } = run;
  const { view, signal } = options;
  const first = from?.step ?? 0;
  const unscored = from && lacksValidation(run, from) ? from : undefined;
  const isOver = (): boolean => first >= lastStep(run) || hasNoMorePatience(run);
  if (isOver() && unscored === undefined) return { done: first, stepping: 0, waited: 0 };
  await using loader = makeLoader(run, from?.loader);
  const waiting = new Waiting(loader.batches(), run.device);
  view?.start?.(metadata.model, settings.steps, first, stepsPerEpoch(run.data, settings));
  let aside = 0;
  try {
    if (unscored) await makeUp(run, loader, unscored);
    const ended = new AbortController();
    if (isOver()) ended.abort();
    const trained = await trainResolved({
      ...settings,
      data: waiting.stream(),
      readAt: (step) => isScored(run, step),
      pauseAt: (step) => isKept(run, step),
      signal: signal ? AbortSignal.any([signal, ended.signal]) : ended.signal,
      ...(from ? { from } : {}),
      onWarning: (text) => view?.line?.(`warning: ${text}`),
      onProgress: async (progress, optimizer, scaler, average) => {
        const begin = performance.now();
        await report(run, loader, progress, average);
        const isEnd = hasNoMorePatience(run) || progress.step === lastStep(run);
        const states = { optimizer, scaler, average };
        if (isEnd || isKept(run, progress.step)) {
          await keep(run, progress, states, loader.state);
          await view?.kept?.(progress.step);
        }
        if (isEnd) ended.abort();
        aside += (performance.now() - begin) / 1000;
      },
    });
    const { steps: done, seconds, nothingLearned } = trained;
    if (hasNoMorePatience(run) && done < lastStep(run)) view?.line?.(endedEarly(run, done));
    if (done === first) throwIfStopped(signal, first);
    return { done, nothingLearned, stepping: seconds - aside, waited: waiting.seconds };
  } finally {
    view?.end?.();
  }
}

/** Whether so many validations in a row were no better than the best before them that the run is to end. */
const hasNoMorePatience = ({ options: { patience = Number.POSITIVE_INFINITY }, history }: Run): boolean =>
  history.validations.filter(({ step }) => step > (history.best?.step ?? 0)).length >= patience;

/** The step that this call makes last. The course of a run does not depend on it, unlike on `steps`. */
const lastStep = ({ options: { stopAt }, settings: { steps } }: Run): number => Math.min(stopAt ?? steps, steps);

function endedEarly({ options: { patience }, history }: Run, done: number): string {
  const best = `the best mean IU is that of step ${history.best?.step}`;
  return `ended after step ${done}, since ${best} and ${patience} validations have not surpassed it`;
}

const isScored = ({ data, settings, validateEvery }: Run, step: number): boolean =>
  data.validation !== undefined && (step === settings.steps || step % validateEvery === 0);

const isKept = (run: Run, step: number): boolean =>
  run.options.signal?.aborted === true || step === lastStep(run) || step % run.checkpointEvery === 0;

async function report(run: Run, loader: DataLoader, progress: TrainProgress, average?: Average): Promise<void> {
  const { options, model, history, events } = run;
  const { step, loss, learningRate, imagesPerSecond, open, names } = progress;
  // A net with NaN or infinity is neither scored nor kept. Its scores would be those of a net that sees the first class
  // everywhere.
  const isValidated = open === undefined && isScored(run, step);
  if (isValidated || isKept(run, step)) await checkFinite(model, options.out, { step, names });
  options.view?.progress?.(progress);
  // The loss of a part of an interval would change what an undisturbed run writes.
  if (open !== undefined) return;
  history.readings.push({ step, loss, learningRate });
  await events.write(step, { loss, learningRate, imagesPerSecond });
  if (isValidated) await byAverage(average, () => score(run, loader, step));
}

/** Validates. A validation that the signal interrupts leaves no trace. */
async function score(run: Run, loader: DataLoader, step: number): Promise<void> {
  const { options, data, model, metadata, settings, history, events } = run;
  if (data.validation === undefined) return;
  const { view, signal, out } = options;
  const onFailure = ({ message }: Error): void => view?.line?.(`left out of the scores: ${message}`);
  const samples = await loader.samplesOf(data.validation);
  const extra = extraLabels(settings.heads, settings.headLabels);
  const validating = validate(model, samples, { metadata, step, extra, onFailure, settings, signal });
  const validation = await unlessInterrupted(validating, signal);
  if (validation === undefined) return;
  view?.validation?.(step, validation.scores.meanIU, validation.loss);
  await events.write(step, namedScores(validation));
  if (addValidation(history, validation)) await saveModel(join(out, RUN_FILES.best), model, metadata);
}

/** Whether the validation after a checkpoint's step was interrupted. */
const lacksValidation = (run: Run, { step, history }: Checkpoint): boolean =>
  isScored(run, step) && history.validations.at(-1)?.step !== step;

/** Makes the validation that a checkpoint lacks, and writes the checkpoint again. */
async function makeUp(run: Run, loader: DataLoader, from: Checkpoint): Promise<void> {
  using average = averageOf(run.model, run.settings.ema, from.average);
  await byAverage(average, () => score(run, loader, from.step));
  if (lacksValidation(run, from)) return;
  const asRead = (saved: Checkpoint["optimizer"]) => ({ stateDict: () => saved });
  const states = { optimizer: asRead(from.optimizer), scaler: asRead(from.scaler), average };
  await keep(run, from, states, from.loader);
}

/** Writes the checkpoint last, when all other files are on the disk. */
async function keep(
  { options: { out }, data, state, model, metadata, configuration, adapters, history }: Run,
  { step, open }: Pick<TrainProgress, "step" | "open"> | Checkpoint,
  states: States & { readonly average?: Average | undefined },
  loader: Checkpoint["loader"],
): Promise<void> {
  await byAverage(states.average, async () => {
    await saveModel(join(out, RUN_FILES.last), model, metadata);
    if (data.validation === undefined) await saveModel(join(out, RUN_FILES.best), model, metadata);
  });
  await writeWholeFile("train", join(out, RUN_FILES.metrics), metricsCsv(history));
  const written = { step, configuration, adapters, data: state, loader, history, open };
  await writeCheckpoint(join(out, RUN_FILES.checkpoint), model, states, written);
}
