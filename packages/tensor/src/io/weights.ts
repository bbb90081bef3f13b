import { brief, showSome, type TensorError } from "../plain/errors.js";
import { checkValue } from "../plain/options.js";
import { oneOf } from "../plain/rules.js";
import {
  type ArrayInfo,
  elementCount,
  type HostArray,
  type LazyArray,
  type StoredDtype,
  storedSize,
  widened,
} from "./arrays/hostArray.js";
import { isCaffemodel, openCaffemodel } from "./caffemodel/caffemodel.js";
import type { Content } from "./content/content.js";
import { GIVE_WEIGHTS, guessed, otherFile } from "./content/otherFile.js";
import type { LeftOut, SkippedArray } from "./content/skipped.js";
import { fileError, unsupportedFile } from "./files/errors.js";
import { type PathOrBytes, type Source, withSource } from "./files/source.js";
import { isNpy } from "./npy/header.js";
import { openNpz } from "./npy/npz.js";
import { isTorchPickle, openPth, pickleOf } from "./pth/pth.js";
import type { ReadPthOptions } from "./pth/readPthOptions.js";
import { isSafetensors, openSafetensors } from "./safetensors/safetensors.js";
import { isZip, openZip } from "./zip/zip.js";

/** File formats that {@link openWeights} reads. */
export type WeightsFormat = "safetensors" | "npz" | "pth" | "caffemodel";

/** An opened weights file: names, dtypes and shapes are known, values are read on demand. */
export interface Weights {
  readonly format: WeightsFormat;
  /** The arrays by name, in the order of the file. */
  readonly arrays: Readonly<Record<string, LazyArray>>;
  /**
   * Strings stored with the weights: `__metadata__` of safetensors, simple values of a PyTorch checkpoint (such as the
   * epoch), or the name and layer types of a Caffe net.
   */
  readonly metadata: Readonly<Record<string, string>>;
  /** Names in a PyTorch state dict whose values are not tensors. */
  readonly ignored: readonly string[];
  /** Arrays that cannot be read, and why: complex numbers, text, sparse tensors, or damaged parts of a `.npz`. */
  readonly skipped: readonly SkippedArray[];
  /** What was dropped from the names in a PyTorch file: see `unwrap`. */
  readonly dropped: readonly string[];
  /** Where the state dict is in a PyTorch checkpoint; undefined if it is the whole file. */
  readonly key: string | undefined;
  /** Reads one array. Rejects if the name is not in the file, if the array was skipped, or if its data are damaged. */
  read(name: string): Promise<HostArray>;
}

/** {@link Weights} with the additions that this package needs. */
export interface OpenedWeights extends Weights {
  readonly skipped: readonly LeftOut[];
  /** Rejects if data of these arrays do not match their checksums, in formats that have them. */
  verify(names: readonly string[]): Promise<void>;
}

export interface OpenWeightsOptions extends ReadPthOptions {
  /** Default: recognised by the first bytes of the file. */
  readonly format?: WeightsFormat;
}

/**
 * Opens a weights file (safetensors, `.npz`, PyTorch's `.pth` and `.pt`, `.caffemodel`), passes it to `use` and closes
 * it. Until `use` is done, values can be read one by one, so that a large file is never completely in memory.
 *
 * Throws `invalid-argument` for an unknown `format`, `unreadable-file`, `corrupt-file`, `unsupported-file`, and the
 * errors of the reader of the format.
 */
export async function openWeights<T>(
  pathOrBytes: PathOrBytes,
  use: (weights: Weights) => T | Promise<T>,
  options: OpenWeightsOptions = {},
): Promise<T> {
  return withWeights("openWeights", pathOrBytes, options, use);
}

/** As {@link openWeights}; messages name `reader`. */
export async function withWeights<T>(
  reader: string,
  pathOrBytes: PathOrBytes,
  options: OpenWeightsOptions,
  use: (weights: OpenedWeights) => T | Promise<T>,
): Promise<T> {
  if (options.format !== undefined) checkValue(reader, "format", options.format, FORMAT);
  return withSource(reader, pathOrBytes, async (source) => {
    const opened = await guessed(source, "a file of weights", async () => {
      const format = options.format ?? (await detect(source));
      return weightsOf(source, format, await OPENERS[format](source, options));
    });
    for (const { name, reason } of opened.skipped) options.onSkipped?.(name, reason);
    return use(opened);
  });
}

const OPENERS: Readonly<Record<WeightsFormat, (source: Source, options: ReadPthOptions) => Promise<Content>>> = {
  safetensors: openSafetensors,
  npz: async (source) => openNpz(source, await openZip(source)),
  pth: openPth,
  caffemodel: openCaffemodel,
};

const FORMAT = oneOf(...Object.keys(OPENERS));

/** Recognises the format by the first bytes. A `.caffemodel` has no signature, so it comes last. */
async function detect(source: Source): Promise<WeightsFormat> {
  if (await isZip(source)) return pickleOf(await openZip(source)) ? "pth" : "npz";
  const start = new Uint8Array(await source.read(0, Math.min(16, source.size)));
  if (isSafetensors(start)) return "safetensors";
  if (isTorchPickle(start)) return "pth";
  if (isCaffemodel(start)) return "caffemodel";
  if (isNpy(start)) throw otherFile(source, "a file of weights", { what: ONE_ARRAY });
  const first = Array.from(start, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  throw unsupportedFile(
    source,
    start.length === 0 ? "it is empty" : `it does not start like any format of weights (${first})`,
    { code: `${GIVE_WEIGHTS}, or name its format: { format: "pth" }` },
  );
}

const ONE_ARRAY = "one array without a name (.npy)";

function weightsOf(source: Source, format: WeightsFormat, content: Content): OpenedWeights {
  const { arrays, metadata, ignored = [], skipped = [], dropped = [], key } = content;
  const byName = new Map(arrays.map((array) => [array.name, array]));
  const read = async (name: string): Promise<HostArray> => {
    const array = byName.get(name);
    const left = skipped.find((item) => item.name === name);
    if (left !== undefined) throw left.error;
    if (array === undefined) throw unknownName(source, name, [...byName.keys()]);
    return array.read();
  };
  const lazy = arrays.map(({ name, stored, shape }): [string, LazyArray] => [
    name,
    { ...infoOf(stored, shape), data: async () => (await read(name)).data },
  ]);
  const verify = async (names: readonly string[]): Promise<void> => content.verify?.(names);
  return { format, arrays: Object.fromEntries(lazy), metadata, ignored, skipped, dropped, key, read, verify };
}

function infoOf(stored: StoredDtype, shape: readonly number[]): ArrayInfo {
  const dtype = widened(stored);
  return { dtype, shape, stored, byteLength: elementCount(shape) * storedSize(dtype) };
}

function unknownName(source: Source, name: string, names: readonly string[]): TensorError {
  const problem = `it has no array ${JSON.stringify(brief(name))}; it has ${showSome(names)}`;
  return fileError(source, "invalid-argument", problem, { code: "pass a name from weights.arrays" });
}
