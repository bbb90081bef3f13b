export {
  encodeModel,
  type LoadedModel,
  loadModel,
  type ModelMetadata,
  parseMetadata,
  saveModel,
} from "../models/file/weightsFile.js";
export { mainLogits, type SegmentationNet } from "../models/segmentationNet.js";
export { type ClassBalancing, classWeights } from "./classWeights.js";
export { freezeBatchNorm, type Trainable } from "./freezing.js";
export type { HeadLabels, HeadWeights } from "./heads.js";
export { type Loss, type LossName, type LossSettings, lossNames } from "./loss.js";
export { type LossSampling, sampleLabels } from "./lossSampling.js";
export type { MultiplierRules, Multipliers, ParameterKind } from "./multipliers.js";
export type { OptimizerMaker, OptimizerName } from "./optimizers.js";
export type {
  BatchStream,
  OpenInterval,
  TrainBatch,
  TrainingSettings,
  TrainOptions,
  TrainProgress,
  TrainState,
} from "./options.js";
export {
  type LearningGroup,
  type ParameterGroupOptions,
  parameterGroups,
  parameterKinds,
} from "./parameterGroups.js";
export type { TrainSettings } from "./recipeSettings.js";
export { listRecipes, type Recipe, type RecipeName, recipe, recipeRate } from "./recipes.js";
export {
  convertLearningRate,
  convertWeightDecay,
  type Reduction,
  type ReductionChange,
} from "./reduction.js";
export {
  type Configuration,
  type ImageScore,
  RUN_FILES,
  type TrainRunOptions,
  type TrainRunResult,
  type TrainRunView,
  trainRun,
  type Validation,
} from "./run/index.js";
export type { Optimizer, Schedule, ScheduleName } from "./schedules.js";
export { publishedStages, type Stage, type StagedOptions, type StageResult, trainStaged } from "./staged.js";
export { type TrainResult, train } from "./train.js";
export { trainValidated, type ValidatedTraining, type ValidatedTrainOptions } from "./validated.js";
