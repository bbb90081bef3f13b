import { atMost, CHANNELS_LAST, opCase } from "../cases.js";
import { planNorm, planNormBackward } from "./plan.js";
import { batchNorm } from "./reference.js";

interface Settings {
  readonly N: number;
  readonly C: number;
  readonly H: number;
  readonly W: number;
}

const EPS = 1e-5;

const geometryOf = ({ N, C, H, W }: Settings) => ({
  ...{ images: 1, rows: N * H * W, channels: C, groups: C, hasWeight: true, frozen: false },
});

export const cases = [
  opCase({
    name: "batchNorm",
    choices: { N: 2, C: 64, H: 56, W: 56 },
    small: (s) => atMost(s, { N: 2, C: 8, H: 7, W: 7 }),
    operands({ N, C, H, W }) {
      const x = { shape: [N, C, H, W], order: CHANNELS_LAST };
      const vector = { shape: [C] };
      return {
        x: { ...x, given: "normal" },
        weight: { ...vector, given: "normal" },
        bias: { ...vector, given: "normal" },
        stats: { shape: [2, 1, C] },
        y: x,
        dy: { ...x, given: "normal" },
        dx: x,
        dweight: vector,
        dbias: vector,
      };
    },
    plans: [
      {
        name: "forward, by the statistics of the batch",
        plan: (s, caps) => planNorm({ ...geometryOf(s), hasBias: true, hasResidual: false, eps: EPS }, caps),
        expected: (_, { x, weight, bias }) => ({ y: batchNorm(x!, weight!, bias!, EPS) }),
      },
      {
        name: "gradients of x, weight and bias",
        plan: (s, caps) => planNormBackward({ ...geometryOf(s), input: true, parameters: true, residual: false }, caps),
        gradients: { dx: "x", dweight: "weight", dbias: "bias" },
      },
    ],
  }),
];
