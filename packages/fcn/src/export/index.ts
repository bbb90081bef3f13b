export { encodeOnnx, exportOnnx, type OnnxOptions, type OnnxSummary } from "./onnx/exportOnnx.js";
export type { OnnxValue } from "./onnx/netGraph.js";
