/**
 * What the kernels compute, in float64 and by other formulas. These functions favour clarity over speed, and only a
 * bundle that imports `@fcn/kernels/reference` contains them.
 */

export * from "./conv2d/reference.js";
export * from "./cross-entropy/reference.js";
export * from "./cumsum/reference.js";
export * from "./epilogue/reference.js";
export * from "./interpolate/reference.js";
export * from "./lrn/reference.js";
export * from "./matmul/reference.js";
export * from "./nd.js";
export * from "./norm/reference.js";
export * from "./pool/reference.js";
export * from "./reduce/reference.js";
export * from "./select/reference.js";
export * from "./softmax/reference.js";
export * from "./upsampled/reference.js";
