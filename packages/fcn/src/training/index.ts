export {
  type BandOptions,
  type EvaluateOptions,
  type Evaluation,
  evaluate,
  predictSamples,
  scorePredictions,
} from "./evaluate.js";
export { freezeBatchNorm, mainLogits, type SegmentationNet } from "./model.js";
export { type Prediction, predict } from "./predict.js";
export { type Stage, type StagedOptions, type StageResult, trainStaged, transplant } from "./staged.js";
export { type TrainOptions, type TrainProgress, type TrainResult, train } from "./train.js";
export { trainValidated, type ValidatedTraining, type ValidatedTrainOptions } from "./validated.js";
export { type LoadedModel, loadModel, type ModelMetadata, parseMetadata, saveModel } from "./weightsFile.js";
