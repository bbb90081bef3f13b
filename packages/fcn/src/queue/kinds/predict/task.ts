import type { DataRemark } from "../../../data/files/remarks.js";
import type { OutputName } from "../../../prediction/files/outputs.js";
import type { PredictRun } from "../../../prediction/files/run.js";
import type { PredictOptions } from "../../../prediction/predict.js";
import type { Run } from "../../runs/spec.js";

/** What a prediction asks of workers. */
export interface PredictTask {
  /** Images of the list, which are the first items of the run. */
  readonly images: number;
  /** The place for results. */
  readonly out: string;
  /** That place as it was named, for results. */
  readonly shown: string;
  /** The files of weights as they were named. */
  readonly names: readonly string[];
  /** As `fcn predict` has it: by default labels and overlay, and of scenes the labels. */
  readonly save?: readonly OutputName[];
  /** Which images are scenes, and how large their regions are; by default as on one machine. */
  readonly scenes?: PredictRun["scenes"];
  readonly options: Omit<PredictOptions, "signal">;
  readonly tolerance: number;
}

/** What is kept of a prediction that is done. */
export interface PredictResult {
  readonly images: number;
  readonly failed: number;
  readonly remarks: readonly DataRemark[];
}

export const taskOf = ({ spec }: Run): PredictTask => spec.task as PredictTask;
