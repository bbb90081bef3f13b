export type { HostArray, HostData, HostDtype } from "./hostArray.js";
export { readNpy } from "./npy.js";
export { readNpz } from "./npz.js";
export { permuteHostArray } from "./permute.js";
export {
  encodeSafetensors,
  readSafetensors,
  readSafetensorsMetadata,
  type WriteSafetensorsOptions,
  writeSafetensors,
} from "./safetensors.js";
export type { PathOrBytes } from "./source.js";
export { type ReadTfjsOptions, readTfjs, streamTfjs } from "./tfjs/readTfjs.js";
export { encodeNpy, writeNpy } from "./writeNpy.js";
