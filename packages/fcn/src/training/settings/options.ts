import type { optim } from "@fcn/tensor";
import type { HostBatch } from "../../data/samples/batches.js";
import type { Preprocessing } from "../../data/samples/preprocessing.js";
import type { SegmentationSample } from "../../labels/sample.js";
import type { SegmentationNet } from "../../models/segmentationNet.js";
import type { ClassBalancing } from "../loss/classWeights.js";
import type { HeadLabels } from "../loss/heads.js";
import type { LossSampling } from "../loss/lossSampling.js";
import type { Trainable } from "../optimizer/freezing.js";
import type { OptimizerMaker, OptimizerName } from "../optimizer/optimizers.js";
import type { Optimizer } from "../optimizer/schedules.js";
import type { TrainSettings } from "./recipeSettings.js";
import type { Recipe, RecipeName } from "./recipes.js";

/**
 * What was read of an interval between two readings of the loss that has not ended: the sum over its steps so far, and
 * their number.
 */
export interface OpenInterval {
  readonly sum: number;
  readonly count: number;
}

/** Where training stands; `loss` is the mean over the steps since the last reading. */
export interface TrainProgress {
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
  readonly learningRate: number;
  /** Set where this is no reading: training pauses or ends between two. `TrainState` takes it on. */
  readonly open?: OpenInterval;
  /** Over the steps since the last report, without what `onProgress` took. */
  readonly imagesPerSecond: number;
  /** Seconds left at the speed so far. */
  readonly secondsLeft: number;
  /** The images of the last step, as far as they have names. */
  readonly names: readonly string[];
}

/** A batch that a stream gives; `names` are those of its samples, for messages. */
export interface TrainBatch extends HostBatch {
  readonly names?: readonly string[];
}

/** Batches without end, such as `loader.batches()` of a `DataLoader`. Their images are normalised already. */
export type BatchStream = AsyncIterator<TrainBatch>;

/**
 * Where an earlier call stopped, to go on from there. The model holds its weights already; a stream of batches stands
 * at its place.
 */
export interface TrainState {
  /** Steps that were made. */
  readonly step: number;
  /** `optimizer.stateDict()`. */
  readonly optimizer: optim.SavedState;
  /** That of the last progress: the next reading is then the mean over the whole interval. */
  readonly open?: OpenInterval | undefined;
}

/**
 * The options of `train` that have a row in the table of `settings/training.ts`; a recipe may give those of {@link
 * TrainSettings}.
 */
export interface TrainingSettings extends Partial<TrainSettings> {
  readonly steps: number;
  /**
   * Default "sgd". A function makes one of your own; its groups hold rates and decays of their own where `multipliers`
   * gives some. `momentum` is for SGD alone.
   */
  readonly optimizer?: OptimizerName | OptimizerMaker;
  /**
   * Which heads learn from an extra label map of the samples, by the map's name: `{ geo: "geometric" }`. Default: what
   * the net says, as those for SIFT Flow do.
   */
  readonly headLabels?: HeadLabels;
  /** One weight a class in the loss, or how they follow from the data; for the heads that learn from `labels`. */
  readonly classWeights?: readonly number[] | ClassBalancing;
  /** Counts a random share of the pixels only. */
  readonly lossSampling?: LossSampling;
  /** Lets only these modules learn. */
  readonly trainable?: Trainable;
  /**
   * Batch norm normalises by its running statistics and keeps them, as fine-tuning on small batches needs; its weight
   * and bias still learn. Default false.
   */
  readonly freezeBatchNorm?: boolean;
  /** Scales the gradients of a step down to this norm, over all parameters. */
  readonly clipNorm?: number;
  /** Fixes the order of the samples, their mirroring and what `lossSampling` keeps. Default 0. */
  readonly seed?: number;
  /** Steps between two readings of the loss; each one waits for the GPU. Default 10. */
  readonly readEvery?: number;
}

/**
 * Settings that are left out are those of the recipe; without one: batches of 1, reduction `mean` of `crossEntropy`,
 * SGD with momentum 0.9 and weight decay 5e-4 (AdamW: 0.01) on all parameters, schedule `poly`, mirroring. Then
 * `learningRate` is required. Of a net with several heads `out` is trained, or all alike where none is called so.
 */
export interface TrainOptions extends TrainingSettings {
  readonly model: SegmentationNet;
  /** Samples of one size, or a stream of batches; then `batchSize`, `mirror` and `preprocessing` are the stream's. */
  readonly data: readonly SegmentationSample[] | BatchStream;
  readonly preprocessing: Preprocessing;
  readonly numClasses: number;
  /** A published recipe by name, or one of your own. */
  readonly recipe?: RecipeName | Recipe;
  /** Whether the loss is also read after a step, as before a validation. It begins a new interval. */
  readonly readAt?: (step: number) => boolean;
  /** Whether `onProgress` is also called after a step, as for a checkpoint. No interval ends there. */
  readonly pauseAt?: (step: number) => boolean;
  /** Is told what is likely a mistake, such as first steps without a pixel to learn from. */
  readonly onWarning?: (text: string) => void;
  /**
   * Awaited after each reading of the loss and pause, with the optimiser: validation may run here, and a checkpoint be
   * written.
   */
  readonly onProgress?: (progress: TrainProgress, optimizer: Optimizer) => void | Promise<void>;
  /** Goes on where an earlier call with the same options stopped. */
  readonly from?: TrainState;
  /** Ends training after the step in progress, after a last call of `onProgress`. */
  readonly signal?: AbortSignal;
}

/** Options with every default filled in. */
export interface ResolvedOptions extends Omit<TrainOptions, keyof TrainSettings | "classWeights">, TrainSettings {
  readonly optimizer: OptimizerName | OptimizerMaker;
  readonly headLabels: HeadLabels;
  readonly classWeights?: readonly number[];
  readonly seed: number;
  readonly readEvery: number;
}
