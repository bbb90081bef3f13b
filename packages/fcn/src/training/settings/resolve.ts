import type { TensorError } from "@fcn/tensor";
import { checkValue, invalidArgument, rules } from "@fcn/tensor/internal";
import { checkSample, type SegmentationSample } from "../../labels/sample.js";
import { GraphNet } from "../../models/graph/net.js";
import type { SegmentationNet } from "../../models/segmentationNet.js";
import { checkGiven, valuesOf, withoutUndefined } from "../../options/option.js";
import { type ClassBalancing, classWeights } from "../loss/classWeights.js";
import { checkHeadClasses, checkHeadLabels, extraLabels, ownHeads } from "../loss/heads.js";
import { mergeRules } from "../optimizer/multipliers.js";
import { OPTIMIZERS, type OptimizerName } from "../optimizer/optimizers.js";
import type { TrainSettings } from "./recipeSettings.js";
import { recipe, recipeRate } from "./recipes.js";
import type { SettingTable } from "./setting.js";
import { TRAINING } from "./training.js";
import type { ResolvedOptions, TrainingSettings, TrainOptions } from "./trainOptions.js";

const ROWS: SettingTable = TRAINING;

/** Fills in the recipe and defaults, and checks everything that can be checked before the first step. */
export function resolveTraining(options: TrainOptions): ResolvedOptions {
  const { model, data, numClasses } = options;
  if (isSamples(data)) for (const sample of data) checkSample("train", sample, numClasses);
  const { classWeights: weights, ...given } = withoutUndefined(options);
  // The other defaults depend on it.
  checkGiven("train", { optimizer: TRAINING.optimizer }, given);
  const { optimizer = TRAINING.optimizer.fallback } = given;
  if (typeof optimizer === "string") checkMomentum(optimizer, given.momentum);
  const fallbacks: Partial<TrainingSettings> = valuesOf(ROWS, ({ fallback, fallbackOf }) => {
    return fallback ?? fallbackOf?.({ optimizer: typeof optimizer === "string" ? optimizer : "sgd", model });
  });
  const published = recipeSettings(options.recipe, model);
  const resolved = {
    ...fallbacks,
    ...published,
    ...given,
    multipliers: mergeRules(published.multipliers ?? fallbacks.multipliers ?? {}, given.multipliers),
    ...(weights === undefined ? {} : { classWeights: weightsOf(weights, data, numClasses) }),
  } as ResolvedOptions;
  checkGiven("train", ROWS, resolved, { complete: true });
  for (const [name, { fits }] of Object.entries(ROWS)) {
    const value = given[name as keyof typeof given];
    if (value !== undefined) fits?.(value, model);
  }
  checkHeadClasses(model, resolved);
  if (isSamples(data)) checkHeadLabels(model, data, extraLabels(resolved.heads, resolved.headLabels));
  return resolved;
}

export const isSamples = (data: TrainOptions["data"]): data is readonly SegmentationSample[] => Array.isArray(data);

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
    throw invalid(`classWeights ${JSON.stringify(weights)} with a stream of batches`, "pass one weight for each class");
  }
  const values =
    typeof weights === "string" ? classWeights(data as readonly SegmentationSample[], numClasses, weights) : weights;
  const what = `${numClasses} finite weights of at least 0, one for each class, or "inverse" or "median"`;
  checkValue("train", "classWeights", values, rules.listOf(what, rules.from(0), numClasses));
  return values;
}

/** Throws if momentum was asked for and the optimiser has none. A recipe's momentum is simply left out then. */
function checkMomentum(optimizer: OptimizerName, momentum: number | undefined): void {
  if (momentum === undefined || OPTIMIZERS[optimizer].hasMomentum) return;
  throw invalid(`momentum ${momentum} with the optimizer ${optimizer}, which has none`, 'leave it out, or use "sgd"');
}

function invalid(problem: string, fix: string): TensorError {
  return invalidArgument(`train: ${problem}`, fix);
}
