/**
 * Fully convolutional networks for semantic segmentation (Long, Shelhamer, Darrell) on WebGPU.
 *
 * @module @fcn/core
 */

export type { CanvasLike, ImageDataLike, PictureSource } from "@fcn/tensor";
export { savedTuning, saveTuning, tuningFile } from "@fcn/tensor";
export type { Abortable } from "./async/abort.js";
export * as models from "./catalogue/index.js";
export * as data from "./data/index.js";
export {
  type BoardScores,
  type BoundaryOptions,
  type BoundaryScores,
  COCO_SIZES,
  type EvaluateOptions,
  type Evaluation,
  evaluate,
  type HeadScoring,
  type SampleSource,
  type SizeScores,
} from "./evaluation/index.js";
export { encodeOnnx, exportOnnx, type OnnxOptions, type OnnxSummary, type OnnxValue } from "./export/index.js";
export type { FileSource, LoadOptions, LoadProgress } from "./files/fetchBytes.js";
export { type LabelledPlane, label2image, type ShowOptions, showImages } from "./images/showImages.js";
export { toImage, toTensor } from "./images/tensorImages.js";
export { type Colour, vocPalette } from "./labels/colours.js";
export type { Labels } from "./labels/labels.js";
export { encodeMask, type Mask } from "./labels/mask.js";
export { SegmentationMetrics, type SegmentationScores } from "./labels/metrics.js";
export { colorize, overlay } from "./labels/palette.js";
export {
  type Benchmark,
  type BenchmarkOptions,
  benchmark,
  type FailedPass,
  type PassTime,
  type WorkOptions,
} from "./measure/index.js";
export * as coordinates from "./models/graph/geometry/coordinates.js";
export { type BilinearKernel, bilinearKernel } from "./models/graph/weights/bilinear.js";
export { type Graph, GraphBuilder, GraphNet } from "./models/index.js";
export * from "./prediction/index.js";
export { type ShiftAndStitchOptions, shiftAndStitch } from "./prediction/shiftAndStitch.js";
export * as queue from "./queue/index.js";
export * as surgery from "./surgery/index.js";
export { type TransplantReport, transplant } from "./surgery/transplant.js";
export {
  type BatchStream,
  type CheckpointOptions,
  type ClassBalancing,
  type ComparedRun,
  type Configuration,
  type CreatePretrainedOptions,
  classWeights,
  compareRuns,
  convertLearningRate,
  convertWeightDecay,
  createPretrained,
  type EpochData,
  type EpochOptions,
  type EpochScores,
  encodeCheckpoint,
  encodeModel,
  type FoldScores,
  type FoldsSummary,
  freezeBatchNorm,
  type HeadLabels,
  type HeadWeights,
  type ImageScore,
  type LearningGroup,
  type LoadedModel,
  type Loss,
  type LossName,
  type LossSampling,
  type LossSettings,
  listRecipes,
  loadCheckpoint,
  loadModel,
  type ModelMetadata,
  type MultiplierRules,
  type Multipliers,
  type OpenInterval,
  type Optimizer,
  type OptimizerMaker,
  type OptimizerName,
  type ParameterGroupOptions,
  type ParameterKind,
  type PretrainedNet,
  parameterGroups,
  publishedStages,
  type Recipe,
  type RecipeName,
  type RecoveringOptions,
  type RecoveringResult,
  type Recovery,
  type Reduction,
  type ReductionChange,
  type RunComparison,
  recipe,
  recipeRate,
  type Schedule,
  type ScheduleName,
  type SegmentationNet,
  type Stage,
  type StagedOptions,
  type StageResult,
  sampleLabels,
  saveModel,
  type Trainable,
  type TrainBatch,
  type TrainFoldsOptions,
  type TrainFoldsResult,
  type TrainingSettings,
  type TrainOptions,
  type TrainProgress,
  type TrainResult,
  type TrainRunOptions,
  type TrainRunResult,
  type TrainRunView,
  type TrainSettings,
  type TrainState,
  train,
  trainEpochs,
  trainFolds,
  trainRecovering,
  trainRun,
  trainStaged,
  trainValidated,
  type ValidatedTraining,
  type ValidatedTrainOptions,
  type Validation,
} from "./training/index.js";
export * as weights from "./weights/index.js";
export {
  type Checked,
  type Checksum,
  describeWeights,
  type FetchedWeights,
  type FetchOptions,
  type FetchProgress,
  fetchWeights,
  listWeights,
  type PackagedModel,
  type PublishedFile,
  type PublishedWeights,
  type WeightsEntry,
} from "./weights/registry/index.js";
