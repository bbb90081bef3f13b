import type { DeviceInfo } from "@fcn/tensor";
import type { LeftOut } from "../../../data/samples/dataset.js";
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
  /** Steps made; fewer than `steps` if the signal or `patience` ended the run. */
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
