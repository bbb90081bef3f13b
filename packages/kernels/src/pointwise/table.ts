import { powerReference } from "./power.js";

/**
 * One row an op. Expressions are WGSL over the type T of the inputs (f32 or vec4f, i32 or vec4i) and R of the result, with the names a, b (inputs), y (output), g
 * (gradient of y) and the numbers p.s, p.t. `da`, `db` are the gradients. WGSL lets max, min, clamp and comparisons
 * take any view of NaN: `isNan(x)` reads the bits, and a row that uses them says with it what NaN gives.
 */
export interface PointwiseRow {
  readonly arity: 1 | 2;
  /** Type of the inputs, and of the result, where it is not float32. */
  readonly takes?: "int32";
  readonly gives?: "int32";
  readonly forward: string;
  readonly da?: string;
  readonly db?: string;
  /** The same in float64, for tests. */
  readonly reference: (a: number, b: number, s: number, t: number) => number;
}

const zero = "T(0.0)";
const one = "T(1.0)";
const EITHER_NAN = "isNan(a) | isNan(b)";

export const pointwise = {
  relu: {
    arity: 1,
    forward: `select(max(a, ${zero}), a, isNan(a))`,
    da: `select(${zero}, g, (y > ${zero}) | isNan(y))`,
    reference: (a) => Math.max(a, 0),
  },
  relu6: {
    arity: 1,
    forward: `select(clamp(a, ${zero}, T(6.0)), a, isNan(a))`,
    da: `select(${zero}, g, ((y > ${zero}) & (y < T(6.0))) | isNan(y))`,
    reference: (a) => Math.min(Math.max(a, 0), 6),
  },
  leakyRelu: {
    arity: 1,
    forward: `select(a * p.s, a, a > ${zero})`,
    da: `select(g * p.s, g, a > ${zero})`,
    reference: (a, _b, s) => (a > 0 ? a : a * s),
  },
  sigmoid: {
    arity: 1,
    forward: `${one} / (${one} + exp(-a))`,
    da: `g * y * (${one} - y)`,
    reference: (a) => 1 / (1 + Math.exp(-a)),
  },
  exp: { arity: 1, forward: "exp(a)", da: "g * y", reference: (a) => Math.exp(a) },
  log: { arity: 1, forward: "log(a)", da: "g / a", reference: (a) => Math.log(a) },
  sqrt: { arity: 1, forward: "sqrt(a)", da: `g / (y + y)`, reference: (a) => Math.sqrt(a) },
  neg: { arity: 1, forward: "-a", da: "-g", reference: (a) => -a },
  clamp: {
    arity: 1,
    forward: "select(min(max(a, T(p.s)), T(p.t)), a, isNan(a))",
    da: `select(${zero}, g, (a >= T(p.s)) & (a <= T(p.t)) & !isNan(a))`,
    reference: (a, _b, s, t) => Math.min(Math.max(a, s), t),
  },
  affine: { arity: 1, forward: "a * p.s + T(p.t)", da: "g * p.s", reference: (a, _b, s, t) => a * s + t },
  rdiv: {
    arity: 1,
    forward: "T(p.s) / a",
    da: "-g * T(p.s) / (a * a)",
    reference: (a, _b, s) => s / a,
  },
  powScalar: {
    arity: 1,
    forward: "power(a, T(p.s))",
    da: `select(g * (p.s * power(a, T(p.s - 1.0))), ${zero}, T(p.s) == ${zero})`,
    reference: (a, _b, s) => powerReference(a, s),
  },
  add: { arity: 2, forward: "a + b", da: "g", db: "g", reference: (a, b) => a + b },
  sub: { arity: 2, forward: "a - b", da: "g", db: "-g", reference: (a, b) => a - b },
  mul: { arity: 2, forward: "a * b", da: "g * b", db: "g * a", reference: (a, b) => a * b },
  div: {
    arity: 2,
    forward: "a / b",
    da: "g / b",
    db: "-g * a / (b * b)",
    reference: (a, b) => a / b,
  },
  pow: {
    arity: 2,
    forward: "power(a, b)",
    da: `select(g * (b * power(a, b - ${one})), ${zero}, b == ${zero})`,
    db: "g * powerSlope(a, b)",
    reference: powerReference,
  },
  maximum: {
    arity: 2,
    forward: `select(max(a, b), a + b, ${EITHER_NAN})`,
    da: `select(select(select(${zero}, g * 0.5, a == b), g, a > b), g, ${EITHER_NAN})`,
    db: `select(select(select(${zero}, g * 0.5, a == b), g, b > a), g, ${EITHER_NAN})`,
    reference: (a, b) => Math.max(a, b),
  },
  minimum: {
    arity: 2,
    forward: `select(min(a, b), a + b, ${EITHER_NAN})`,
    da: `select(select(select(${zero}, g * 0.5, a == b), g, a < b), g, ${EITHER_NAN})`,
    db: `select(select(select(${zero}, g * 0.5, a == b), g, b < a), g, ${EITHER_NAN})`,
    reference: (a, b) => Math.min(a, b),
  },
  // Has no gradient: the places that share the gradient of a maximum.
  equal: {
    arity: 2,
    forward: `select(${zero}, ${one}, (a == b) | (isNan(a) & isNan(b)))`,
    reference: (a, b) => Number(Object.is(a, b) || a === b),
  },
  eq: {
    arity: 2,
    gives: "int32",
    forward: `select(R(0), R(1), (a == b) & !(${EITHER_NAN}))`,
    reference: (a, b) => Number(a === b),
  },
  eqInt: {
    arity: 2,
    takes: "int32",
    gives: "int32",
    forward: "select(R(0), R(1), a == b)",
    reference: (a, b) => Number(a === b),
  },
  // WGSL converts towards zero; above the range it gives the largest float below 2^31.
  toInt: {
    arity: 1,
    gives: "int32",
    forward: "select(select(R(a), R(0x7fffffff), a >= T(2147483648.0)), R(0), isNan(a))",
    reference: (a) => Math.min(Math.max(Math.trunc(a), -(2 ** 31)), 2 ** 31 - 1) || 0,
  },
  toFloat: { arity: 1, takes: "int32", forward: "R(a)", reference: (a) => Math.fround(a) },
} as const satisfies Record<string, PointwiseRow>;

export type PointwiseName = keyof typeof pointwise;
