import { invalidArgument, showValue } from "@fcn/tensor/internal";
import { foldersIn, type OpenOptions } from "../../../data/open/openOptions.js";
import { SETTINGS } from "../../../training/settings/run.js";
import type { TrainRunOptions } from "../../../training/settings/runOptions.js";
import type { Settings, Trial } from "./plan.js";
import type { Schedule } from "./rungs.js";

/** A sweep, as data for workers. */
export interface SweepTask extends Omit<Schedule, "runs"> {
  /** The folder of images, or its address in a bucket. */
  readonly data: string;
  /** The folder for results, or its address in a bucket. */
  readonly out: string;
  /** That as it was named, for results. */
  readonly shown: string;
  readonly open: OpenOptions;
  /** The settings that all trials share. */
  readonly settings: Settings;
  readonly trials: readonly Trial[];
  /** Parts of a cross-validation. */
  readonly folds?: number;
}

export const scheduleOf = ({ budgets, eta, folds = 1 }: SweepTask): Schedule => ({ budgets, eta, runs: folds });

/** The folder of a run: that of its trial, or of a fold in it. */
export const folderOf = ({ folds }: SweepTask, { name }: Trial, run: number): string =>
  folds === undefined ? name : `${name}/fold-${run + 1}`;

/** Options of trainRun that a sweep sets itself, or that concern a machine and not a trial. */
export const NOT_SHARED = ["data", "out", "resume", "overwrite", "preview", "stopAt", "adapter", "tune"] as const;

/** The settings of a trial. Those of a task may be anything, and none of them may name a file to write. */
export function trialOptions({ settings, open }: SweepTask, trial: Trial): Omit<TrainRunOptions, "data" | "out"> {
  const given = { ...settings, ...trial.settings };
  const isShared = (name: string): boolean =>
    Object.hasOwn(SETTINGS, name) && !NOT_SHARED.some((other) => other === name);
  return { ...Object.fromEntries(Object.entries(given).filter(([name]) => isShared(name))), open };
}

/** The files and folders that a trial reads. */
export function readBy(task: SweepTask, trial: Trial): string[] {
  const { weights, open = {} } = trialOptions(task, trial);
  return [task.data, ...(weights === undefined ? [] : [weights]), ...foldersIn(open).map(([, folder]) => folder)];
}

/** Throws `invalid-argument` unless a value can be sent as JSON. */
export function checkPlain(name: string, value: unknown): void {
  if (value === null || ["string", "boolean", "undefined"].includes(typeof value) || Number.isFinite(value)) return;
  const isPlain = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
  if (typeof value === "object" && isPlain) {
    for (const part of Object.values(value)) checkPlain(name, part);
    return;
  }
  throw invalidArgument(
    `sweep: ${name} is or holds ${showValue(value)}, which cannot be sent to other machines`,
    "give plain data: names, numbers, lists and objects of them",
  );
}
