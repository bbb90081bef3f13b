import { type Device, hasCode, TensorError } from "@fcn/tensor";
import { toldOf } from "../../../data/files/errors.js";
import { readRun } from "../../../training/run/compare.js";
import { divided, openAll } from "../../../training/run/folds.js";
import { trainRun } from "../../../training/run/run.js";
import type { TrainRunResult } from "../../../training/run/state/result.js";
import { unlessStopped } from "../../../training/run/stop.js";
import type { TrainRunOptions } from "../../../training/settings/runOptions.js";
import { pathIn, type RunFolder, shownError, withRunFolder } from "./place.js";
import type { Trial } from "./plan.js";
import { RECORD } from "./record.js";
import { type Outcome, placeOf, type Rung } from "./rungs.js";
import { folderOf, type SweepTask, scheduleOf, trialOptions } from "./task.js";

/** Where a trial is trained, and what ends it. */
export interface Training {
  readonly device: Device;
  readonly signal?: AbortSignal | undefined;
}

/** Errors that the settings of a trial bring about, on any machine or on one of its size. */
const OF_THE_TRIAL = [
  ...["diverged", "nothing-learned", "invalid-argument", "invalid-shape"],
  ...["class-mismatch", "limit-exceeded", "out-of-memory", "unsupported"],
] as const;

/** The item of a sweep, as its number and the rungs so far say. */
export function itemOf(task: SweepTask, rungs: readonly Rung[], item: number) {
  const place = placeOf(item, rungs, scheduleOf(task));
  const trial = place && task.trials[place.trial];
  if (place && trial) return { ...place, trial };
  throw new TensorError({
    code: "corrupt-file",
    message: `sweep: ${pathIn(task.out, RECORD)} says nothing of item ${item}`,
    fix: "put the file back that the sweep wrote, or start the sweep again",
  });
}

/**
 * Trains a run of a trial to the budget of its rung, from its checkpoint if there is one. Throws `aborted` if the
 * signal ends it, and what no trial is to blame for.
 */
export async function trainItem(
  task: SweepTask,
  rungs: readonly Rung[],
  { item, training }: { readonly item: number; readonly training: Training },
): Promise<Outcome> {
  const { trial, budget, run } = itemOf(task, rungs, item);
  const begin = performance.now();
  const seconds = (): number => (performance.now() - begin) / 1000;
  return withRunFolder(task.out, folderOf(task, trial, run), training, async (folder) => {
    try {
      const { done, stopped } = await trainTo(task, { trial, run, budget, folder }, training);
      if (stopped) throw aborted();
      const { history } = await readRun(folder.path);
      const within = history.validations.filter(({ step }) => step <= (budget ?? Number.POSITIVE_INFINITY));
      const scores = within.map(({ scores: { meanIU } }) => meanIU).filter(Number.isFinite);
      return { item, meanIU: scores.length > 0 ? Math.max(...scores) : null, steps: done, seconds: seconds() };
    } catch (cause) {
      const error = shownError(cause, folder);
      if (hasCode(error, "aborted")) throw aborted();
      if (!hasCode(error, ...OF_THE_TRIAL)) throw error;
      const steps = await readRun(folder.path).then(
        ({ history }) => history.readings.at(-1)?.step ?? 0,
        () => 0,
      );
      return { item, meanIU: null, steps, seconds: seconds(), error: toldOf(error) };
    }
  });
}

const aborted = (): TensorError =>
  new TensorError({
    code: "aborted",
    message: "sweep: stopped in the course of a trial, which has a checkpoint",
    fix: { code: "go on with resume: true", command: "go on with the same command and --resume" },
  });

interface Target {
  readonly trial: Trial;
  readonly run: number;
  readonly budget: number | null;
  readonly folder: RunFolder;
}

async function trainTo(
  task: SweepTask,
  { trial, run, budget, folder: { path: out, kept } }: Target,
  { device, signal }: Training,
): Promise<TrainRunResult> {
  const options: TrainRunOptions = {
    ...{ ...trialOptions(task, trial), data: task.data, out, device, resume: true },
    ...(budget !== null && { stopAt: budget }),
    ...(signal && { signal }),
    ...(kept && { view: { kept } }),
  };
  const { folds } = task;
  if (folds === undefined) return whenFree(() => trainRun(options));
  const opened = await unlessStopped(openAll(options), signal);
  const data = divided(opened, folds, options.seed ?? 0)[run];
  return whenFree(() => trainRun({ ...options, ...(data && { data }) }));
}

/** The lock of a process on another machine counts for two minutes after its end. */
const MOST_WAITS = 30;
const WAIT = 5000;

/** Calls `train` again while another process, which may have died, holds the folder of the run. */
async function whenFree(train: () => Promise<TrainRunResult>): Promise<TrainRunResult> {
  for (let wait = 0; ; wait++) {
    try {
      return await train();
    } catch (error) {
      if (wait === MOST_WAITS || !hasCode(error, "folder-in-use")) throw error;
      await new Promise((resolve) => setTimeout(resolve, WAIT));
    }
  }
}
