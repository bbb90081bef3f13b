/**
 * Tensors, automatic differentiation, layers, optimisers and files of weights on WebGPU.
 *
 * @module @fcn/tensor
 */
export type { Activation, Capabilities, KernelTile, Tuning, Variant } from "@fcn/kernels";
export type { ChainedMethods } from "./chained.js";
export { type BackwardOptions, noGrad } from "./core/autograd.js";
export type { Captured, CaptureResult } from "./core/capture.js";
export { Tensor } from "./core/tensor.js";
export { createDevice, type DeviceOptions } from "./createDevice.js";
export {
  type AdapterChoice,
  type AdapterOptions,
  type AdapterReport,
  type DeviceInfo,
  probeAdapters,
} from "./device/adapter.js";
export { adviceWithoutWebGpu, type BrowserSurroundings, type WebGpuAdvice } from "./device/advice.js";
export type { MemoryReport } from "./device/buffers.js";
export type { TuningProgress, TuningResult } from "./device/tuner.js";
export { Device, type Scope } from "./device.js";
export * as io from "./io/index.js";
export type { TensorMethods } from "./methods.js";
export * as nn from "./nn/index.js";
export * from "./ops/index.js";
export * as optim from "./optim/index.js";
export * from "./pictures/index.js";
export {
  type ErrorCode,
  type ErrorDetails,
  type ErrorParts,
  type Fix,
  hasCode,
  type TensorCode,
  TensorError,
} from "./plain/errors.js";
export type { MakeOptions, RandomOptions } from "./plain/makeOptions.js";
export type { HostNumbers, TensorData } from "./plain/nested.js";
export type { Rule, RulesOf } from "./plain/rules.js";
export type { Extent, Padding } from "./plain/shape.js";
export type { DType, Nested, TypedData } from "./plain/types.js";
export { savedTuning, saveTuning, tuningFile } from "./tuning/file.js";
