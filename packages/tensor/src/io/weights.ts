import { brief, showSome, TensorError } from "../errors.js";
import { isCaffemodel, openCaffemodel } from "./caffemodel/caffemodel.js";
import type { Content } from "./content.js";
import { unsupportedFile } from "./errors.js";
import {
  type ArrayInfo,
  elementCount,
  type HostArray,
  type LazyArray,
  type StoredDtype,
  storedSize,
  widened,
} from "./hostArray.js";
import { openNpz } from "./npz.js";
import type { ReadPthOptions } from "./pth/options.js";
import { isTorchPickle, openPth, pickleOf } from "./pth/pth.js";
import { isSafetensors, openSafetensors } from "./safetensors.js";
import { type PathOrBytes, type Source, withSource } from "./source.js";
import { isZip, openZip } from "./zip.js";

export type WeightsFormat = "safetensors" | "npz" | "pth" | "caffemodel";

/** A file of weights, opened: names, types and shapes are known, values are read when they are asked for. */
export interface Weights {
  readonly format: WeightsFormat;
  /** The arrays by name, in the order of the file. */
  readonly arrays: Readonly<Record<string, LazyArray>>;
  /**
   * Strings beside the weights: `__metadata__` of safetensors, the simple values of a PyTorch checkpoint (epoch), name and layer types of
   * a Caffe net.
   */
  readonly metadata: Readonly<Record<string, string>>;
  /** Names in a PyTorch state dict whose values are no tensors. */
  readonly ignored: readonly string[];
  /** Where in a PyTorch checkpoint the state dict was found; undefined when it is the whole file. */
  readonly key: string | undefined;
  /** The values of one array. Rejects for a name that the file lacks, and for damaged data. */
  read(name: string): Promise<HostArray>;
}

export interface OpenWeightsOptions extends ReadPthOptions {
  /** Default: by the first bytes of the file. */
  readonly format?: WeightsFormat;
}

/**
 * Opens a file of weights (safetensors, `.npz`, PyTorch's `.pth` and `.pt`, `.caffemodel`), hands it to `use` and closes it. Values
 * can be read one by one until `use` is done, so that a large file is never whole in memory.
 *
 * Throws a TensorError: "unreadable-file", "corrupt-file", "unsupported-file", and of the formats' own as their readers do.
 */
export async function openWeights<T>(
  pathOrBytes: PathOrBytes,
  use: (weights: Weights) => T | Promise<T>,
  options: OpenWeightsOptions = {},
): Promise<T> {
  return withWeights("openWeights", pathOrBytes, options, use);
}

/** As {@link openWeights}; `reader` stands in messages. */
export async function withWeights<T>(
  reader: string,
  pathOrBytes: PathOrBytes,
  options: OpenWeightsOptions,
  use: (weights: Weights) => T | Promise<T>,
): Promise<T> {
  return withSource(reader, pathOrBytes, async (source) => {
    const format = options.format ?? (await detect(source));
    return use(weightsOf(source, format, await OPENERS[format](source, options)));
  });
}

const OPENERS: Readonly<Record<WeightsFormat, (source: Source, options: ReadPthOptions) => Promise<Content>>> = {
  safetensors: openSafetensors,
  npz: async (source) => openNpz(source, await openZip(source)),
  pth: openPth,
  caffemodel: openCaffemodel,
};

const NPY = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
const HDF5 = [0x89, 0x48, 0x44, 0x46];

/** The format by the first bytes. A `.caffemodel` has none that are its own, so it comes last. */
async function detect(source: Source): Promise<WeightsFormat> {
  if (await isZip(source)) return pickleOf(await openZip(source)) ? "pth" : "npz";
  const start = new Uint8Array(await source.read(0, Math.min(16, source.size)));
  const starts = (bytes: readonly number[]) => bytes.every((byte, i) => start[i] === byte);
  if (isSafetensors(start)) return "safetensors";
  if (isTorchPickle(start)) return "pth";
  if (isCaffemodel(start)) return "caffemodel";
  if (starts(NPY)) throw unsupportedFile(source, "it is one array without a name", "read it with io.readNpy");
  if (starts(HDF5)) throw unsupportedFile(source, "it is an HDF5 file", "convert it to safetensors or .npz");
  const first = Array.from(start, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  throw unsupportedFile(
    source,
    start.length === 0 ? "it is empty" : `it starts as no format of weights does (${first})`,
    'give a safetensors, .npz, .pth or .caffemodel file, or say which it is: { format: "pth" }',
  );
}

function weightsOf(source: Source, format: WeightsFormat, content: Content): Weights {
  const { arrays, metadata, ignored = [], key } = content;
  const byName = new Map(arrays.map((array) => [array.name, array]));
  const read = async (name: string): Promise<HostArray> => {
    const array = byName.get(name);
    if (array === undefined) throw unknownName(source, name, [...byName.keys()]);
    return array.read();
  };
  const lazy = arrays.map(({ name, stored, shape }): [string, LazyArray] => [
    name,
    { ...infoOf(stored, shape), data: async () => (await read(name)).data },
  ]);
  return { format, arrays: Object.fromEntries(lazy), metadata, ignored, key, read };
}

function infoOf(stored: StoredDtype, shape: readonly number[]): ArrayInfo {
  const dtype = widened(stored);
  return { dtype, shape, stored, byteLength: elementCount(shape) * storedSize(dtype) };
}

function unknownName(source: Source, name: string, names: readonly string[]): TensorError {
  return new TensorError({
    code: "invalid-argument",
    message: `${source.reader}: ${source.file}: it has no array ${JSON.stringify(brief(name))}; it has ${showSome(names)}`,
    fix: "pass a name from weights.arrays",
  });
}
