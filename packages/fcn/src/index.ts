/** Fully convolutional networks for semantic segmentation (Long, Shelhamer, Darrell) on WebGPU. */
export { type BilinearKernel, bilinearKernel } from "./bilinear.js";
export * as coordinates from "./coordinates.js";
export * as data from "./data/index.js";
export {
  type BandOptions,
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
export type { Labels } from "./labels.js";
export {
  type Benchmark,
  type BenchmarkOptions,
  benchmark,
  type PassTime,
  savedTuning,
  saveTuning,
  tuningFile,
} from "./measure/index.js";
export { SegmentationMetrics, type SegmentationScores } from "./metrics.js";
export * as models from "./models/index.js";
export { colorize, overlay, vocPalette } from "./palette.js";
export * from "./prediction/index.js";
export { type ShiftAndStitchOptions, shiftAndStitch } from "./prediction/shiftAndStitch.js";
export * as surgery from "./surgery/index.js";
export { type TransplantReport, transplant } from "./surgery/transplant.js";
export {
  type BatchStream,
  type ClassBalancing,
  type Criterion,
  classWeights,
  convertLearningRate,
  convertWeightDecay,
  freezeBatchNorm,
  type HeadLabels,
  type LearningGroup,
  type LoadedModel,
  type LossChange,
  type LossNormalization,
  type LossSampling,
  listRecipes,
  loadModel,
  type ModelMetadata,
  type MultiplierRules,
  parameterGroups,
  publishedStages,
  type Recipe,
  type RecipeName,
  recipe,
  recipeRate,
  sampleLabels,
  saveModel,
  type TrainOptions,
  type TrainProgress,
  type TrainRunOptions,
  type TrainRunResult,
  type TrainRunView,
  train,
  trainRun,
  trainStaged,
  trainValidated,
} from "./training/index.js";
export * as weights from "./weights/index.js";
export {
  describeWeights,
  type FetchedWeights,
  type FetchOptions,
  fetchWeights,
  listWeights,
  type WeightsEntry,
} from "./weights/registry/index.js";
