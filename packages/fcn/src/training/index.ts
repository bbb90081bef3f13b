export {
  encodeModel,
  type LoadedModel,
  loadModel,
  type ModelMetadata,
  saveModel,
} from "../models/file/weightsFile.js";
export type { SegmentationNet } from "../models/segmentationNet.js";
export { type CheckpointOptions, encodeCheckpoint, loadCheckpoint } from "./checkpoint.js";
export { type CreatePretrainedOptions, createPretrained, type PretrainedNet } from "./createPretrained.js";
export { type EpochData, type EpochOptions, type EpochScores, trainEpochs } from "./epochs.js";
export { type ClassBalancing, classWeights } from "./loss/classWeights.js";
export type { HeadLabels, HeadWeights } from "./loss/heads.js";
export type { Loss, LossName, LossSettings } from "./loss/loss.js";
export { type LossSampling, sampleLabels } from "./loss/lossSampling.js";
export {
  convertLearningRate,
  convertWeightDecay,
  type Reduction,
  type ReductionChange,
} from "./loss/reduction.js";
export { freezeBatchNorm, type Trainable } from "./optimizer/freezing.js";
export type { MultiplierRules, Multipliers, ParameterKind } from "./optimizer/multipliers.js";
export type { OptimizerMaker, OptimizerName } from "./optimizer/optimizers.js";
export {
  type LearningGroup,
  type ParameterGroupOptions,
  parameterGroups,
} from "./optimizer/parameterGroups.js";
export type { Optimizer, Schedule, ScheduleName } from "./optimizer/schedules.js";
export { type RecoveringOptions, type RecoveringResult, type Recovery, trainRecovering } from "./recovering.js";
export {
  type ComparedRun,
  type Configuration,
  compareRuns,
  type FoldScores,
  type FoldsSummary,
  type ImageScore,
  type RunComparison,
  type TrainFoldsOptions,
  type TrainFoldsResult,
  type TrainRunOptions,
  type TrainRunResult,
  type TrainRunView,
  trainFolds,
  trainRun,
  type Validation,
} from "./run/index.js";
export type { TrainSettings } from "./settings/recipeSettings.js";
export { listRecipes, type Recipe, type RecipeName, recipe, recipeRate } from "./settings/recipes.js";
export type {
  BatchStream,
  OpenInterval,
  TrainBatch,
  TrainingSettings,
  TrainOptions,
  TrainProgress,
  TrainState,
} from "./settings/trainOptions.js";
export { publishedStages, type Stage, type StagedOptions, type StageResult, trainStaged } from "./staged.js";
export { type TrainResult, train } from "./train.js";
export { trainValidated, type ValidatedTraining, type ValidatedTrainOptions } from "./validated.js";
