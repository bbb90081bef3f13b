export { type ConvertOptions, type ConvertReport, convert, nameMap, type OutputFormat } from "./convert.js";
export { convertNet, type NetDescription } from "./convertNet.js";
export { NAME_MAPS, type NameMap } from "./nameMaps.js";
export { inceptionV3FromKeras } from "./tensorflow/inceptionV3.js";
export { convKernel, depthwiseKernel, type HostArrays } from "./tensorflow/layout.js";
export { type MobileNetV2Options, mobilenetV2FromTensorFlow } from "./tensorflow/mobilenetV2.js";
