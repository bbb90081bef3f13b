import { erfinvReference } from "./functions.js";
import { type PointwiseRow, zero } from "./row.js";

/** Half to even. */
function roundReference(a: number): number {
  const below = Math.floor(a);
  if (a - below !== 0.5) return Math.round(a);
  return below % 2 === 0 ? below : below + 1;
}

/** Elementary functions of one operand. */
export const elementary = {
  /** e^x (torch.exp); infinity above about 88.7. */
  exp: { arity: 1, forward: "exp(a)", da: "g * y", reference: (a) => Math.exp(a) },
  /** Natural logarithm (torch.log); -infinity at 0, NaN below. */
  log: { arity: 1, forward: "log(a)", da: "g / a", reference: (a) => Math.log(a) },
  /** Square root (torch.sqrt); NaN below 0. */
  sqrt: { arity: 1, forward: "sqrt(a)", da: `g / (y + y)`, reference: (a) => Math.sqrt(a) },
  /** 1 / sqrt(x) (torch.rsqrt); infinity at 0, NaN below. */
  rsqrt: { arity: 1, forward: "inverseSqrt(a)", da: "T(-0.5) * g * y * y * y", reference: (a) => 1 / Math.sqrt(a) },
  /** x * x (torch.square). int32 too. */
  square: { arity: 1, forward: "a * a", integer: "a * a", da: "g * (a + a)", reference: (a) => a * a },
  /** e^x - 1, exact near 0 too (torch.expm1). */
  expm1: { arity: 1, forward: "exponentialLess1(a)", da: "g * exp(a)", reference: (a) => Math.expm1(a) },
  /** Natural logarithm of 1 + x, exact near 0 too (torch.log1p); -infinity at -1, NaN below. */
  log1p: { arity: 1, forward: "logOf1And(a)", da: "g / (T(1.0) + a)", reference: (a) => Math.log1p(a) },
  /** The x with erf(x) = a (torch.erfinv): infinity at 1, -infinity at -1, NaN beyond. */
  erfinv: {
    arity: 1,
    forward: "select(inverseErrorFunction(a), a, isNan(a))",
    da: "g * T(0.886226925) * exp(y * y)",
    reference: (a) => erfinvReference(a),
  },
  /** Sine of x in radians (torch.sin), exact to float32 for |x| up to about 30,000. */
  sin: {
    arity: 1,
    forward: `circular(a, ${zero})`,
    da: "g * circular(a, T(1.0))",
    reference: (a) => Math.sin(a),
  },
  /** Cosine of x in radians (torch.cos), exact to float32 for |x| up to about 30,000. */
  cos: {
    arity: 1,
    forward: "circular(a, T(1.0))",
    da: `-g * circular(a, ${zero})`,
    reference: (a) => Math.cos(a),
  },
  /** |x| (torch.abs). int32 too. The gradient at 0 is 0. */
  abs: {
    arity: 1,
    forward: "abs(a)",
    integer: "abs(a)",
    da: `select(g * sign(a), ${zero}, isNan(a))`,
    reference: (a) => Math.abs(a),
  },
  /** -1, 0 or 1 by the sign of x (torch.sign); 0 for NaN. int32 too. The gradient is 0. */
  sign: {
    arity: 1,
    forward: `select(sign(a), ${zero}, isNan(a))`,
    integer: "sign(a)",
    da: zero,
    reference: (a) => Math.sign(a) || 0,
  },
  /** The largest whole number that is not above x (torch.floor). The gradient is 0. */
  floor: { arity: 1, forward: "floor(a)", da: zero, reference: (a) => Math.floor(a) },
  /** The smallest whole number that is not below x (torch.ceil). The gradient is 0. */
  ceil: { arity: 1, forward: "ceil(a)", da: zero, reference: (a) => Math.ceil(a) },
  /** The nearest whole number, of two equally near ones the even one (torch.round). The gradient is 0. */
  round: { arity: 1, forward: "round(a)", da: zero, reference: roundReference },
} as const satisfies Record<string, PointwiseRow>;
