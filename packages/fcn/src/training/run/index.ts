import { nodeModule } from "@fcn/tensor/internal";
import type { TrainFoldsOptions, TrainRunOptions } from "../settings/runOptions.js";
import type { RunComparison } from "./compare.js";
import type { TrainFoldsResult, TrainRunResult } from "./state/result.js";

export type { TrainFoldsOptions, TrainRunOptions, TrainRunView } from "../settings/runOptions.js";
export type { ComparedRun, RunComparison } from "./compare.js";
export type { Configuration } from "./configuration.js";
export type { ImageScore, Validation } from "./state/history.js";
export type {
  FoldScores,
  FoldsSummary,
  TrainFoldsResult,
  TrainRunResult,
} from "./state/result.js";

/**
 * Trains a net on a folder of labelled images from start to finish (Node). Checks the data, trains and validates, and
 * writes into `out`: `weights.safetensors` (the last), `best.safetensors` (by mean IU), `checkpoint/`, `metrics.csv`,
 * TensorBoard events and `report.html`. After an interruption at any moment, `resume` continues from the last
 * checkpoint and ends with exactly the bits of an uninterrupted run.
 *
 * `await fcn.trainRun({ data: "photographs", model: "fcn16s-mobilenetv2", out: "out/run", epochs: 40 })`
 *
 * Throws a TensorError: `data-problems`; `run-exists` if `out` holds a run or its weights and neither `resume` nor
 * `overwrite` is set; `folder-in-use` if another run writes there; `checkpoint-mismatch` for a checkpoint with other
 * options; `aborted` if the signal ends the run before its first step; `diverged` if the loss stops being finite;
 * `nothing-learned` if no pixel counted or the loss never changed.
 */
export async function trainRun(options: TrainRunOptions): Promise<TrainRunResult> {
  // Loaded only when called, because browsers can neither read nor write files.
  nodeModule("trainRun", "node:fs/promises");
  const run = await import("./run.js");
  return run.trainRun(options);
}

/**
 * Cross-validates by `trainRun`: divides the images of training and validation into `folds` parts by the seed, and
 * trains a net for each part in `out/fold-1`, `out/fold-2`, ..., which is validated on that part and learns from all
 * others (Node). Then writes the mean of the best scores and their spread into `out/folds.json`, and `out/report.html`
 * with the curves of all folds. With `resume`, folds that are finished make no more steps. Throws what {@link trainRun}
 * throws.
 *
 * `const { summary } = await fcn.trainFolds({ data: "photographs", model: "fcn8s-small", out: "out/cv", folds: 5 })`
 */
export async function trainFolds(options: TrainFoldsOptions): Promise<TrainFoldsResult> {
  nodeModule("trainFolds", "node:fs/promises");
  const folds = await import("./folds.js");
  return folds.trainFolds(options);
}

/**
 * Reads the last checkpoints of runs, and draws their curves, scores and differing settings on one page (Node). Throws
 * `missing-data` for a folder that holds no checkpoint, and `corrupt-file` for one that is damaged.
 *
 * `const { runs, differences, html } = await fcn.compareRuns(["out/adamw", "out/sgd"])`
 */
export async function compareRuns(folders: readonly string[]): Promise<RunComparison> {
  nodeModule("compareRuns", "node:fs/promises");
  const compare = await import("./compare.js");
  return compare.compareRuns(folders);
}
