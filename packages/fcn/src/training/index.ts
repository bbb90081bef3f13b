export { mainLogits, type SegmentationNet } from "./model.js";
export { type Stage, type StagedOptions, type StageResult, trainStaged, transplant } from "./staged.js";
export { type TrainOptions, type TrainProgress, type TrainResult, train } from "./train.js";
export { type LoadedModel, loadModel, type ModelMetadata, parseMetadata, saveModel } from "./weightsFile.js";
