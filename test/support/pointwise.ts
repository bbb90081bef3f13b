import type { PointwiseName } from "@fcn/kernels";
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
/**
 * Rows with a gradient; `equal` is a part of that of max and tested there, those of integers have tests of their own.
 */
export type RowName = Exclude<PointwiseName, "equal" | "eq" | "eqInt" | "toInt" | "toFloat" | "copy">;
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
