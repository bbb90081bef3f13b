import { type optim, TensorError } from "@fcn/tensor";
import type { HostBatch } from "../data/batches.js";
import type { Preprocessing } from "../data/preprocessing.js";
import { checkSample, type SegmentationSample } from "../data/sample.js";
import { GraphNet } from "../models/graph/net.js";
import { type ClassBalancing, classWeights } from "./classWeights.js";
import { checkCriterion } from "./criteria.js";
import type { Trainable } from "./freezing.js";
import { checkHeadLabels, checkHeads, furtherLabels, type HeadLabels, ownHeadLabels, ownHeads } from "./heads.js";
import { checkLossSampling, type LossSampling } from "./lossSampling.js";
import type { SegmentationNet } from "./model.js";
import { checkLayers, mergeRules } from "./multipliers.js";
import { type LossNormalization, lossDivisor } from "./normalization.js";
import { defaultDecay, hasMomentum, type OptimizerMaker, type OptimizerName } from "./optimizers.js";
import { type Recipe, type RecipeName, recipe, recipeRate } from "./recipes.js";
import type { Optimizer } from "./schedules.js";
import type { TrainSettings } from "./settings.js";

/** What was read of an interval between two readings of the loss that has not ended: the sum over its steps so far, and their number. */
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
  /** The pictures of the last step, as far as they have names. */
  readonly names: readonly string[];
}

/** A batch that a stream gives; `names` are those of its samples, for messages. */
export interface TrainBatch extends HostBatch {
  readonly names?: readonly string[];
}

/** Batches without end, such as `loader.batches()` of a `DataLoader`. Their pictures are normalised already. */
export type BatchStream = AsyncIterator<TrainBatch>;

/** Where an earlier call stopped, to go on from there. The model holds its weights already; a stream of batches stands at its place. */
export interface TrainState {
  /** Steps that were made. */
  readonly step: number;
  /** `optimizer.stateDict()`. */
  readonly optimizer: optim.SavedState;
  /** That of the last progress: the next reading is then the mean over the whole interval. */
  readonly open?: OpenInterval | undefined;
}

/** What holds where neither an option nor a recipe says otherwise. */
const DEFAULTS = {
  batchSize: 1,
  iterSize: 1,
  loss: "mean",
  momentum: 0.9,
  multipliers: {},
  heads: { out: 1 },
  criterion: "crossEntropy",
  schedule: "poly",
  warmUp: 0,
  mirror: true,
} as const satisfies Omit<TrainSettings, "learningRate" | "weightDecay">;

/**
 * Settings that are left out are those of the recipe; without one: batches of 1, loss `mean`, SGD with momentum 0.9 and weight decay 5e-4 (AdamW:
 * 0.01) on all parameters, schedule `poly`, mirroring. Then `learningRate` is required. Of a net with several heads `out` is trained, or all alike where none
 * is called so.
 */
