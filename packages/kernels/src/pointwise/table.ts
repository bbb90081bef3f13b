/**
 * One row an op. Expressions are WGSL over the type T (f32 or vec4f) with the names a, b (inputs), y (output), g
 * (gradient of y) and the numbers p.s, p.t. `da`, `db` are the gradients; `saves` says what they read. WGSL lets max, min, clamp and comparisons
 * take any view of NaN: `isNan(x)` reads the bits, and a row that uses them says with it what NaN gives.
 */
export interface PointwiseRow {
  readonly arity: 1 | 2;
  readonly forward: string;
  readonly da?: string;
  readonly db?: string;
  readonly saves?: readonly ("a" | "b" | "y")[];
  /** The same in float64, for tests. */
  readonly reference: (a: number, b: number, s: number, t: number) => number;
}

const zero = "T(0.0)";
const one = "T(1.0)";
/** WGSL's pow is undefined for negative bases; small integer exponents are exact products there. */
const POWER = "power(a, b)";
const EITHER_NAN = "isNan(a) | isNan(b)";

export const pointwise = {
  relu: {
    arity: 1,
    forward: `select(max(a, ${zero}), a, isNan(a))`,
    da: `select(${zero}, g, (y > ${zero}) | isNan(y))`,
    saves: ["y"],
    reference: (a) => Math.max(a, 0),
  },
  relu6: {
    arity: 1,
    forward: `select(clamp(a, ${zero}, T(6.0)), a, isNan(a))`,
    da: `select(${zero}, g, ((y > ${zero}) & (y < T(6.0))) | isNan(y))`,
    saves: ["y"],
    reference: (a) => Math.min(Math.max(a, 0), 6),
  },
  leakyRelu: {
    arity: 1,
    forward: `select(a * p.s, a, a > ${zero})`,
    da: `select(g * p.s, g, a > ${zero})`,
    saves: ["a"],
    reference: (a, _b, s) => (a > 0 ? a : a * s),
  },
  sigmoid: {
    arity: 1,
    forward: `${one} / (${one} + exp(-a))`,
    da: `g * y * (${one} - y)`,
    saves: ["y"],
    reference: (a) => 1 / (1 + Math.exp(-a)),
  },
  exp: { arity: 1, forward: "exp(a)", da: "g * y", saves: ["y"], reference: (a) => Math.exp(a) },
  log: { arity: 1, forward: "log(a)", da: "g / a", saves: ["a"], reference: (a) => Math.log(a) },
  sqrt: { arity: 1, forward: "sqrt(a)", da: `g / (y + y)`, saves: ["y"], reference: (a) => Math.sqrt(a) },
  neg: { arity: 1, forward: "-a", da: "-g", reference: (a) => -a },
  clamp: {
    arity: 1,
    forward: "select(min(max(a, T(p.s)), T(p.t)), a, isNan(a))",
    da: `select(${zero}, g, (a >= T(p.s)) & (a <= T(p.t)) & !isNan(a))`,
    saves: ["a"],
    reference: (a, _b, s, t) => Math.min(Math.max(a, s), t),
  },
  affine: { arity: 1, forward: "a * p.s + T(p.t)", da: "g * p.s", reference: (a, _b, s, t) => a * s + t },
  rdiv: {
    arity: 1,
    forward: "T(p.s) / a",
    da: "-g * T(p.s) / (a * a)",
    saves: ["a"],
    reference: (a, _b, s) => s / a,
  },
  powScalar: {
    arity: 1,
    forward: "power(a, T(p.s))",
    da: "g * p.s * power(a, T(p.s - 1.0))",
    saves: ["a"],
    reference: (a, _b, s) => a ** s,
  },
  add: { arity: 2, forward: "a + b", da: "g", db: "g", reference: (a, b) => a + b },
  sub: { arity: 2, forward: "a - b", da: "g", db: "-g", reference: (a, b) => a - b },
  mul: { arity: 2, forward: "a * b", da: "g * b", db: "g * a", saves: ["a", "b"], reference: (a, b) => a * b },
  div: {
    arity: 2,
    forward: "a / b",
    da: "g / b",
    db: "-g * a / (b * b)",
    saves: ["a", "b"],
    reference: (a, b) => a / b,
  },
  pow: {
    arity: 2,
    forward: POWER,
    da: "g * b * power(a, b - T(1.0))",
    db: `select(${zero}, g * ${POWER} * log(a), a > ${zero})`,
    saves: ["a", "b"],
    reference: (a, b) => a ** b,
  },
  maximum: {
    arity: 2,
    forward: `select(max(a, b), a + b, ${EITHER_NAN})`,
    da: `select(select(select(${zero}, g * 0.5, a == b), g, a > b), g, ${EITHER_NAN})`,
    db: `select(select(select(${zero}, g * 0.5, a == b), g, b > a), g, ${EITHER_NAN})`,
    saves: ["a", "b"],
    reference: (a, b) => Math.max(a, b),
  },
  minimum: {
    arity: 2,
    forward: `select(min(a, b), a + b, ${EITHER_NAN})`,
    da: `select(select(select(${zero}, g * 0.5, a == b), g, a < b), g, ${EITHER_NAN})`,
    db: `select(select(select(${zero}, g * 0.5, a == b), g, b < a), g, ${EITHER_NAN})`,
    saves: ["a", "b"],
    reference: (a, b) => Math.min(a, b),
  },
  // Has no gradient: the places that share the gradient of a maximum.
  equal: {
    arity: 2,
    forward: `select(${zero}, ${one}, (a == b) | (isNan(a) & isNan(b)))`,
    reference: (a, b) => Number(Object.is(a, b) || a === b),
  },
} as const satisfies Record<string, PointwiseRow>;

export type PointwiseName = keyof typeof pointwise;
