import type { optim } from "@fcn/tensor";
import type { HostBatch } from "../../data/samples/batches.js";
import type { Preprocessing } from "../../data/samples/preprocessing.js";
import type { SegmentationSample } from "../../labels/sample.js";
import type { SegmentationNet } from "../../models/segmentationNet.js";
import type { Precision } from "../../prediction/inferenceOptions.js";
import type { ClassBalancing } from "../loss/classWeights.js";
import type { HeadLabels } from "../loss/heads.js";
import type { LossSampling } from "../loss/lossSampling.js";
import type { Trainable } from "../optimizer/freezing.js";
import type { OptimizerMaker, OptimizerName } from "../optimizer/optimizers.js";
import type { Optimizer } from "../optimizer/schedules.js";
import type { TrainSettings } from "./recipeSettings.js";
import type { Recipe, RecipeName } from "./recipes.js";

/** The unfinished interval since the last reading of the loss: the sum over its steps so far, and their number. */
export interface OpenInterval {
  readonly sum: number;
  readonly count: number;
}

/** How far training has come. `loss` is the mean over the steps since the last reading. */
export interface TrainProgress {
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
  readonly learningRate: number;
  /** Set when training pauses or ends between two readings. Pass it on in `TrainState`. */
  readonly open?: OpenInterval;
  /** Over the steps since the last report, without the time in `onProgress`. */
  readonly imagesPerSecond: number;
  /** Estimated from the speed so far. */
  readonly secondsLeft: number;
  /** The names of the images of the last step, for those that have one. */
  readonly names: readonly string[];
}

/** A batch from a stream. `names` are those of its samples, for messages. */
export interface TrainBatch extends HostBatch {
  readonly names?: readonly string[];
}

/** An endless stream of batches with normalised images, such as `loader.batches()` of a `DataLoader`. */
export type BatchStream = AsyncIterator<TrainBatch>;

/**
 * Where an earlier call stopped, so that training can continue from there. The model already holds that call's weights,
 * and a stream of batches stands at the right place.
 */
export interface TrainState {
  /** Number of steps made. */
  readonly step: number;
  /** `optimizer.stateDict()`. */
  readonly optimizer: optim.SavedState;
  /** `scaler.stateDict()`, of a training in float16. */
  readonly scaler?: optim.SavedState;
  /** `average.stateDict()`, of a training with `ema`. */
  readonly average?: optim.SavedState;
  /** As in the last progress, so that the next reading is the mean over the whole interval. */
  readonly open?: OpenInterval | undefined;
}

/**
 * The options of `train` that have a row in the table of `settings/training.ts`. A recipe may give those of {@link
 * TrainSettings}.
 */
export interface TrainingSettings extends Partial<TrainSettings> {
  readonly steps: number;
  /**
   * Default "sgd". A function makes your own optimiser; `multipliers` gives its groups their own rates and decays.
   * `momentum` is for SGD and RMSprop.
   */
  readonly optimizer?: OptimizerName | OptimizerMaker;
  /**
   * Which heads learn from extra labels of the samples, by the labels' name: `{ geo: "geometric" }`. Default: those
   * that the net names, as the nets for SIFT Flow do.
   */
  readonly headLabels?: HeadLabels;
  /** One weight per class in the loss, or the rule that derives them. Applies to the heads that learn from `labels`. */
  readonly classWeights?: readonly number[] | ClassBalancing;
  /** Counts only a random share of the pixels. */
  readonly lossSampling?: LossSampling;
  /** Lets only these modules learn. */
  readonly trainable?: Trainable;
  /**
   * Makes batch norm normalise by its running statistics without updating them, as fine-tuning on small batches needs.
   * Its weight and bias still learn. Default false.
   */
  readonly freezeBatchNorm?: boolean;
  /** Scales each step's gradients down to at most this norm, taken over all parameters. */
  readonly clipNorm?: number;
  /**
   * Keeps a moving average of weights and running statistics, of which each step keeps this share (`ema` of
   * Ultralytics, `ModelEma` of timm), but no more than (1 + step) / (10 + step) at first. Validation scores the
   * average, a run saves it as its weights, and the net holds it after the last step. Default: none.
   */
  readonly ema?: number;
  /**
   * How the net's features lie in memory while it learns. `float16` halves them: the loss is scaled for the backward
   * pass, and parameters, statistics and the optimiser's state stay float32. Validation stays float32 too, so that its
   * scores are those of `evaluate`. Throws `unsupported` where the device has no `shader-f16`. Default float32.
   */
  readonly precision?: Precision;
  /** Fixes the order and mirroring of the samples and the pixels that `lossSampling` keeps. Default 0. */
  readonly seed?: number;
  /** Steps between two readings of the loss, each of which waits for the GPU. Default 10. */
  readonly readEvery?: number;
}

/**
 * Settings default to those of the recipe. Without a recipe, `learningRate` is required, and the others default to
 * batches of 1, the `mean` of `crossEntropy`, SGD with momentum 0.9 and weight decay 5e-4 (AdamW: 0.01, Adam and
 * RMSprop: 0) on all parameters, schedule `poly`, and mirroring. For a net with several heads, `out` is trained, or
 * all heads with equal weight if none has that name.
 */
export interface TrainOptions extends TrainingSettings {
  readonly model: SegmentationNet;
  /** Samples of one size, or a stream of batches, which then decides `batchSize`, `mirror` and `preprocessing`. */
  readonly data: readonly SegmentationSample[] | BatchStream;
  readonly preprocessing: Preprocessing;
  readonly numClasses: number;
  /** The name of a published recipe, or a recipe of your own. */
  readonly recipe?: RecipeName | Recipe;
  /**
   * Whether to read the loss after a step in addition to `readEvery`, for example before a validation. Starts a new
   * interval.
   */
  readonly readAt?: (step: number) => boolean;
  /** Whether to call `onProgress` after a step without ending the interval, for example for a checkpoint. */
  readonly pauseAt?: (step: number) => boolean;
  /** Called with likely mistakes, such as first steps without a pixel to learn from. */
  readonly onWarning?: (text: string) => void;
  /**
   * Called and awaited, with the optimiser, the scaler of the loss, and with `ema` the average, after each reading of
   * the loss and each pause. May validate or write a checkpoint; the net holds the weights that learn, and
   * `average.swap()` exchanges them. In float16, `loss` is NaN if every step since the last reading was left out.
   */
  readonly onProgress?: (
    progress: TrainProgress,
    optimizer: Optimizer,
    scaler: optim.GradScaler,
    average?: optim.ExponentialMovingAverage,
  ) => void | Promise<void>;
  /** Continues where an earlier call with the same options stopped. */
  readonly from?: TrainState;
  /** Ends training after the current step and a last call of `onProgress`. */
  readonly signal?: AbortSignal;
}

/** Options with every default filled in. */
export interface ResolvedOptions extends Omit<TrainOptions, keyof TrainSettings | "classWeights">, TrainSettings {
  readonly optimizer: OptimizerName | OptimizerMaker;
  readonly headLabels: HeadLabels;
  readonly classWeights?: readonly number[];
  readonly precision: Precision;
  readonly seed: number;
  readonly readEvery: number;
}
