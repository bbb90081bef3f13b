export { readCaffemodel } from "./caffemodel/caffemodel.js";
export { Crc32 } from "./crc32.js";
export type { ArrayInfo, HostArray, HostData, HostDtype, LazyArray, StoredDtype } from "./hostArray.js";
export { isRunning, removeLeftovers, temporaryName } from "./leftovers.js";
export { type LoadWeightsOptions, loadWeights } from "./loadWeights.js";
export { readNpy } from "./npy.js";
export { encodeNpz, readNpz, writeNpz } from "./npz.js";
export { permuteHostArray } from "./permute.js";
export type { ReadPthOptions } from "./pth/options.js";
export { readPth } from "./pth/pth.js";
export {
  encodeSafetensors,
  readSafetensors,
  readSafetensorsMetadata,
  type WriteSafetensorsOptions,
  writeSafetensors,
} from "./safetensors.js";
export type { ReadOptions, SkippedArray } from "./skipped.js";
export type { PathOrBytes } from "./source.js";
export { removeUnfinished, withTemporary } from "./temporaryFile.js";
export { type ReadTfjsOptions, readTfjs, streamTfjs } from "./tfjs/readTfjs.js";
export { unwritable } from "./unwritable.js";
export { type OpenWeightsOptions, openWeights, type Weights, type WeightsFormat } from "./weights.js";
export type { WritableArray, WritableRecord } from "./writable.js";
export { createNpy, encodeNpy, type NpyWriter, writeNpy } from "./writeNpy.js";
export { writeWhole } from "./writeWhole.js";
