export type { ArrayInfo, HostArray, HostData, HostDtype, LazyArray, StoredDtype } from "./arrays/hostArray.js";
export { permuteHostArray } from "./arrays/permute.js";
export type { WritableArray, WritableRecord } from "./arrays/writable.js";
export { readCaffemodel } from "./caffemodel/caffemodel.js";
export type { ReadOptions, SkippedArray } from "./content/skipped.js";
export { isRunning, removeLeftovers, temporaryName } from "./files/leftovers.js";
export type { PathOrBytes } from "./files/source.js";
export { removeUnfinished, withTemporary } from "./files/temporaryFile.js";
export { unwritable } from "./files/unwritable.js";
export { writeWhole } from "./files/writeWhole.js";
export { type LoadWeightsOptions, loadWeights } from "./loadWeights.js";
export { readNpy } from "./npy/npy.js";
export { encodeNpz, readNpz, writeNpz } from "./npy/npz.js";
export { createNpy, encodeNpy, type NpyWriter, writeNpy } from "./npy/writeNpy.js";
export { readPth } from "./pth/pth.js";
export type { ReadPthOptions } from "./pth/readPthOptions.js";
export {
  encodeSafetensors,
  readSafetensors,
  readSafetensorsMetadata,
  type WriteSafetensorsOptions,
  writeSafetensors,
} from "./safetensors/safetensors.js";
export { type ReadTfjsOptions, readTfjs, streamTfjs } from "./tfjs/readTfjs.js";
export { type OpenWeightsOptions, openWeights, type Weights, type WeightsFormat } from "./weights.js";
export { Crc32 } from "./zip/crc32.js";
