import { type NamedRow, type NumberForm, type Part, planFlat, planStrided, type Source, sourcesOf } from "@fcn/kernels";
import * as rows from "@fcn/kernels/pointwise";
import { record } from "../core/autograd.js";
import { full } from "../core/create.js";
import { type MethodName, method } from "../core/method.js";
import { planned } from "../core/planned.js";
import { checkLive, Tensor } from "../core/tensor.js";
import { invalidArgument, invalidDType, show } from "../plain/errors.js";
import { type Order, sameLayout, stridesOf } from "../plain/layout.js";
import { checkOptions, checkValue } from "../plain/options.js";
import { anyNumber, finite, notNaN, oneOf, positive } from "../plain/rules.js";
import { broadcastShape, elementsOf, sameShape } from "../plain/shape.js";
import type { DType } from "../plain/types.js";
import { checkInt, checkReal } from "./operands.js";
import { sumTo } from "./sumTo.js";

type UnaryRow = NamedRow & { readonly arity: 1 };
type BinaryRow = NamedRow & { readonly arity: 2 };
type Method = { readonly name: MethodName };

type Operands = { readonly [Id in Source]?: Tensor | undefined };

interface Numbers {
  readonly s?: number;
  readonly t?: number;
}

/** @internal Computes one part of a row over `shape`, stored in `order`; operands broadcast. */
export function compute(
  row: NamedRow,
  part: Part,
  operands: Operands,
  shape: readonly number[],
  order: Order,
  numbers: Numbers,
  tracked: boolean,
  dtype?: DType,
): Tensor {
  const { name } = row;
  const used = sourcesOf(row.name, part).map((id) => [id, operands[id]!] as const);
  const { runtime } = used[0]![1];
  const out = Tensor.empty(runtime, shape, { dtype: dtype ?? givenBy(row, part) ?? widest(used), order, tracked });
  const options = { name, part, ...numbers };
  const label = part === "forward" ? name : `${name} backward`;
  const flat = used.every(([, x]) => sameShape(x.shape, shape) && sameLayout(shape, x.order, order));
  const inStorage = (perDim: readonly number[]) => order.map((dim) => perDim[dim]!);
  const stridesOfUsed = () => Object.fromEntries(used.map(([id, x]) => [id, inStorage(broadcastStrides(x, shape))]));
  const plan = flat
    ? planned(planFlat, options, out.size)
    : planned(planStrided, options, inStorage(shape), stridesOfUsed());
  runtime.run(label, plan, { ...Object.fromEntries(used), result: out });
  return out;
}

const givenBy = (row: NamedRow, part: Part): "int32" | undefined =>
  part === "integer" || (part === "forward" && row.gives) ? "int32" : undefined;

/** float16 where all operands but a condition are, else float32. */
const widest = (used: readonly (readonly [Source, Tensor])[]): DType =>
  used.every(([id, { dtype }]) => id === "c" || dtype === "float16") ? "float16" : "float32";

/** The part of a row that computes its result for integers, if operands of `dtype` are such. */
function integerPart(row: NamedRow, dtype: DType): Part | undefined {
  if (row.takes === "int32") return "forward";
  return dtype === "int32" && row.integer ? "integer" : undefined;
}

const isInt32 = (value: number): boolean => (value | 0) === value;

/** @internal Throws unless a number can stand beside an int32 tensor. */
export function checkInt32(op: string, value: number): void {
  if (isInt32(value)) return;
  throw invalidArgument(`${op}: ${value} beside an int32 tensor, expected a whole number of 32 bits`, {
    code: 'convert the tensor: x.to("float32")',
  });
}

/** The values of an int32 tensor as float32, untracked. */
const floatsOfInt = (x: Tensor): Tensor => compute(rows.toFloat, "forward", { a: x }, x.shape, x.order, {}, false);

/** Strides of x along the dimensions of `shape`, 0 where x is repeated. */
function broadcastStrides(x: Tensor, shape: readonly number[]): number[] {
  const own = stridesOf(x.shape, x.order);
  const lead = shape.length - x.shape.length;
  return shape.map((_, i) => (i < lead || x.shape[i - lead] === 1 ? 0 : own[i - lead]!));
}

const zerosLike = ({ runtime, shape, order, dtype }: Tensor): Tensor =>
  full("full", runtime, shape, 0, { dtype, order, tracked: false });

