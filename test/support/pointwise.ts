import type { PointwiseName, pointwise } from "@fcn/kernels";
import * as t from "@fcn/tensor";

/** A call of a public function that computes a row of the table. */
export interface Use {
  readonly call: (a: t.Tensor, b: t.Tensor) => t.Tensor;
  readonly s?: number;
  readonly t?: number;
  /** Range of the inputs; default [-2, 2). */
  readonly range?: readonly [number, number];
}

const POSITIVE = [0.3, 3] as const;
/** Halves may lie on the kinks of hardswish and hardsigmoid at -3 and 3, where no slope is defined. */
const BETWEEN_KINKS = [
  [-5, -3.1],
  [-2.9, 2.9],
  [3.1, 5],
] as const;
/** Rows with a gradient; `copy` and `where` have tests of their own. */
export type RowName = Exclude<
  { [K in PointwiseName]: (typeof pointwise)[K] extends { da: string } ? K : never }[PointwiseName],
  "copy" | "where"
>;
/** How the public functions use each row; the type makes a row without a use a compile error. */
export const uses: Record<RowName, readonly Use[]> = {
  relu: [{ call: t.relu }],
  relu6: [{ call: t.relu6, range: [-4, 10] }],
  leakyRelu: [{ call: (a) => t.leakyRelu(a, 0.2), s: 0.2 }],
  sigmoid: [{ call: t.sigmoid, range: [-8, 8] }],
  exp: [{ call: t.exp }],
  log: [{ call: t.log, range: POSITIVE }],
  sqrt: [{ call: t.sqrt, range: POSITIVE }],
  neg: [{ call: t.neg }],
  tanh: [{ call: t.tanh }, { call: t.tanh, range: [-12, 12] }, { call: t.tanh, range: [-1e-3, 1e-3] }],
  gelu: [{ call: (a) => t.gelu(a) }, { call: (a) => t.gelu(a), range: [-7, 7] }],
  geluTanh: [{ call: (a) => t.gelu(a, { approximate: "tanh" }), range: [-5, 5] }],
  silu: [{ call: t.silu, range: [-8, 8] }],
  hardswish: BETWEEN_KINKS.map((range) => ({ call: t.hardswish, range })),
  hardsigmoid: BETWEEN_KINKS.map((range) => ({ call: t.hardsigmoid, range })),
  softplus: [
    { call: (a) => t.softplus(a), s: 1, t: 20, range: [-9, 19] },
    { call: (a) => t.softplus(a), s: 1, t: 20, range: [21, 30] },
    { call: (a) => t.softplus(a, { beta: 2, threshold: 3 }), s: 2, t: 3, range: [-2, 1.4] },
    { call: (a) => t.softplus(a, { beta: 2, threshold: 3 }), s: 2, t: 3, range: [1.6, 3] },
  ],
  elu: [
    { call: (a) => t.elu(a), s: 1 },
    { call: (a) => t.elu(a, { alpha: 0.3 }), s: 0.3, range: [-9, 2] },
  ],
  rsqrt: [{ call: t.rsqrt, range: POSITIVE }],
  square: [{ call: t.square }],
  expm1: [{ call: t.expm1 }, { call: t.expm1, range: [-1e-3, 1e-3] }],
  log1p: [
    { call: t.log1p, range: [-0.9, 3] },
    { call: t.log1p, range: [-1e-3, 1e-3] },
  ],
  erfinv: [
    { call: t.erfinv, range: [-0.9, 0.9] },
    { call: t.erfinv, range: [-1e-3, 1e-3] },
  ],
  sin: [{ call: t.sin }, { call: t.sin, range: [-300, 300] }],
  cos: [{ call: t.cos }, { call: t.cos, range: [-300, 300] }],
  abs: [{ call: t.abs }],
  sign: [{ call: t.sign }],
  floor: [{ call: t.floor }],
  ceil: [{ call: t.ceil }],
  round: [{ call: t.round, range: [-9, 9] }],
  clamp: [{ call: (a) => t.clamp(a, { min: -0.5, max: 0.75 }), s: -0.5, t: 0.75 }],
  affine: [
    { call: (a) => t.add(a, 1.5), s: 1, t: 1.5 },
    { call: (a) => t.sub(a, 1.5), s: 1, t: -1.5 },
    { call: (a) => t.sub(1.5, a), s: -1, t: 1.5 },
    { call: (a) => t.mul(2.5, a), s: 2.5, t: 0 },
    { call: (a) => t.div(a, 8), s: 1 / 8, t: 0 },
  ],
  rdiv: [{ call: (a) => t.div(3, a), s: 3, range: POSITIVE }],
  powScalar: [
    { call: (a) => t.pow(a, 2), s: 2 },
    { call: (a) => t.pow(a, 3), s: 3 },
    { call: (a) => t.pow(a, -1.5), s: -1.5, range: POSITIVE },
  ],
  add: [{ call: t.add }],
  sub: [{ call: t.sub }],
  mul: [{ call: t.mul }],
  div: [{ call: t.div, range: POSITIVE }],
  pow: [{ call: t.pow, range: POSITIVE }],
  maximum: [{ call: t.maximum }],
  minimum: [{ call: t.minimum }],
};
