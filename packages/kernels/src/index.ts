export * from "./bindingParts.js";
export type { AnyOpCase, Choices, OpCase, OperandCase, PlanCase } from "./cases.js";
export * from "./confusion/plan.js";
export type { Conv2dEpilogue } from "./conv2d/epilogue.js";
export * from "./conv2d/geometry.js";
export * from "./conv2d/plan.js";
export * from "./copy/plan.js";
export * from "./cross-entropy/plan.js";
export * from "./cumsum/plan.js";
export * from "./epilogue/activation.js";
export type * from "./errorCodes.js";
export * from "./errors.js";
export * from "./fault.js";
export * from "./fill/plan.js";
export * from "./half.js";
export * from "./interpolate/plan.js";
export * from "./kernel.js";
export * from "./lrn/plan.js";
export * from "./matmul/plan.js";
export * from "./norm/plan.js";
export * from "./optim/plan.js";
export * from "./optim/rmsprop.js";
export type { ScaledStepped, Updated } from "./optim/scaled.js";
export * from "./optim/scaler.js";
export * from "./paint/plan.js";
export * from "./pixels/plan.js";
export * from "./plan.js";
export { erfReference, type WgslFunction } from "./pointwise/functions.js";
export * from "./pointwise/plan.js";
export type { NamedRow, NumberForm, PointwiseRow } from "./pointwise/row.js";
export * as pointwise from "./pointwise/rows.js";
export * from "./pool/adaptive.js";
export * from "./pool/plan.js";
export * from "./random/plan.js";
export * from "./reduce/column-sum.js";
export * from "./reduce/plan.js";
export * from "./select/plan.js";
export * from "./softmax/plan.js";
export { type KernelTile, sameTile, TUNING_VERSION, type Tunable, type Tuning, type Variant } from "./tuning.js";
export * from "./upsampled/plan.js";
export {
  type AdapterClass,
  type AdapterTraits,
  askedLanes,
  classOf,
  type Lanes,
  lanesOf,
  type SubgroupTraits,
} from "./variants.js";
