import { atMost, CHANNELS_LAST, opCase } from "../cases.js";
import { type LrnGeometry, planLocalResponseNorm, planLocalResponseNormBackward } from "./plan.js";
import { localResponseNorm } from "./reference.js";

interface Settings {
  readonly N: number;
  readonly C: number;
  readonly H: number;
  readonly W: number;
  readonly size: number;
}

/** Those of AlexNet. */
const RULE = { alpha: 1e-4, beta: 0.75, k: 1 };

const geometryOf = ({ N, C, H, W, size }: Settings): LrnGeometry => ({
  ...{ count: N * C * H * W, channels: C, size, ...RULE },
});

export const cases = [
  opCase({
    name: "localResponseNorm",
    choices: { N: 1, C: 96, H: 55, W: 55, size: 5 },
    small: (s) => atMost(s, { N: 2, C: 16, H: 6, W: 6 }),
    operands({ N, C, H, W }) {
      const x = { shape: [N, C, H, W], order: CHANNELS_LAST };
      return { x: { ...x, given: "normal" }, y: x, d: x, dy: { ...x, given: "normal" }, dx: x };
    },
    plans: [
      {
        name: "forward",
        plan: (s, caps) => planLocalResponseNorm(geometryOf(s), caps),
        expected: ({ size }, { x }) => ({ y: localResponseNorm(x!, { size, ...RULE }) }),
      },
      {
        name: "gradient of x",
        plan: (s, caps) => planLocalResponseNormBackward(geometryOf(s), caps),
        gradients: { dx: "x" },
      },
    ],
  }),
];
