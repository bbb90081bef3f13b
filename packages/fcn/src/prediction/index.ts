export type { Prediction } from "./enqueue.js";
export type { InferenceOptions } from "./options.js";
export type { Picture, RgbaPicture } from "./picture.js";
export { type NetOrLoaded, type PredictionResult, type PredictOptions, predict, predictAll } from "./predict.js";
