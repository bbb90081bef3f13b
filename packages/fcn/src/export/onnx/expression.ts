/**
 * What an ONNX graph computes, as data. A layer is converted to an expression of operators, constants and named values;
 * `OnnxGraph` gives names to what is inside.
 */
export type Value = string | Constant | Op;

export interface Constant {
  readonly dtype: "float32" | "int64";
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** Whole numbers are ONNX's INT and INTS. */
export type Attribute = number | readonly number[] | string | { readonly float: number };

export interface Op {
  /** ONNX's operator, as in `Conv`. */
  readonly type: string;
  readonly inputs: readonly Value[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** The name of an optional input that is left out. */
export const ABSENT = "";

export const op = (type: string, inputs: readonly Value[], attributes: Op["attributes"] = {}): Op => ({
  type,
  inputs,
  attributes,
});

/** A vector of int64. */
export const ints = (...values: readonly number[]): Constant => ({ dtype: "int64", shape: [values.length], values });
/** A vector of float32. */
export const floats = (...values: readonly number[]): Constant => ({
  dtype: "float32",
  shape: [values.length],
  values,
});
/** A float32 without dimensions. */
export const scalar = (value: number): Constant => ({ dtype: "float32", shape: [], values: [value] });

/** Sizes `from` to `to` - 1 of the shape of a value, int64. */
export const sizes = (x: Value, from: number, to: number): Op => op("Slice", [op("Shape", [x]), ints(from), ints(to)]);

/** One size of the shape of a value, int64 without dimensions. */
export const sizeAlong = (x: Value, axis: number): Op =>
  op("Gather", [op("Shape", [x]), { dtype: "int64", shape: [], values: [axis] }]);

/** [height, width] of images [N, C, H, W], int64. */
export const plane = (x: Value): Op => sizes(x, 2, 4);

const HEIGHT_AND_WIDTH = ints(2, 3);

/** The pixels from `start` to before `end`, both [vertical, horizontal]. */
export const cut = (x: Value, start: Value, end: Value): Op => op("Slice", [x, start, end, HEIGHT_AND_WIDTH]);
