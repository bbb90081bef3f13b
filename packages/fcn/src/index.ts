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
  type SampleSource,
  type SizeScores,
} from "./evaluation/index.js";
export type { Labels } from "./labels.js";
export { SegmentationMetrics, type SegmentationScores } from "./metrics.js";
export * as models from "./models/index.js";
export { colorize, overlay, vocPalette } from "./palette.js";
export * from "./prediction/index.js";
export {
  type LoadedModel,
  loadModel,
  type ModelMetadata,
  saveModel,
  type TrainProgress,
  train,
  trainStaged,
  transplant,
} from "./training/index.js";
export * as weights from "./weights/index.js";