/** Computes a one-operand row, with its gradient, in the name of a public op. */
function computeUnary(op: string, row: UnaryRow, a: Tensor, numbers: Numbers = {}): Tensor {
  checkLive(op, "x", a);
  const integer = integerPart(row, a.dtype);
  if (integer) {
    checkInt(op, "x", a);
    return compute(row, integer, { a }, a.shape, a.order, numbers, true);
  }
  checkReal(op, "x", a);
  const y = compute(row, "forward", { a }, a.shape, a.order, numbers, true);
  const reads = sourcesOf(row.name, "da");
  if (reads.length === 0) return record(op, y, [a], [], (g) => [zerosLike(g)]);
  const saved = [reads.includes("a") ? a : undefined, reads.includes("y") ? y : undefined];
  const { shape, order } = a;
  return record(op, y, [a], saved, (g, [savedA, savedY]) => {
    return [compute(row, "da", { g, a: savedA, y: savedY }, shape, order, numbers, false)];
  });
}

/** Computes a two-operand row, with its gradient. */
function computeBinary(row: BinaryRow, a: Tensor, b: Tensor): Tensor {
  const { name: op } = row;
  checkLive(op, "a", a);
  checkLive(op, "b", b);
  const shape = broadcastShape(op, a.shape, b.shape);
  const order = outputOrder(shape, a, b);
  const isWhole = a.dtype === "int32" && b.dtype === "int32";
  const integer = integerPart(row, isWhole ? "int32" : "float32");
  if (integer) {
    checkInt(op, "a", a);
    checkInt(op, "b", b);
    return compute(row, integer, { a, b }, shape, order, {}, true);
  }
  if (isWhole && row.promotes) {
    using x = floatsOfInt(a);
    using y = floatsOfInt(b);
    return compute(row, "forward", { a: x, b: y }, shape, order, {}, true);
  }
  checkReal(op, "a", a);
  checkReal(op, "b", b);
  const y = compute(row, "forward", { a, b }, shape, order, {}, true);
  const parts = [...(a.requiresGrad ? (["da"] as const) : []), ...(b.requiresGrad ? (["db"] as const) : [])];
  const reads = new Set(parts.flatMap((part) => sourcesOf(row.name, part)));
  const saved = [reads.has("a") ? a : undefined, reads.has("b") ? b : undefined];
  const shapes = [a.shape, b.shape] as const;
  return record(op, y, [a, b], saved, (g, [savedA, savedB], needs) => {
    const operands = { g, a: savedA, b: savedB };
    return shapes.map((target, i) => {
      if (!needs[i]) return undefined;
      const part = i === 0 ? "da" : "db";
      if (row[part] === "g") return sumTo(`${op} backward`, g.alias(), target);
      return sumTo(`${op} backward`, compute(row, part, operands, shape, order, {}, false), target);
    });
  });
}

/** @internal The result takes the memory format of an operand of full size. */
export function outputOrder(shape: readonly number[], ...operands: readonly [Tensor, ...Tensor[]]): Order {
  const whole = operands.find((x) => sameShape(x.shape, shape));
  if (whole) return whole.order;
  const larger = operands.reduce((a, b) => (elementsOf(a.shape) >= elementsOf(b.shape) ? a : b));
  return larger.shape.length === shape.length ? larger.order : shape.map((_, i) => i);
}

/** A tensor, or a number that broadcasts against the other operand. */
export type Operand = Tensor | number;

/** @internal Turns a number into a scalar tensor, for rows that have no form of their own for numbers. */
export function withNumber<T>(beside: Pick<Tensor, "runtime" | "dtype">, value: number, use: (scalar: Tensor) => T): T {
  using scalar = full("full", beside.runtime, [], value, { dtype: beside.dtype, tracked: false });
  return use(scalar);
}

/** @internal The op of a row with one operand. */
export function unary(row: UnaryRow & Method): (x: Tensor) => Tensor {
  const { name } = row;
  return method(name, (x: Tensor) => computeUnary(name, row, x));
}

/** @internal The op of a row with two operands, one of which may be a number. */
export function binary(row: BinaryRow & Method): (a: Operand, b: Operand) => Tensor {
  const { name: op } = row;
  const beside = (
    x: Tensor,
    value: number,
    form: NumberForm | undefined,
    whole: (x: Tensor, scalar: Tensor) => Tensor,
  ): Tensor => {
    checkValue(op, "operand", value, notNaN);
    if (x.dtype === "int32" && row.promotes) {
      using wide = floatsOfInt(x);
      return beside(wide, value, form, whole);
    }
    if (integerPart(row, x.dtype)) {
      checkInt32(op, value);
      return withNumber(x, value, (scalar) => whole(x, scalar));
    }
    if (!form) return withNumber(x, value, (scalar) => whole(x, scalar));
    const { row: unaryRow, ...numbers } = form(value);
    return computeUnary(op, unaryRow, x, numbers);
  };
  return method(op, (a: Operand, b: Operand) => {
    if (typeof a === "number") {
      if (typeof b === "number") throw invalidArgument(`${op}: both operands are numbers`, "pass at least one tensor");
      return beside(b, a, row.numberA, (x, scalar) => computeBinary(row, scalar, x));
    }
    if (typeof b === "number") return beside(a, b, row.numberB, (x, scalar) => computeBinary(row, x, scalar));
    return computeBinary(row, a, b);
  });
}

