import { show, TensorError } from "../device/errors.js";
import type { Tensor } from "../tensor.js";

/** Row-major values on the host, as the readers of `io` give them. */
export interface StateArray {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: ArrayLike<number> | BigInt64Array | BigUint64Array;
}

/** What `loadStateDict` takes: a tensor or a host array by name. */
export type StateDict = Readonly<Record<string, Tensor | StateArray>>;

export interface LoadOptions {
  /** Missing and unexpected names are errors. Default true. */
  readonly strict?: boolean;
}

export interface LoadReport {
  readonly copied: readonly string[];
  /** Names of the module that the dict lacks. */
  readonly missing: readonly string[];
  /** Names of the dict that the module lacks. */
  readonly unexpected: readonly string[];
}

/** PyTorch counts the batches of a batch norm here; the count is used only where momentum is None. */
const IGNORED = /(^|\.)num_batches_tracked$/;

/** Copies the values of `dict` into the tensors of `own`, after all names and shapes are checked. */
export function loadInto(own: Readonly<Record<string, Tensor>>, dict: StateDict, strict: boolean): LoadReport {
  const given = Object.keys(dict).filter((name) => !IGNORED.test(name));
  const copied = given.filter((name) => Object.hasOwn(own, name));
  const unexpected = given.filter((name) => !Object.hasOwn(own, name));
  const missing = Object.keys(own).filter((name) => !Object.hasOwn(dict, name));
  const unfit = copied.flatMap((name) => misfit(name, own[name]!, dict[name]!));
  const problems = [
    ...(strict && missing.length > 0 ? [`missing: ${missing.join(", ")}`] : []),
    ...(strict && unexpected.length > 0 ? [`unexpected: ${unexpected.join(", ")}`] : []),
    ...(unfit.length > 0 ? [`of the wrong shape: ${unfit.join("; ")}`] : []),
  ];
  if (problems.length > 0) throw mismatch(problems, unfit.length > 0);
  for (const name of copied) copyInto(own[name]!, dict[name]!);
  return { copied, missing, unexpected };
}

const isTensor = (value: Tensor | StateArray): value is Tensor => typeof value.data === "function";

function misfit(name: string, target: Tensor, source: Tensor | StateArray): string[] {
  const same = source.shape.length === target.shape.length && source.shape.every((size, i) => size === target.shape[i]);
  if (!same) return [`${name} is ${show(source.shape)}, the module has ${show(target.shape)}`];
  if (isTensor(source)) return [];
  const count = source.shape.reduce((a, b) => a * b, 1);
  return source.data.length === count
    ? []
    : [`${name} has ${source.data.length} values, shape ${show(source.shape)} needs ${count}`];
}

function mismatch(problems: readonly string[], shapes: boolean): TensorError {
  return new TensorError({
    code: "state-dict-mismatch",
    message: `loadStateDict: nothing was loaded; ${problems.join(" | ")}`,
    fix: shapes
      ? "create the module with the options that the weights were made with, or leave these names out"
      : "load into the module that the weights were made for, or pass { strict: false } to load what fits",
  });
}

function copyInto(target: Tensor, source: Tensor | StateArray): void {
  if (isTensor(source)) {
    if (source !== target) target.assign(source);
    return;
  }
  const { data } = source;
  const ready = target.dtype === "int32" ? data instanceof Int32Array : data instanceof Float32Array;
  target.assign(ready ? (data as Float32Array | Int32Array) : converted(target, data));
}

function converted(target: Tensor, data: StateArray["data"]): Float32Array | Int32Array {
  const out = target.dtype === "int32" ? new Int32Array(data.length) : new Float32Array(data.length);
  for (let i = 0; i < out.length; i++) out[i] = Number(data[i]);
  return out;
}
