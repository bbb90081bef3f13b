import { TensorError } from "@fcn/tensor";

/** A list of labels: a typed array, a plain array, or a host array `{ dtype, shape, data }`. */
export type Labels = ArrayLike<number> | { readonly shape: readonly number[]; readonly data: ArrayLike<number> };

/** The numbers in `labels`. Throws for anything else, a tensor on the device above all. */
export function labelValues(labels: Labels, op: string): ArrayLike<number> {
  const values = "data" in labels ? labels.data : labels;
  if (typeof values === "object" && values !== null && typeof values.length === "number") return values;
  throw new TensorError({
    code: "invalid-argument",
    message: `${op}: labels must be a typed array or { shape, data } on the host, got ${describe(labels)}`,
    fix: "read a tensor back first: await tensor.data()",
  });
}

function describe(value: object): string {
  const shape = "shape" in value && Array.isArray(value.shape) ? ` of shape [${value.shape.join(", ")}]` : "";
  return `${value.constructor?.name ?? "an object"}${shape}`;
}
