import { atMost, opCase } from "../cases.js";
import { planExpand, planMax, planSum, type ReductionDim } from "./plan.js";
import { reduce } from "./reference.js";

interface Settings {
  readonly outer: number;
  readonly size: number;
  readonly inner: number;
}

const choices = { outer: 64, size: 3136, inner: 1 } as const;

/** Reduced along `size`. */
const dimsOf = ({ outer, size, inner }: Settings): ReductionDim[] => [
  { size: outer, reduced: false },
  { size, reduced: true },
  { size: inner, reduced: false },
];

const small = <S extends Settings>(s: S): S => ({ ...s, ...atMost<Settings>(s, { outer: 8, size: 100, inner: 8 }) });

function operandsOf({ outer, size, inner }: Settings) {
  const [x, y] = [{ shape: [outer, size, inner] }, { shape: [outer, inner] }];
  return { x: { ...x, given: "normal" }, y, dy: { ...y, given: "normal" }, dx: x } as const;
}

export const cases = [
  opCase({
    name: "sum",
    choices,
    small,
    operands: operandsOf,
    plans: [
      {
        name: "forward",
        plan: (s, caps) => planSum(dimsOf(s), 1, caps),
        expected: (_, { x }) => ({ y: reduce(x!, [1], false, (values) => values.reduce((a, b) => a + b, 0)) }),
      },
      {
        name: "gradient of x",
        plan: (s, caps) => planExpand(dimsOf(s), 1, false, caps),
        gradients: { dx: "x" },
      },
    ],
  }),
  opCase({
    name: "max",
    choices,
    small,
    operands: (s) => ({ ...operandsOf(s), index: { shape: [s.outer, s.inner], dtype: "int32" } }),
    plans: [
      {
        name: "forward, with the places of the maxima",
        plan: (s, caps) => planMax(dimsOf(s), { values: true, indices: true }, caps),
        expected: (_, { x }) => ({ y: reduce(x!, [1], false, (values) => Math.max(...values)) }),
      },
      {
        name: "gradient of x",
        plan: (s, caps) => planExpand(dimsOf(s), 1, true, caps),
        gradients: { dx: "x" },
      },
    ],
  }),
];
