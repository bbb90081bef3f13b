// The activations of nets.

import {
  bent,
  erfReference,
  errorFunction,
  exponentialLess1,
  hyperbolicTangent,
  logExp,
  logistic,
} from "./functions.js";
import { row } from "./row.js";

const softplusReference = (a: number): number => Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a)));
const logisticReference = (a: number): number => 1 / (1 + Math.exp(-a));

/**
 * max(x, 0) (torch.relu). NaN stays NaN. x is float32 or float16 of any shape, the result has its shape and dtype.
 * Throws `invalid-dtype` for another type. So do all ops of one operand.
 */
export const relu = /* @__PURE__ */ row("relu", {
  arity: 1,
  forward: "select(max(a, T(0.0)), a, isNan(a))",
  da: "select(T(0.0), g, (y > T(0.0)) | isNan(y))",
  reference: (a) => Math.max(a, 0),
});

/** min(max(x, 0), 6) (torch.nn.functional.relu6). */
export const relu6 = /* @__PURE__ */ row("relu6", {
  arity: 1,
  forward: "select(clamp(a, T(0.0), T(6.0)), a, isNan(a))",
  da: "select(T(0.0), g, ((y > T(0.0)) & (y < T(6.0))) | isNan(y))",
  reference: (a) => Math.min(Math.max(a, 0), 6),
});

export const leakyRelu = /* @__PURE__ */ row("leakyRelu", {
  arity: 1,
  forward: "select(a * p.s, a, a > T(0.0))",
  da: "select(g * p.s, g, a > T(0.0))",
  reference: (a, _b, s) => (a > 0 ? a : a * s),
});

/** 1 / (1 + e^-x) (torch.sigmoid). */
export const sigmoid = /* @__PURE__ */ row("sigmoid", {
  arity: 1,
  forward: "T(1.0) / (T(1.0) + exp(-a))",
  da: "g * y * (T(1.0) - y)",
  reference: (a) => 1 / (1 + Math.exp(-a)),
});

/** The hyperbolic tangent (torch.tanh). */
export const tanh = /* @__PURE__ */ row("tanh", {
  arity: 1,
  calls: [hyperbolicTangent],
  forward: "select(hyperbolicTangent(a), a, isNan(a))",
  da: "g * (T(1.0) - y * y)",
  reference: (a) => Math.tanh(a),
});

export const gelu = /* @__PURE__ */ row("gelu", {
  arity: 1,
  calls: [errorFunction],
  forward: "T(0.5) * a * (T(1.0) + errorFunction(a * 0.7071067811865476))",
  da:
    "g * (T(0.5) * (T(1.0) + errorFunction(a * 0.7071067811865476)) " +
    "+ a * (0.3989422804014327 * exp(T(-0.5) * a * a)))",
  reference: (a) => 0.5 * a * (1 + erfReference(a * Math.SQRT1_2)),
});

export const geluTanh = /* @__PURE__ */ row("geluTanh", {
  arity: 1,
  calls: [bent],
  forward: "T(0.5) * a * (T(1.0) + bent(a))",
  da:
    "g * (T(0.5) * (T(1.0) + bent(a)) + T(0.5) * a * (T(1.0) - bent(a) * bent(a)) " +
    "* (0.7978845608028654 * (T(1.0) + 3.0 * 0.044715 * a * a)))",
  reference: (a) => 0.5 * a * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (a + 0.044715 * a ** 3))),
});

/** x * sigmoid(x), also called swish (torch.nn.functional.silu). */
export const silu = /* @__PURE__ */ row("silu", {
  arity: 1,
  calls: [logistic],
  forward: "a / (T(1.0) + exp(-a))",
  da: "g * (logistic(a) * (T(1.0) + a * (T(1.0) - logistic(a))))",
  reference: (a) => a * logisticReference(a),
});

/** x * min(max(x + 3, 0), 6) / 6 (torch.nn.functional.hardswish). */
export const hardswish = /* @__PURE__ */ row("hardswish", {
  arity: 1,
  forward: "a * clamp(a + T(3.0), T(0.0), T(6.0)) / T(6.0)",
  da: "select(select(g * (a / T(3.0) + T(0.5)), T(0.0), a < T(-3.0)), g, a >= T(3.0))",
  reference: (a) => (a * Math.min(Math.max(a + 3, 0), 6)) / 6,
});

/** min(max(x + 3, 0), 6) / 6 (torch.nn.functional.hardsigmoid). NaN stays NaN. */
export const hardsigmoid = /* @__PURE__ */ row("hardsigmoid", {
  arity: 1,
  forward: "select(clamp(a + T(3.0), T(0.0), T(6.0)) / T(6.0), a, isNan(a))",
  da: "select(T(0.0), g / T(6.0), (a > T(-3.0)) & (a < T(3.0)) & !isNan(a))",
  reference: (a) => Math.min(Math.max(a + 3, 0), 6) / 6,
});

export const softplus = /* @__PURE__ */ row("softplus", {
  arity: 1,
  calls: [logExp, logistic],
  forward: "select(logExp(a * p.s) / p.s, a, a * p.s > T(p.t))",
  da: "select(g * logistic(a * p.s), g, a * p.s > T(p.t))",
  reference: (a, _b, s, t) => (a * s > t ? a : softplusReference(a * s) / s),
});

export const elu = /* @__PURE__ */ row("elu", {
  arity: 1,
  calls: [exponentialLess1],
  forward: "select(p.s * exponentialLess1(a), a, a > T(0.0))",
  da: "select(g * (p.s * exp(a)), g, a > T(0.0))",
  reference: (a, _b, s) => (a > 0 ? a : s * Math.expm1(a)),
});
