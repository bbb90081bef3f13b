import type { DeviceInfo } from "@fcn/tensor";
import type { LeftOut } from "../../../data/samples/dataset.js";
import type { Configuration } from "../configuration.js";
import type { Validation } from "./history.js";

/** Names in the folder of a run. */
export const RUN_FILES = {
  last: "weights.safetensors",
  best: "best.safetensors",
  checkpoint: "checkpoint",
  metrics: "metrics.csv",
  report: "report.html",
  tensorboard: "tensorboard",
} as const;

/** What a run came to. */
export interface TrainRunResult {
  readonly out: string;
  readonly model: string;
  readonly classes: readonly string[];
  readonly steps: number;
  /** Steps that were made; fewer than `steps` only where the signal ended the run. */
  readonly done: number;
  /**
   * The signal ended the run before it was complete, perhaps in the validation after its last step: `resume` goes on.
   */
  readonly stopped: boolean;
  /** Step that the run went on from; 0 for one from the beginning. */
  readonly resumedFrom: number;
  /** The last reading. */
  readonly loss: number;
  /** Scores of `best.safetensors`; undefined without validation images. */
  readonly best: Pick<Validation, "step" | "scores" | "heads"> | undefined;
  readonly adapter: DeviceInfo;
  readonly configuration: Configuration;
  /** The images that `skipBad` left out. */
  readonly leftOut: readonly LeftOut[];
  readonly seconds: number;
  /** Seconds of them that the steps took: without checks, validation, files and the report. */
  readonly stepping: number;
  /**
   * Seconds of these in which the device had nothing to do because images were still decoded and changed; the first
   * batch does not count.
   */
  readonly waited: number;
  /** What was written. */
  readonly files: readonly string[];
}
