/**
 * An ONNX computation as data: a layer is converted to an expression of operators, constants and named values.
 * `OnnxGraph` assigns names to the inner values.
 */
export type Value = string | Constant | Op;

export interface Constant {
  readonly dtype: "float32" | "int64";
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** Whole numbers become ONNX's INT and INTS. */
export type Attribute = number | readonly number[] | string | { readonly float: number };

export interface Op {
  /** The name of the ONNX operator, such as `Conv`. */
  readonly type: string;
  readonly inputs: readonly Value[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** Stands for an optional input that is omitted. */
export const ABSENT = "";

export const op = (type: string, inputs: readonly Value[], attributes: Op["attributes"] = {}): Op => ({
  type,
  inputs,
  attributes,
});

export const ints = (...values: readonly number[]): Constant => ({ dtype: "int64", shape: [values.length], values });
export const floats = (...values: readonly number[]): Constant => ({
  dtype: "float32",
  shape: [values.length],
  values,
});
/** A float32 scalar (no dimensions). */
export const scalar = (value: number): Constant => ({ dtype: "float32", shape: [], values: [value] });

/** Elements `from` to `to` - 1 of a value's shape, int64. */
export const sizes = (x: Value, from: number, to: number): Op => op("Slice", [op("Shape", [x]), ints(from), ints(to)]);

/** One element of a value's shape, as an int64 scalar. */
export const sizeAlong = (x: Value, axis: number): Op =>
  op("Gather", [op("Shape", [x]), { dtype: "int64", shape: [], values: [axis] }]);

/** [height, width] of images [N, C, H, W], int64. */
export const plane = (x: Value): Op => sizes(x, 2, 4);

const HEIGHT_AND_WIDTH = ints(2, 3);

/** The pixels from `start` up to but excluding `end`, both [vertical, horizontal]. */
export const cut = (x: Value, start: Value, end: Value): Op => op("Slice", [x, start, end, HEIGHT_AND_WIDTH]);
