import { power, powerReference } from "./power.js";
import { row } from "./row.js";

/** -x (torch.neg). int32 too. */
export const neg = /* @__PURE__ */ row("neg", {
  arity: 1,
  forward: "-a",
  integer: "-a",
  da: "-g",
  reference: (a) => -a,
});

export const clamp = /* @__PURE__ */ row("clamp", {
  arity: 1,
  forward: "select(min(max(a, T(p.s)), T(p.t)), a, isNan(a))",
  da: "select(T(0.0), g, (a >= T(p.s)) & (a <= T(p.t)) & !isNan(a))",
  reference: (a, _b, s, t) => Math.min(Math.max(a, s), t),
});

export const affine = /* @__PURE__ */ row("affine", {
  arity: 1,
  forward: "a * p.s + T(p.t)",
  da: "g * p.s",
  reference: (a, _b, s, t) => a * s + t,
});

export const rdiv = /* @__PURE__ */ row("rdiv", {
  arity: 1,
  forward: "T(p.s) / a",
  da: "-g * T(p.s) / (a * a)",
  reference: (a, _b, s) => s / a,
});

export const powScalar = /* @__PURE__ */ row("powScalar", {
  arity: 1,
  calls: [power],
  forward: "power(a, T(p.s))",
  da: "select(g * (p.s * power(a, T(p.s - 1.0))), T(0.0), T(p.s) == T(0.0))",
  reference: (a, _b, s) => powerReference(a, s),
});

/**
 * a + b (torch.add). Operands are tensors whose shapes broadcast, or one of them a number. Both are float32 or
 * float16, and the result is float16 where all tensors are; or both are int32, and so is the result, modulo 2^32.
 * Throws `invalid-shape` where the shapes do not broadcast, `invalid-dtype` for other types or an integer beside a
 * float; so do all ops of two operands.
 */
export const add = /* @__PURE__ */ row("add", {
  arity: 2,
  forward: "a + b",
  integer: "a + b",
  da: "g",
  db: "g",
  numberA: (a) => ({ row: affine, s: 1, t: a }),
  numberB: (b) => ({ row: affine, s: 1, t: b }),
  reference: (a, b) => a + b,
});

/** a - b with broadcasting (torch.sub). Operands as for {@link add}. */
export const sub = /* @__PURE__ */ row("sub", {
  arity: 2,
  forward: "a - b",
  integer: "a - b",
  da: "g",
  db: "-g",
  numberA: (a) => ({ row: affine, s: -1, t: a }),
  numberB: (b) => ({ row: affine, s: 1, t: -b }),
  reference: (a, b) => a - b,
});

/** a * b with broadcasting (torch.mul). Operands as for {@link add}. */
export const mul = /* @__PURE__ */ row("mul", {
  arity: 2,
  forward: "a * b",
  integer: "a * b",
  da: "g * b",
  db: "g * a",
  numberA: (a) => ({ row: affine, s: a }),
  numberB: (b) => ({ row: affine, s: b }),
  reference: (a, b) => a * b,
});

/**
 * a / b with broadcasting (torch.div); infinity or NaN where b is 0. Operands as for {@link add}; of int32 the
 * result is float32.
 */
export const div = /* @__PURE__ */ row("div", {
  arity: 2,
  forward: "a / b",
  promotes: true,
  da: "g / b",
  db: "-g * a / (b * b)",
  numberA: (a) => ({ row: rdiv, s: a }),
  numberB: (b) => ({ row: affine, s: 1 / b }),
  reference: (a, b) => a / b,
});

/**
 * a to the power b with broadcasting (torch.pow); NaN for a negative base under a fractional exponent. Operands
 * are floats as for {@link add}.
 */
export const pow = /* @__PURE__ */ row("pow", {
  arity: 2,
  calls: [power],
  forward: "power(a, b)",
  da: "select(g * (b * power(a, b - T(1.0))), T(0.0), b == T(0.0))",
  db: "g * powerSlope(a, b)",
  numberB: (b) => ({ row: powScalar, s: b }),
  reference: powerReference,
});

/**
 * The larger of a and b with broadcasting (torch.maximum); NaN where either is. Equal values share the gradient.
 * Operands as for {@link add}.
 */
export const maximum = /* @__PURE__ */ row("maximum", {
  arity: 2,
  forward: "select(max(a, b), a + b, isNan(a) | isNan(b))",
  integer: "max(a, b)",
  da: "select(select(select(T(0.0), g * 0.5, a == b), g, a > b), g, isNan(a) | isNan(b))",
  db: "select(select(select(T(0.0), g * 0.5, a == b), g, b > a), g, isNan(a) | isNan(b))",
  reference: (a, b) => Math.max(a, b),
});

/**
 * The smaller of a and b with broadcasting (torch.minimum); NaN where either is. Equal values share the gradient.
 * Operands as for {@link add}.
 */
export const minimum = /* @__PURE__ */ row("minimum", {
  arity: 2,
  forward: "select(min(a, b), a + b, isNan(a) | isNan(b))",
  integer: "min(a, b)",
  da: "select(select(select(T(0.0), g * 0.5, a == b), g, a < b), g, isNan(a) | isNan(b))",
  db: "select(select(select(T(0.0), g * 0.5, a == b), g, b < a), g, isNan(a) | isNan(b))",
  reference: (a, b) => Math.min(a, b),
});

// Marks the elements that share the gradient of a maximum, and has no gradient itself.
export const equal = /* @__PURE__ */ row("equal", {
  arity: 2,
  forward: "select(T(0.0), T(1.0), (a == b) | (isNan(a) & isNan(b)))",
  reference: (a, b) => Number(Object.is(a, b) || a === b),
});

export const where = /* @__PURE__ */ row("where", {
  arity: 3,
  forward: "select(b, a, c != C(0))",
  integer: "select(b, a, c != C(0))",
  da: "select(T(0.0), g, c != C(0))",
  db: "select(g, T(0.0), c != C(0))",
  // The condition is the third operand.
  reference: (a, b, c) => (c === 0 ? b : a),
});

// The same values, for operands and results of other widths.
export const copy = /* @__PURE__ */ row("copy", { arity: 1, forward: "a", da: "g", reference: (a) => a });

// WGSL rounds towards zero, and above the range gives the largest float below 2^31.
export const toInt = /* @__PURE__ */ row("toInt", {
  arity: 1,
  gives: "int32",
  forward: "select(select(R(a), R(0x7fffffff), a >= T(2147483648.0)), R(0), isNan(a))",
  reference: (a) => Math.min(Math.max(Math.trunc(a), -(2 ** 31)), 2 ** 31 - 1) || 0,
});

export const toFloat = /* @__PURE__ */ row("toFloat", {
  arity: 1,
  takes: "int32",
  forward: "R(a)",
  reference: (a) => Math.fround(a),
});
