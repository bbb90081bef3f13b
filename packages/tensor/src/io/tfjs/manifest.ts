import { showValue } from "../../plain/errors.js";
import { elementCount, isShape, type StoredDtype, storedSize } from "../arrays/hostArray.js";
import { corruptFile, firstTwice, type Place, unsupportedFile } from "../files/errors.js";

const AFFINE = ["uint8", "uint16"] as const;

/** The stored integer q stands for q * scale + min. */
export interface Affine {
  readonly scale: number;
  readonly min: number;
}

/** A weight to skip: complex numbers have 8 bytes each, and each text begins with its length. */
export interface PassedOver {
  readonly name: string;
  readonly why: string;
  /** Number of texts or byte strings. */
  readonly texts: number;
  readonly bytes: number;
}

export interface WeightSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: "float32" | "int32" | "bool" | "uint8";
  /** The dtype of its values in the shards. */
  readonly stored: StoredDtype;
  readonly affine?: Affine;
  readonly bytes: number;
}

/** Consecutive weights in the shards `paths`. */
export interface WeightGroup {
  readonly paths: readonly string[];
  readonly weights: readonly (WeightSpec | PassedOver)[];
}

/** The `weightsManifest` of a `model.json`, checked. */
export function parseManifest(place: Place, model: unknown): WeightGroup[] {
  const fail = (problem: string): Error => corruptFile(place, problem);
  const manifest = isRecord(model) ? model.weightsManifest : undefined;
  if (!Array.isArray(manifest)) throw fail("it has no weightsManifest: it does not describe a TensorFlow.js model");
  const groups = manifest.map((group: unknown, i) => {
    if (!isRecord(group) || !Array.isArray(group.paths) || !Array.isArray(group.weights)) {
      throw fail(`group ${i} of its weightsManifest lacks paths or weights`);
    }
    for (const path of group.paths)
      if (!isPlainPath(path)) throw fail(`the shard path ${show(path)} is not a plain name`);
    const weights = group.weights.map((entry: unknown) => parseWeight(place, entry));
    return { paths: group.paths as string[], weights };
  });
  const twice = firstTwice(groups.flatMap(({ weights }) => weights));
  if (twice !== undefined) throw fail(`two weights are called ${twice}`);
  return groups;
}

function parseWeight(place: Place, entry: unknown): WeightSpec | PassedOver {
  const name = isRecord(entry) ? entry.name : undefined;
  if (!isRecord(entry) || typeof name !== "string" || name === "") {
    throw corruptFile(place, `a weight has no name: ${show(entry)}`);
  }
  const fail = (problem: string): Error => corruptFile(place, `weight ${name}: ${problem}`);
  const { shape, dtype } = entry;
  if (!isShape(shape)) throw fail(`its shape is ${show(shape)}`);
  const quantization = entry.quantization ?? undefined;
  if (quantization !== undefined && !isRecord(quantization)) throw fail(`its quantization is ${show(quantization)}`);
  if (dtype === "string" || dtype === "complex64") {
    const count = elementCount(shape);
    const size = dtype === "string" ? { texts: count, bytes: 0 } : { texts: 0, bytes: 8 * count };
    return { name, why: `has the dtype ${dtype}`, ...size };
  }
  if (!isDtype(dtype)) throw unsupported(place, name, `has the dtype ${show(dtype)}`);
  const { stored, affine } = parseStorage(place, name, dtype, quantization);
  const bytes = elementCount(shape) * storedSize(stored);
  return { name, shape, dtype, stored, bytes, ...(affine === undefined ? {} : { affine }) };
}

function parseStorage(
  place: Place,
  name: string,
  dtype: WeightSpec["dtype"],
  quantization: Readonly<Record<string, unknown>> | undefined,
): { stored: StoredDtype; affine?: Affine } {
  if (quantization === undefined) return { stored: dtype };
  const stored = quantization.dtype;
  if (stored === "float16" && dtype === "float32") return { stored };
  const integers = AFFINE.find((candidate) => candidate === stored);
  if (integers === undefined || (dtype !== "float32" && dtype !== "int32")) {
    throw unsupported(place, name, `of dtype ${dtype} is quantised to ${show(stored)}`);
  }
  const { scale, min } = quantization;
  if (!Number.isFinite(scale) || !Number.isFinite(min)) {
    const given = `scale ${show(scale)} and min ${show(min)}`;
    throw corruptFile(place, `weight ${name}: its quantization has ${given}`);
  }
  return { stored: integers, affine: { scale: scale as number, min: min as number } };
}

function unsupported(place: Place, name: string, problem: string): Error {
  const fix = "convert the model to float32, int32 or bool weights, quantised to uint8, uint16, float16 or not at all";
  return unsupportedFile(place, `weight ${name} ${problem}`, fix);
}

/** Relative, and without steps to a parent folder, so that a model file cannot make the reader open files elsewhere. */
const isPlainPath = (path: unknown): path is string =>
  typeof path === "string" && /^[^/\\:?#][^\\:?#]*$/.test(path) && !path.split("/").includes("..");
const isDtype = (dtype: unknown): dtype is WeightSpec["dtype"] =>
  typeof dtype === "string" && ["float32", "int32", "bool", "uint8"].includes(dtype);
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const show = (value: unknown): string => (value === undefined ? "missing" : showValue(value));
