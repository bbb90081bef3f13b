import { TensorError } from "./errors.js";
import type { DType } from "./tensor.js";

/** Host data as the words that a tensor of `dtype` holds. Throws `not-finite` when `finite` values are asked for and one is not. */
export function hostValues(
  op: string,
  data: ArrayLike<number>,
  dtype: DType,
  finite: boolean,
): Float32Array | Int32Array {
  if (dtype === "int32") return data instanceof Int32Array ? data : Int32Array.from(data);
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