/** @internal The op of a row that compares two tensors of one dtype, or a tensor with a number. */
export function compare(row: BinaryRow & Method): (a: Tensor, b: Operand) => Tensor {
  const { name: op } = row;
  return method(op, function compared(a: Tensor, b: Operand): Tensor {
    checkLive(op, "a", a);
    if (typeof b === "number") {
      checkValue(op, "b", b, notNaN);
      if (a.dtype !== "int32" || isInt32(b)) return withNumber(a, b, (scalar) => compared(a, scalar));
      using wide = floatsOfInt(a);
      return withNumber(wide, b, (scalar) => compared(wide, scalar));
    }
    checkLive(op, "b", b);
    if (a.dtype !== b.dtype) {
      throw invalidDType(
        `${op}: a of shape ${show(a.shape)} has dtype ${a.dtype}, b of shape ${show(b.shape)} ${b.dtype}, expected one dtype`,
        `convert one: a.to("${b.dtype}")`,
      );
    }
    const shape = broadcastShape(op, a.shape, b.shape);
    const part = integerPart(row, a.dtype) ?? "forward";
    return compute(row, part, { a, b }, shape, outputOrder(shape, a, b), {}, true);
  });
}

/**
 * x where x > 0, otherwise slope * x (torch.nn.functional.leaky_relu). Default slope 0.01.
 * @function
 */
export const leakyRelu = /* @__PURE__ */ method("leakyRelu", (x: Tensor, slope = 0.01): Tensor => {
  checkValue("leakyRelu", "slope", slope, anyNumber);
  return computeUnary("leakyRelu", rows.leakyRelu, x, { s: slope });
});

export interface ClampOptions {
  /** Default: no lower bound. */
  readonly min?: number;
  /** Default: no upper bound. */
  readonly max?: number;
}

/**
 * Limits x to [min, max] (torch.clamp). Either bound may be left out. NaN stays NaN.
 * @function
 */
export const clamp = /* @__PURE__ */ method("clamp", (x: Tensor, options: ClampOptions = {}): Tensor => {
  checkReal("clamp", "x", x);
  checkOptions<ClampOptions>("clamp", options, { min: notNaN, max: notNaN });
  const { min = -Infinity, max = Infinity } = options;
  return computeUnary("clamp", rows.clamp, x, { s: min, t: max });
});

export interface GeluOptions {
  /** "none" (default): by the error function; "tanh": by its usual approximation. */
  readonly approximate?: "none" | "tanh";
}

/**
 * x times the normal distribution function at x (torch.nn.functional.gelu).
 * @function
 */
export const gelu = /* @__PURE__ */ method("gelu", (x: Tensor, options: GeluOptions = {}): Tensor => {
  checkOptions<GeluOptions>("gelu", options, { approximate: oneOf("none", "tanh") });
  return computeUnary("gelu", options.approximate === "tanh" ? rows.geluTanh : rows.gelu, x);
});

export interface SoftplusOptions {
  /** Default 1. */
  readonly beta?: number;
  /** Where beta * x is larger the result is x. Default 20. */
  readonly threshold?: number;
}

/**
 * log(1 + e^(beta x)) / beta, a smooth relu (torch.nn.functional.softplus).
 * @function
 */
export const softplus = /* @__PURE__ */ method("softplus", (x: Tensor, options: SoftplusOptions = {}): Tensor => {
  checkOptions<SoftplusOptions>("softplus", options, { beta: positive, threshold: notNaN });
  const { beta = 1, threshold = 20 } = options;
  return computeUnary("softplus", rows.softplus, x, { s: beta, t: threshold });
});

export interface EluOptions {
  /** The result far below 0 is -alpha. Default 1. */
  readonly alpha?: number;
}

/**
 * x where x > 0, otherwise alpha * (e^x - 1) (torch.nn.functional.elu).
 * @function
 */
export const elu = /* @__PURE__ */ method("elu", (x: Tensor, options: EluOptions = {}): Tensor => {
  checkOptions<EluOptions>("elu", options, { alpha: finite });
  return computeUnary("elu", rows.elu, x, { s: options.alpha ?? 1 });
});
