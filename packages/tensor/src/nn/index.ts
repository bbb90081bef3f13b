export {
  GELU,
  Hardsigmoid,
  Hardswish,
  LeakyReLU,
  ReLU,
  ReLU6,
  Sigmoid,
  SiLU,
  Softmax,
  Tanh,
} from "./activations.js";
export { BatchNorm2d, type BatchNorm2dOptions } from "./batchNorm.js";
export { type Container, ModuleDict, ModuleList } from "./containers.js";
export {
  Conv2d,
  type Conv2dLayerOptions,
  type Convolution,
  type ConvolutionLayerOptions,
  ConvTranspose2d,
  type ConvTranspose2dLayerOptions,
} from "./convolution.js";
export { Dropout, Dropout2d, type DropoutOptions, type SeededModule } from "./dropout.js";
export { GroupNorm, type GroupNormOptions } from "./groupNorm.js";
export * as init from "./init.js";
export { convolutionWeight } from "./initialise.js";
export { LayerNorm, type LayerNormOptions } from "./layerNorm.js";
export { Linear, type LinearOptions } from "./linear.js";
export { BCEWithLogitsLoss, CrossEntropyLoss, L1Loss, type Loss, MSELoss, NLLLoss } from "./losses.js";
export { Module } from "./module.js";
export { AdaptiveAvgPool2d, AvgPool2d, MaxPool2d, type OpLayer, Upsample } from "./opLayers.js";
export { Sequential } from "./sequential.js";
export { Flatten, type FlattenOptions, Identity } from "./shaping.js";
export type { LoadOptions, LoadReport, StateAdapter, StateArray, StateDict } from "./stateDict.js";
