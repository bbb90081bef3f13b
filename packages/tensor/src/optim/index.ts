export { Adam, type AdamOptions } from "./adam.js";
export { AdamW, type AdamWOptions } from "./adamw.js";
export { clipGradNorm } from "./clipGradNorm.js";
export { GradScaler, type GradScalerOptions, type SkippedSteps } from "./gradScaler.js";
export * as lrScheduler from "./lrScheduler.js";
export { ExponentialMovingAverage, type MovingAverageOptions } from "./movingAverage.js";
export {
  Optimizer,
  type ParameterGroup,
  type ResolvedGroup,
  type SharedOptions,
} from "./optimizer.js";
export { RMSprop, type RMSpropOptions } from "./rmsprop.js";
export { SGD, type SGDOptions } from "./sgd.js";
export type { ParameterState, SavedState } from "./state.js";