export interface TrainOptions extends Partial<TrainSettings> {
  readonly model: SegmentationNet;
  /** Samples of one size, or a stream of batches; then `batchSize`, `mirror` and `preprocessing` are the stream's. */
  readonly data: readonly SegmentationSample[] | BatchStream;
  readonly preprocessing: Preprocessing;
  readonly numClasses: number;
  readonly steps: number;
  /** A published recipe by name, or one of your own. */
  readonly recipe?: RecipeName | Recipe;
  /**
   * Default "sgd". A function makes one of your own; its groups hold rates and decays of their own where `multipliers` gives some. `momentum` is
   * for SGD alone.
   */
  readonly optimizer?: OptimizerName | OptimizerMaker;
  /**
   * Which heads learn from a further label map of the samples, by the map's name: `{ geo: "geometric" }`. Default: what the net says, as those for
   * SIFT Flow do.
   */
  readonly headLabels?: HeadLabels;
  /** One weight a class in the loss, or how they follow from the data; for the heads that learn from `labels`. */
  readonly classWeights?: readonly number[] | ClassBalancing;
  /** Counts a random share of the pixels only. */
  readonly lossSampling?: LossSampling;
  /** Lets only these modules learn. */
  readonly trainable?: Trainable;
  /**
   * Batch norm normalises by its running statistics and keeps them, as fine-tuning on small batches needs; its weight and bias still learn.
   * Default false.
   */
  readonly freezeBatchNorm?: boolean;
  /** Scales the gradients of a step down to this norm, over all parameters. */
  readonly clipNorm?: number;
  /** Fixes the order of the samples, their mirroring and what `lossSampling` keeps. Default 0. */
  readonly seed?: number;
  /** Steps between two readings of the loss; each one waits for the GPU. Default 10. */
  readonly readEvery?: number;
  /** Whether the loss is also read behind a step, as before a validation. It begins a new interval. */
  readonly readAt?: (step: number) => boolean;
  /** Whether `onProgress` is also called behind a step, as for a checkpoint. No interval ends there. */
  readonly pauseAt?: (step: number) => boolean;
  /** Is told what is likely a mistake, such as first steps without a pixel to learn from. */
  readonly onWarning?: (text: string) => void;
  /** Awaited after each reading of the loss and pause, with the optimiser: validation may run here, and a checkpoint be written. */
  readonly onProgress?: (progress: TrainProgress, optimizer: Optimizer) => void | Promise<void>;
  /** Goes on where an earlier call with the same options stopped. */
  readonly from?: TrainState;
  /** Ends training behind the step in progress, after a last call of `onProgress`. */
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

/** Fills in recipe and defaults, and checks everything that can be checked before the first step. */
export function resolveTraining(options: TrainOptions): ResolvedOptions {
  const { model, data, numClasses } = options;
  if (isSamples(data)) for (const sample of data) checkSample("train", sample, numClasses);
  const { classWeights: weights, ...given } = definedOnly(options);
  const { optimizer = "sgd" } = given;
  if (typeof optimizer === "string") checkMomentum(optimizer, given.momentum);
  const published = recipeSettings(options.recipe, model);
  const resolved = {
    seed: 0,
    readEvery: 10,
    ...DEFAULTS,
    optimizer,
    weightDecay: defaultDecay(typeof optimizer === "string" ? optimizer : "sgd"),
    heads: ownHeads(DEFAULTS.heads, model),
    headLabels: ownHeadLabels(model),
    ...published,
    ...given,
    multipliers: mergeRules(published.multipliers ?? DEFAULTS.multipliers, given.multipliers),
    ...(weights === undefined ? {} : { classWeights: weightsOf(weights, data, numClasses) }),
  };
  checkSettings(resolved);
  // Those of a recipe may name layers that the net lacks, such as an auxiliary head.
  checkLayers(model, options.multipliers ?? {});
  checkHeads(model, resolved);
  if (isSamples(data)) checkHeadLabels(model, data, furtherLabels(resolved.heads, resolved.headLabels));
  return resolved as ResolvedOptions;
}

export const isSamples = (data: TrainOptions["data"]): data is readonly SegmentationSample[] => Array.isArray(data);

function definedOnly(options: TrainOptions): TrainOptions {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as unknown as TrainOptions;
}

function recipeSettings(choice: TrainOptions["recipe"], model: SegmentationNet): Partial<TrainSettings> {
  if (choice === undefined) return {};
  const chosen = typeof choice === "string" ? recipe(choice) : choice;
  const graph = model instanceof GraphNet ? model.graph : undefined;
  return {
    ...chosen.settings,
    heads: ownHeads(chosen.settings.heads, model),
    learningRate: recipeRate(chosen, graph?.name),
  };
}

function weightsOf(
  weights: readonly number[] | ClassBalancing,
  data: TrainOptions["data"],
  numClasses: number,
): readonly number[] {
  if (typeof weights === "string" && !isSamples(data)) {
    throw invalid(`classWeights ${JSON.stringify(weights)} with a stream of batches`, "pass one weight a class");
  }
  const values =
    typeof weights === "string" ? classWeights(data as readonly SegmentationSample[], numClasses, weights) : weights;
  if (values.length === numClasses && values.every((weight) => weight >= 0 && Number.isFinite(weight))) return values;
  throw invalid(
    `classWeights are [${values.join(", ")}] for ${numClasses} classes`,
    'pass one finite weight of at least 0 a class, or "inverse" or "median"',
  );
}

const whole = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 1;

function checkSettings(options: Partial<ResolvedOptions>): void {
  const { steps, readEvery, batchSize, iterSize, learningRate, loss, heads = {}, clipNorm, lossSampling } = options;
  const { warmUp, criterion } = options;
  const wrong = Object.entries({ steps, readEvery, batchSize, iterSize }).filter(([, value]) => !whole(value));
  if (wrong.length > 0) {
    const list = wrong.map(([name, value]) => `${name} ${value}`).join(", ");
    throw invalid(`${list}; each must be whole and at least 1`, "correct the value");
  }
  if (!(typeof learningRate === "number" && learningRate > 0 && Number.isFinite(learningRate))) {
    throw invalid(`learningRate ${learningRate}; it must be a number above 0`, "pass a learningRate, or a recipe");
  }
  const weights = Object.values(heads);
  if (weights.length === 0 || !weights.every((weight) => weight > 0 && Number.isFinite(weight))) {
    throw invalid(`heads are ${JSON.stringify(heads)}`, "name at least one head, each with a weight above 0");
  }
  if (!(Number.isInteger(warmUp) && (warmUp as number) >= 0)) {
    throw invalid(`warmUp ${warmUp}; it must be a whole number of steps`, "pass 0 for none");
  }
  checkCriterion(criterion);
  if (clipNorm !== undefined && !(clipNorm > 0)) throw invalid(`clipNorm ${clipNorm}`, "pass a norm above 0");
  if (lossSampling !== undefined) checkLossSampling(lossSampling);
  lossDivisor(loss as LossNormalization, { images: 1, pixels: 1, labelled: 1 });
}

/** That of a recipe is left out where the optimiser has none; one that was asked for must not be. */
function checkMomentum(optimizer: OptimizerName, momentum: number | undefined): void {
  if (momentum === undefined || hasMomentum(optimizer)) return;
  throw invalid(`momentum ${momentum} with the optimizer ${optimizer}, which has none`, 'leave it out, or use "sgd"');
}

function invalid(problem: string, fix: string): TensorError {
  return new TensorError({ code: "invalid-argument", message: `train: ${problem}`, fix });
}
