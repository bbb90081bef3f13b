/** Fully convolutional networks for semantic segmentation (Long, Shelhamer, Darrell) on WebGPU. */
export { type BilinearKernel, bilinearKernel } from "./bilinear.js";
export * as coordinates from "./coordinates.js";
export * as data from "./data/index.js";
export { encodeOnnx, exportOnnx, type OnnxOptions, type OnnxSummary, type OnnxValue } from "./export/index.js";
export type { Labels } from "./labels.js";
export { SegmentationMetrics, type SegmentationScores } from "./metrics.js";
export * as models from "./models/index.js";
export { colorize, overlay, vocPalette } from "./palette.js";
export {
  type Evaluation,
  evaluate,
  loadModel,
  type ModelMetadata,
  predict,
  saveModel,
  type TrainProgress,
  train,
  trainStaged,
  transplant,
} from "./training/index.js";
