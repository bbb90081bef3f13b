// Elementary functions of one operand.

import { circular, erfinvReference, exponentialLess1, inverseErrorFunction, logOf1And } from "./functions.js";
import { row } from "./row.js";

/** Half to even. */
function roundReference(a: number): number {
  const below = Math.floor(a);
  if (a - below !== 0.5) return Math.round(a);
  return below % 2 === 0 ? below : below + 1;
}

/** e^x (torch.exp); infinity above about 88.7. */
export const exp = /* @__PURE__ */ row("exp", {
  arity: 1,
  forward: "exp(a)",
  da: "g * y",
  reference: (a) => Math.exp(a),
});

/** Natural logarithm (torch.log); -infinity at 0, NaN below. */
export const log = /* @__PURE__ */ row("log", {
  arity: 1,
  forward: "log(a)",
  da: "g / a",
  reference: (a) => Math.log(a),
});

/** Square root (torch.sqrt); NaN below 0. */
export const sqrt = /* @__PURE__ */ row("sqrt", {
  arity: 1,
  forward: "sqrt(a)",
  da: "g / (y + y)",
  reference: (a) => Math.sqrt(a),
});

/** 1 / sqrt(x) (torch.rsqrt); infinity at 0, NaN below. */
export const rsqrt = /* @__PURE__ */ row("rsqrt", {
  arity: 1,
  forward: "inverseSqrt(a)",
  da: "T(-0.5) * g * y * y * y",
  reference: (a) => 1 / Math.sqrt(a),
});

/** x * x (torch.square). int32 too. */
export const square = /* @__PURE__ */ row("square", {
  arity: 1,
  forward: "a * a",
  integer: "a * a",
  da: "g * (a + a)",
  reference: (a) => a * a,
});

/** e^x - 1, exact near 0 too (torch.expm1). */
export const expm1 = /* @__PURE__ */ row("expm1", {
  arity: 1,
  calls: [exponentialLess1],
  forward: "exponentialLess1(a)",
  da: "g * exp(a)",
  reference: (a) => Math.expm1(a),
});

/** Natural logarithm of 1 + x, exact near 0 too (torch.log1p); -infinity at -1, NaN below. */
export const log1p = /* @__PURE__ */ row("log1p", {
  arity: 1,
  calls: [logOf1And],
  forward: "logOf1And(a)",
  da: "g / (T(1.0) + a)",
  reference: (a) => Math.log1p(a),
});

/** The x with erf(x) = a (torch.erfinv): infinity at 1, -infinity at -1, NaN beyond. */
export const erfinv = /* @__PURE__ */ row("erfinv", {
  arity: 1,
  calls: [inverseErrorFunction],
  forward: "select(inverseErrorFunction(a), a, isNan(a))",
  da: "g * T(0.886226925) * exp(y * y)",
  reference: (a) => erfinvReference(a),
});

/** Sine of x in radians (torch.sin), exact to float32 for |x| up to about 30,000. */
export const sin = /* @__PURE__ */ row("sin", {
  arity: 1,
  calls: [circular],
  forward: "circular(a, T(0.0))",
  da: "g * circular(a, T(1.0))",
  reference: (a) => Math.sin(a),
});

/** Cosine of x in radians (torch.cos), exact to float32 for |x| up to about 30,000. */
export const cos = /* @__PURE__ */ row("cos", {
  arity: 1,
  calls: [circular],
  forward: "circular(a, T(1.0))",
  da: "-g * circular(a, T(0.0))",
  reference: (a) => Math.cos(a),
});

/** |x| (torch.abs). int32 too. The gradient at 0 is 0. */
export const abs = /* @__PURE__ */ row("abs", {
  arity: 1,
  forward: "abs(a)",
  integer: "abs(a)",
  da: "select(g * sign(a), T(0.0), isNan(a))",
  reference: (a) => Math.abs(a),
});

/** -1, 0 or 1 by the sign of x (torch.sign); 0 for NaN. int32 too. The gradient is 0. */
export const sign = /* @__PURE__ */ row("sign", {
  arity: 1,
  forward: "select(sign(a), T(0.0), isNan(a))",
  integer: "sign(a)",
  da: "T(0.0)",
  reference: (a) => Math.sign(a) || 0,
});

/** The largest whole number that is not above x (torch.floor). The gradient is 0. */
export const floor = /* @__PURE__ */ row("floor", {
  arity: 1,
  forward: "floor(a)",
  da: "T(0.0)",
  reference: (a) => Math.floor(a),
});

/** The smallest whole number that is not below x (torch.ceil). The gradient is 0. */
export const ceil = /* @__PURE__ */ row("ceil", {
  arity: 1,
  forward: "ceil(a)",
  da: "T(0.0)",
  reference: (a) => Math.ceil(a),
});

/** The nearest whole number, of two equally near ones the even one (torch.round). The gradient is 0. */
export const round = /* @__PURE__ */ row("round", {
  arity: 1,
  forward: "round(a)",
  da: "T(0.0)",
  reference: roundReference,
});
