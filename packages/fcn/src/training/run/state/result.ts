import type { DeviceInfo } from "@fcn/tensor";
import type { LeftOut } from "../../../data/samples/dataset.js";
import type { SegmentationScores } from "../../../labels/metrics.js";
import type { Configuration } from "../configuration.js";
import type { Validation } from "./history.js";

/** Names of the files in a run's folder. */
export const RUN_FILES = {
  last: "weights.safetensors",
  best: "best.safetensors",
  checkpoint: "checkpoint",
  config: "config.json",
  metrics: "metrics.csv",
  report: "report.html",
  tensorboard: "tensorboard",
} as const;

/** The result of a run. */
export interface TrainRunResult {
  readonly out: string;
  readonly model: string;
  readonly classes: readonly string[];
  readonly steps: number;
  /** Steps made; fewer than `steps` if the signal, `stopAt` or `patience` ended the run. */
  readonly done: number;
  /**
   * Whether the signal ended the run before it was complete, perhaps during the validation after its last step.
   * `resume` continues it.
   */
  readonly stopped: boolean;
  /** The step that the run continued from; 0 if it started from the beginning. */
  readonly resumedFrom: number;
  /** The last reading of the loss. */
  readonly loss: number;
  /** Scores of `best.safetensors`; undefined without validation images. */
  readonly best: Pick<Validation, "step" | "scores" | "heads"> | undefined;
  readonly adapter: DeviceInfo;
  readonly configuration: Configuration;
  /** The images that `skipBad` left out. */
  readonly leftOut: readonly LeftOut[];
  readonly seconds: number;
  /** The part of `seconds` that the steps took, without checks, validation, files and the report. */
  readonly stepping: number;
  /**
   * The part of `stepping` in which the device waited for images to be decoded and augmented. The first batch does not
   * count.
   */
  readonly waited: number;
  /** The files written. */
  readonly files: readonly string[];
}

/** The four scores and the IU of each class. */
export type FoldScores = Pick<
  SegmentationScores,
  "pixelAccuracy" | "meanAccuracy" | "meanIU" | "frequencyWeightedIU" | "perClassIU"
>;

/** The scores of the best weights of all folds, each on its own part of the images. */
export interface FoldsSummary {
  readonly mean: FoldScores;
  /** The standard deviation over the folds, as of a sample. */
  readonly spread: FoldScores;
  /** The scores of the pixels of all folds together, so that every image counts once. */
  readonly pooled: SegmentationScores;
}

/** The result of a cross-validation. */
export interface TrainFoldsResult {
  readonly out: string;
  /** By fold; where the signal ended one, it is the last. */
  readonly folds: readonly TrainRunResult[];
  /** Absent if the signal ended it. */
  readonly summary?: FoldsSummary;
  /** Whether the signal ended it. `resume` continues it. */
  readonly stopped: boolean;
  readonly seconds: number;
  /** The files written beside those of the folds. */
  readonly files: readonly string[];
}
