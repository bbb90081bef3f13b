export { LeakyReLU, ReLU, ReLU6, Sigmoid } from "./activations.js";
export { BatchNorm2d, type BatchNorm2dOptions } from "./batchNorm.js";
export { Conv2d, type Conv2dLayerOptions, ConvTranspose2d, type ConvTranspose2dLayerOptions } from "./convolution.js";
export { Dropout, Dropout2d, type DropoutOptions } from "./dropout.js";
export { Module } from "./module.js";
export { Sequential } from "./sequential.js";
export type { LoadOptions, LoadReport, StateAdapter, StateArray, StateDict } from "./stateDict.js";
export { AvgPool2d, MaxPool2d, Upsample } from "./window.js";
