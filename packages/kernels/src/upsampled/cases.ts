import { atMost, CHANNELS_LAST, opCase } from "../cases.js";
import { crossEntropy } from "../cross-entropy/reference.js";
import { planUpsampledGradient, planUpsampledLoss, type UpsampledGeometry } from "./plan.js";
import { upsampled } from "./reference.js";

interface Settings {
  readonly N: number;
  readonly C: number;
  readonly H: number;
  readonly W: number;
  readonly factor: number;
}

const LOSS = { ignoreIndex: 255, weighted: false, reduction: "mean" } as const;

/** As `interpolate` without alignCorners: output o lies at (o + 0.5) / factor - 0.5. */
const geometryOf = ({ N, C, H, W, factor }: Settings): UpsampledGeometry => ({
  ...{ n: N, channels: C, inH: H, inW: W, outH: factor * H, outW: factor * W, scaleH: 1 / factor, scaleW: 1 / factor },
  ...{ beforeH: 0.5, beforeW: 0.5, after: 0.5, clamped: true },
});

export const cases = [
  opCase({
    name: "upsampledCrossEntropy",
    choices: { N: 1, C: 21, H: 32, W: 32, factor: 8 },
    small: (s) => atMost(s, { N: 2, C: 5, H: 5, W: 5, factor: 8 }),
    operands({ N, C, H, W, factor }) {
      const scores = { shape: [N, C, H, W], order: CHANNELS_LAST };
      const pixels = [N, factor * H, factor * W];
      return {
        scores: { ...scores, given: "normal" },
        target: { shape: pixels, dtype: "int32", given: { below: C } },
        lse: { shape: pixels },
        divisor: { shape: [1] },
        y: { shape: [1] },
        dy: { shape: [1], given: "normal" },
        dx: scores,
      };
    },
    plans: [
      {
        name: "forward, the mean over the pixels",
        plan: (s, caps) => planUpsampledLoss(geometryOf(s), LOSS, caps),
        expected: (s, { scores, target }) => ({
          y: crossEntropy(upsampled(scores!, geometryOf(s)), { ...LOSS, labels: target! }),
        }),
      },
      {
        name: "gradient of the scores",
        plan: (s, caps) => planUpsampledGradient(geometryOf(s), LOSS, caps),
        gradients: { dx: "scores" },
      },
    ],
  }),
];
