import { MAX_RANK } from "@fcn/kernels";
import { describe } from "./describe.js";
import { invalidArgument, invalidShape, limitExceeded, show } from "./errors.js";

export const elementsOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

export const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((size, i) => size === b[i]);

/** `Array.isArray` without its narrowing, which would give `any[]`. */
export const isList = (value: unknown): boolean => Array.isArray(value);

/** Throws `invalid-argument` unless `value` is a list of numbers. */
export function checkList(op: string, name: string, value: unknown): void {
  if (Array.isArray(value) && value.every((item) => typeof item === "number")) return;
  throw invalidArgument(`${op}: ${name} is ${describe(value)}, expected a list of numbers`, `pass ${name} as [2, 3]`);
}

/** Throws `limit-exceeded` if the shape has more dimensions than the kernels support. */
export function checkMaxRank(op: string, shape: readonly number[]): void {
  if (shape.length <= MAX_RANK) return;
  throw limitExceeded(
    `${op}: shape ${show(shape)} has ${shape.length} dimensions, a tensor has at most ${MAX_RANK}`,
    "merge neighbouring dimensions, or leave out those of size 1",
  );
}

/** Throws unless there are at most {@link MAX_RANK} sizes, all of them whole numbers of at least 1. */
export function checkShape(op: string, shape: readonly number[]): void {
  checkList(op, "shape", shape);
  if (shape.some((size) => !Number.isInteger(size) || size < 1)) {
    throw invalidShape(`${op}: shape ${show(shape)} must hold positive whole numbers`, "pass sizes of at least 1");
  }
  checkMaxRank(op, shape);
}

export function checkRank(op: string, name: string, shape: readonly number[], rank: number, names: string): void {
  if (shape.length !== rank) {
    throw invalidShape(
      `${op}: ${name} has shape ${show(shape)} (rank ${shape.length}), expected ${names}`,
      `reshape ${name} to rank ${rank}`,
    );
  }
}

/** One number for both sides of a plane, or [height, width]. */
export type Extent = number | readonly [number, number];

/** Zeros around an image: one number, [vertical, horizontal], or [[top, bottom], [left, right]]. */
export type Padding = number | readonly number[] | readonly (readonly number[])[];

export const pair = (value: number | readonly number[]): [number, number] =>
  typeof value === "number" ? [value, value] : [value[0]!, value[1]!];

export function sides(padding: Padding = 0): [[number, number], [number, number]] {
  const [vertical, horizontal] = typeof padding === "number" ? [padding, padding] : padding;
  return [pair(vertical!), pair(horizontal!)];
}

/**
 * Converts a dimension counted from either end to 0..rank-1. A scalar counts as having one dimension, as in PyTorch.
 */
export function dimIndex(op: string, dim: number, rank: number): number {
  const range = Math.max(rank, 1);
  const index = dim < 0 ? dim + range : dim;
  if (!Number.isInteger(dim) || index < 0 || index >= range) {
    throw invalidArgument(
      `${op}: dim is ${dim}, but the tensor has ${rank} dimensions`,
      `pass a dim from ${-range} to ${range - 1}`,
    );
  }
  return index;
}

/** The shape that two operands broadcast to, as in NumPy. Throws `invalid-shape` if they do not. */
export function broadcastShape(op: string, a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1) {
      throw invalidShape(
        `${op}: shapes ${show(a)} and ${show(b)} do not broadcast (dimension ${i}: ${x} against ${y})`,
        "make the sizes equal, or 1 where one operand should be repeated",
      );
    }
    return Math.max(x, y);
  });
}
