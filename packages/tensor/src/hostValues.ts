import { invalidArgument, TensorError } from "./errors.js";
import type { DType } from "./types.js";

const isInt32 = (value: number): boolean => (value | 0) === value;
const isNarrow = (data: ArrayLike<number>): boolean =>
  [Int16Array, Int8Array, Uint16Array, Uint8Array, Uint8ClampedArray].some((type) => data instanceof type);

/** Throws `invalid-argument` if int32 cannot hold the value; `name` says which value it is. */
export function checkInt32(op: string, name: string, value: number): void {
  if (isInt32(value)) return;
  throw invalidArgument(
    `${op}: ${name} is ${value}, int32 holds whole numbers from -2147483648 to 2147483647`,
    'round or correct the values, or use dtype "float32"',
  );
}

/**
 * Host data in the form that a tensor of `dtype` stores. Throws `invalid-argument` for values that int32 cannot hold,
 * and `not-finite` if `finite` is set and a value is NaN or infinite.
 */
export function hostValues(
  op: string,
  data: ArrayLike<number>,
  dtype: DType,
  finite: boolean,
): Float32Array | Int32Array {
  if (dtype === "int32") {
    if (data instanceof Int32Array) return data;
    const bad = isNarrow(data) ? -1 : Array.prototype.findIndex.call(data, (value: number) => !isInt32(value));
    if (bad >= 0) checkInt32(op, `value ${bad} of the host data`, data[bad]!);
    return Int32Array.from(data);
  }
  const values = data instanceof Float32Array ? data : Float32Array.from(data);
  if (!finite) return values;
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return values;
  throw new TensorError({
    code: "not-finite",
    message: `${op}: value ${bad} of the host data is ${values[bad]}`,
    fix: "clean the data; this check is on because the device was created with debug.nanCheck",
  });
}
