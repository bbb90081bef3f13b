import {
  type NumberForm,
  type Part,
  type PointwiseName,
  type PointwiseRow,
  planFlat,
  planStrided,
  pointwise,
  type RowOf,
  type Source,
  sourcesOf,
} from "@fcn/kernels";
import { record } from "../core/autograd.js";
import { full } from "../core/create.js";
import { planned } from "../core/planned.js";
import { checkLive, Tensor } from "../core/tensor.js";
import { invalidArgument, invalidDType, show } from "../plain/errors.js";
import { type Order, sameLayout, stridesOf } from "../plain/layout.js";
import { checkOptions, checkValue } from "../plain/options.js";
import { anyNumber, finite, notNaN, oneOf, positive } from "../plain/rules.js";
import { broadcastShape, elementsOf, sameShape } from "../plain/shape.js";
import type { DType } from "../plain/types.js";
import { checkReal } from "./operands.js";
import { sumTo } from "./sumTo.js";

type Operands = { readonly [Id in Source]?: Tensor | undefined };

interface Numbers {
  readonly s?: number;
  readonly t?: number;
}

/** @internal Computes one part of a table row over `shape`, stored in `order`; operands broadcast. */
export function compute(
  name: PointwiseName,
  part: Part,
  operands: Operands,
  shape: readonly number[],
  order: Order,
  numbers: Numbers,
  tracked: boolean,
  dtype?: DType,
): Tensor {
  const used = sourcesOf(name, part).map((id) => [id, operands[id]!] as const);
  const { runtime } = used[0]![1];
  const row: PointwiseRow = pointwise[name];
  const out = Tensor.empty(runtime, shape, { dtype: dtype ?? row.gives ?? widest(used), order, tracked });
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

/** float16 where all operands are, else float32. */
const widest = (used: readonly (readonly [Source, Tensor])[]): DType =>
  used.every(([, { dtype }]) => dtype === "float16") ? "float16" : "float32";

/** Strides of x along the dimensions of `shape`, 0 where x is repeated. */
function broadcastStrides(x: Tensor, shape: readonly number[]): number[] {
  const own = stridesOf(x.shape, x.order);
  const lead = shape.length - x.shape.length;
  return shape.map((_, i) => (i < lead || x.shape[i - lead] === 1 ? 0 : own[i - lead]!));
}

const zerosLike = ({ runtime, shape, order, dtype }: Tensor): Tensor =>
  full("full", runtime, shape, 0, { dtype, order, tracked: false });

/** Computes a one-operand row, with its gradient, in the name of a public op. */
function computeUnary(op: string, name: RowOf<1>, a: Tensor, numbers: Numbers = {}): Tensor {
  checkReal(op, "x", a);
  const y = compute(name, "forward", { a }, a.shape, a.order, numbers, true);
  const reads = sourcesOf(name, "da");
  if (reads.length === 0) return record(op, y, [a], [], (g) => [zerosLike(g)]);
  const saved = [reads.includes("a") ? a : undefined, reads.includes("y") ? y : undefined];
  const { shape, order } = a;
  return record(op, y, [a], saved, (g, [savedA, savedY]) => {
    return [compute(name, "da", { g, a: savedA, y: savedY }, shape, order, numbers, false)];
  });
}

/** Computes a two-operand row, with its gradient. */
function computeBinary(op: RowOf<2>, a: Tensor, b: Tensor): Tensor {
  checkReal(op, "a", a);
  checkReal(op, "b", b);
  const shape = broadcastShape(op, a.shape, b.shape);
  const order = outputOrder(shape, a, b);
  const y = compute(op, "forward", { a, b }, shape, order, {}, true);
  const parts = [...(a.requiresGrad ? (["da"] as const) : []), ...(b.requiresGrad ? (["db"] as const) : [])];
  const reads = new Set(parts.flatMap((part) => sourcesOf(op, part)));
  const saved = [reads.has("a") ? a : undefined, reads.has("b") ? b : undefined];
  const shapes = [a.shape, b.shape] as const;
  return record(op, y, [a, b], saved, (g, [savedA, savedB], needs) => {
    const operands = { g, a: savedA, b: savedB };
    return shapes.map((target, i) => {
      if (!needs[i]) return undefined;
      const part = i === 0 ? "da" : "db";
      const row = pointwise[op] as { da?: string; db?: string };
      if (row[part] === "g") return sumTo(`${op} backward`, g.alias(), target);
      return sumTo(`${op} backward`, compute(op, part, operands, shape, order, {}, false), target);
    });
  });
}

/** The result takes the memory format of an operand of full size. */
function outputOrder(shape: readonly number[], a: Tensor, b: Tensor): Order {
  if (sameShape(a.shape, shape)) return a.order;
  if (sameShape(b.shape, shape)) return b.order;
  const larger = elementsOf(a.shape) >= elementsOf(b.shape) ? a : b;
  return larger.shape.length === shape.length ? larger.order : shape.map((_, i) => i);
}

/** A tensor, or a number that broadcasts against the other operand. */
export type Operand = Tensor | number;

/** Turns a number into a scalar tensor, for rows that have no form of their own for numbers. */
function withNumber<T>(beside: Tensor, value: number, use: (scalar: Tensor) => T): T {
  using scalar = full("full", beside.runtime, [], value, { dtype: beside.dtype, tracked: false });
  return use(scalar);
}

/** @internal The op of a row with one operand. */
export function unary(name: RowOf<1>): (x: Tensor) => Tensor {
  return (x) => computeUnary(name, name, x);
}

/** @internal The op of a row with two operands, one of which may be a number. */
export function binary(op: RowOf<2>): (a: Operand, b: Operand) => Tensor {
  const row: PointwiseRow = pointwise[op];
  const beside = (x: Tensor, value: number, form: NumberForm | undefined, whole: (scalar: Tensor) => Tensor) => {
    checkValue(op, "operand", value, notNaN);
    if (!form) return withNumber(x, value, whole);
    const { name, ...numbers } = form(value);
    return computeUnary(op, name, x, numbers);
  };
  return (a, b) => {
    if (typeof a === "number") {
      if (typeof b === "number") throw invalidArgument(`${op}: both operands are numbers`, "pass at least one tensor");
      return beside(b, a, row.numberA, (scalar) => computeBinary(op, scalar, b));
    }
    if (typeof b === "number") return beside(a, b, row.numberB, (scalar) => computeBinary(op, a, scalar));
    return computeBinary(op, a, b);
  };
}

/**
 * Whether a equals b, with broadcasting (torch.eq): int32, 1 or 0. Both are of one dtype; b may be a number.
 * NaN equals nothing. Has no gradient.
 */
export function eq(a: Tensor, b: Operand): Tensor {
  checkLive("eq", "a", a);
  if (typeof b === "number") {
    checkValue("eq", "b", b, notNaN);
    return withNumber(a, b, (scalar) => eq(a, scalar));
  }
  checkLive("eq", "b", b);
  if (a.dtype !== b.dtype) {
    throw invalidDType(
      `eq: a of shape ${show(a.shape)} has dtype ${a.dtype}, b of shape ${show(b.shape)} ${b.dtype}, expected one dtype`,
      `convert one: a.to("${b.dtype}")`,
    );
  }
  const shape = broadcastShape("eq", a.shape, b.shape);
  return compute(a.dtype === "int32" ? "eqInt" : "eq", "forward", { a, b }, shape, outputOrder(shape, a, b), {}, true);
}

/** x where x > 0, otherwise slope * x (torch.nn.functional.leaky_relu). Default slope 0.01. */
export function leakyRelu(x: Tensor, slope = 0.01): Tensor {
  checkValue("leakyRelu", "slope", slope, anyNumber);
  return computeUnary("leakyRelu", "leakyRelu", x, { s: slope });
}

export interface ClampOptions {
  /** Default: no lower bound. */
  readonly min?: number;
  /** Default: no upper bound. */
  readonly max?: number;
}

/** Limits x to [min, max] (torch.clamp). Either bound may be left out. NaN stays NaN. */
export function clamp(x: Tensor, options: ClampOptions = {}): Tensor {
  checkReal("clamp", "x", x);
  checkOptions<ClampOptions>("clamp", options, { min: notNaN, max: notNaN });
  const { min = -Infinity, max = Infinity } = options;
  return computeUnary("clamp", "clamp", x, { s: min, t: max });
}

export interface GeluOptions {
  /** "none" (default): by the error function; "tanh": by its usual approximation. */
  readonly approximate?: "none" | "tanh";
}

/** x times the normal distribution function at x (torch.nn.functional.gelu). */
export function gelu(x: Tensor, options: GeluOptions = {}): Tensor {
  checkOptions<GeluOptions>("gelu", options, { approximate: oneOf("none", "tanh") });
  return computeUnary("gelu", options.approximate === "tanh" ? "geluTanh" : "gelu", x);
}

export interface SoftplusOptions {
  /** Default 1. */
  readonly beta?: number;
  /** Where beta * x is larger the result is x. Default 20. */
  readonly threshold?: number;
}

/** log(1 + e^(beta x)) / beta, a smooth relu (torch.nn.functional.softplus). */
export function softplus(x: Tensor, options: SoftplusOptions = {}): Tensor {
  checkOptions<SoftplusOptions>("softplus", options, { beta: positive, threshold: notNaN });
  const { beta = 1, threshold = 20 } = options;
  return computeUnary("softplus", "softplus", x, { s: beta, t: threshold });
}

export interface EluOptions {
  /** The result far below 0 is -alpha. Default 1. */
  readonly alpha?: number;
}

/** x where x > 0, otherwise alpha * (e^x - 1) (torch.nn.functional.elu). */
export function elu(x: Tensor, options: EluOptions = {}): Tensor {
  checkOptions<EluOptions>("elu", options, { alpha: finite });
  return computeUnary("elu", "elu", x, { s: options.alpha ?? 1 });
}
