import { nodeModule } from "@fcn/tensor/internal";
import type { TrainRunOptions } from "../settings/runOptions.js";
import type { TrainRunResult } from "./state/result.js";

export type { TrainRunOptions, TrainRunView } from "../settings/runOptions.js";
export type { Configuration } from "./configuration.js";
export type { ImageScore, Validation } from "./state/history.js";
export { RUN_FILES, type TrainRunResult } from "./state/result.js";

/**
 * Trains a net on a folder of labelled images from end to end (Node): checks the data, trains, validates on the way,
 * and writes into `out` `weights.safetensors` (the last), `best.safetensors` (by mean IU), `checkpoint/`,
 * `metrics.csv`, TensorBoard events and `report.html`. Killed at any moment, `resume` goes on from the last checkpoint,
 * and ends with the bits of a run that was never stopped.
 *
 * ```ts await fcn.trainRun({ data: "photographs", model: "fcn16s-mobilenetv2", out: "out/run", epochs: 40 }); ```
 *
 * Throws a TensorError: "data-problems", "run-exists" where `out` holds a run or its weights and neither `resume` nor
 * `overwrite` is set, "folder-in-use" where another run writes there, "checkpoint-mismatch" for a checkpoint of other
 * options, "aborted" where the signal ends it before its first step, and "diverged" where the loss stops being a
 * number.
 */
export async function trainRun(options: TrainRunOptions): Promise<TrainRunResult> {
  // Files are read and written: browsers do not load this part.
  nodeModule("trainRun", "node:fs/promises");
  const run = await import("./run.js");
  return run.trainRun(options);
}
