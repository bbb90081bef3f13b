import { describe } from "./describe.js";
import { invalidArgument, invalidShape, show } from "./errors.js";
import { elementsOf, sameShape } from "./shape.js";
import type { Nested } from "./types.js";

/** Numbers on the host in row-major order. 64-bit integers are converted by value. */
export type HostNumbers = ArrayLike<number> | BigInt64Array | BigUint64Array;

/** What `device.tensor` takes: numbers in row-major order, or arrays nested as deep as the tensor has dimensions. */
export type TensorData = HostNumbers | Nested;

/**
 * The numbers of nested arrays in row-major order, with their shape. Flat data is returned as it is. Throws if the
 * arrays differ in length.
 */
export function flatten(op: string, data: TensorData): { values: ArrayLike<number>; shape: readonly number[] } {
  if (typeof data === "number") return { values: [data], shape: [] };
  if (isWide(data)) return { values: narrowed(data), shape: [data.length] };
  if (typeof data?.length !== "number" || typeof data === "string") {
    throw invalidArgument(
      `${op}: the data is ${describe(data)}, expected numbers`,
      "pass a number, or a list of numbers",
    );
  }
  if (!Array.isArray(data) || !data.some(isItems)) return { values: data as ArrayLike<number>, shape: [data.length] };
  const shape = shapeOf(data);
  const values: number[] = [];
  const visit = (item: unknown, path: readonly number[]): void => {
    const size = shape[path.length];
    if (!isItems(item) || item.length !== size) throw ragged(op, item, path, shape);
    const isLast = path.length === shape.length - 1;
    for (let i = 0; i < size; i++) {
      const next = item[i];
      if (!isLast) visit(next, [...path, i]);
      else if (typeof next === "number") values.push(next);
      else throw ragged(op, next, [...path, i], shape);
    }
  };
  visit(data, []);
  return { values, shape };
}

const isItems = (item: unknown): item is ArrayLike<unknown> => Array.isArray(item) || ArrayBuffer.isView(item);
/** Flat data with 64-bit integers converted to JavaScript numbers. */
export const narrowed = (data: HostNumbers): ArrayLike<number> =>
  isWide(data) ? new Float64Array(data.length).map((_, i) => Number(data[i])) : data;

/** Data of PyTorch's int64, which no tensor here can have. */
const isWide = (data: unknown): data is BigInt64Array | BigUint64Array =>
  data instanceof BigInt64Array || data instanceof BigUint64Array;

/** The shape that the first element at each depth implies. */
function shapeOf(data: ArrayLike<unknown>): number[] {
  const shape: number[] = [];
  for (let item: unknown = data; isItems(item); item = item[0]) shape.push(item.length);
  return shape;
}

function ragged(op: string, item: unknown, path: readonly number[], shape: readonly number[]): Error {
  const at = path.map((i) => `[${i}]`).join("");
  const found = isItems(item) ? `${item.length} items` : typeof item === "number" ? "a number" : describe(item);
  const size = shape[path.length];
  const expected = size === undefined ? "a number" : `${size} items`;
  const message = `${op}: the nested data has ${found} at ${at}, expected ${expected} for shape ${show(shape)}`;
  return isItems(item) || typeof item === "number"
    ? invalidShape(message, "make all arrays of one depth equally long")
    : invalidArgument(message, "pass numbers");
}

/** Throws if nested data was given a shape other than its own. */
export function checkNested(op: string, data: TensorData, own: readonly number[], given: readonly number[]): void {
  const isFlat = typeof data === "object" ? own.length === 1 : elementsOf(given) === 1;
  if (isFlat || sameShape(own, given)) return;
  throw invalidShape(
    `${op}: data nested as ${show(own)} for shape ${show(given)}`,
    "leave out the shape, or pass flat data",
  );
}
