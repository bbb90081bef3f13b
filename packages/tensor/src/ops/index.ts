export { type AdaptiveAvgPool2dOptions, adaptiveAvgPool2d } from "./adaptiveAvgPool2d.js";
export * from "./avgPool2d.js";
export { type BatchNormOptions, batchNorm } from "./batchNorm.js";
export * from "./confusionMatrix.js";
export {
  type Conv2dOptions,
  type ConvolutionOptions,
  type ConvTranspose2dOptions,
  type CroppedConvTranspose2dOptions,
  conv2d,
  convTranspose2d,
  type FrozenNorm,
  type FusedConv2dOptions,
} from "./conv.js";
export * from "./crossEntropy.js";
export * from "./cumsum.js";
export { type DropoutOptions, dropout, dropout2d } from "./dropout.js";
export type { Epilogue } from "./epilogue.js";
export { type GroupNormOptions, groupNorm } from "./groupNorm.js";
export * from "./interpolate.js";
export { type LayerNormOptions, layerNorm } from "./layerNorm.js";
export { linear } from "./linear.js";
export * from "./localResponseNorm.js";
export {
  type BCEWithLogitsOptions,
  binaryCrossEntropyWithLogits,
  type LossOptions,
  l1Loss,
  mseLoss,
} from "./losses.js";
export * from "./matmul.js";
export * from "./maxPool2d.js";
export { addInto, type CropOptions, concat, crop, flip, pad, slice } from "./movement.js";
export { nllLoss } from "./nllLoss.js";
export * from "./paint.js";
export * from "./pointwise.generated.js";
export {
  type ClampOptions,
  clamp,
  type EluOptions,
  elu,
  type GeluOptions,
  gelu,
  leakyRelu,
  type Operand,
  type SoftplusOptions,
  softplus,
} from "./pointwise.js";
export type { PoolWindow } from "./poolWindow.js";
export { type ArgmaxOptions, argmax, argmin, max, mean, min, type ReduceOptions, sum } from "./reduce.js";
export * from "./select.js";
export {
  chunk,
  type DimOptions,
  expand,
  type FlattenOptions,
  flatten,
  type SqueezeOptions,
  split,
  squeeze,
  stack,
  transpose,
  unsqueeze,
} from "./shapes.js";
export * from "./softmax.js";
export * from "./upsampled.js";
export * from "./variance.js";
export { permute, reshape } from "./view.js";
export * from "./where.js";
