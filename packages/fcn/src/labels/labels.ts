import { invalidArgument } from "@fcn/tensor/internal";

/** Labels as a typed array (including 64-bit integers), a plain array, or a host array `{ dtype, shape, data }`. */
export type Labels =
  | ArrayLike<number>
  | BigInt64Array
  | BigUint64Array
  | { readonly shape: readonly number[]; readonly data: ArrayLike<number> | BigInt64Array | BigUint64Array };

/** The numbers in `labels`. Throws `invalid-argument` for anything else, notably device tensors and nested arrays. */
export function labelValues(labels: Labels, op: string): ArrayLike<number> {
  const values = "data" in labels ? labels.data : labels;
  if (values instanceof BigInt64Array || values instanceof BigUint64Array) return Float64Array.from(values, Number);
  if (Array.isArray(values) && typeof values[0] === "object") {
    throw invalidArgument(
      `${op}: labels are ${values.length} rows, but must be one list of numbers`,
      "pass them row by row in one list: labels.flat(Infinity)",
    );
  }
  if (typeof values === "object" && values !== null && typeof values.length === "number") return values;
  throw invalidArgument(`${op}: labels must be a typed array or { shape, data } on the host, got ${describe(labels)}`, {
    code: "read a tensor back first: await tensor.data()",
  });
}

function describe(value: object): string {
  const shape = "shape" in value && Array.isArray(value.shape) ? ` of shape [${value.shape.join(", ")}]` : "";
  return `${value.constructor?.name ?? "an object"}${shape}`;
}
