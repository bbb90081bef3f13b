import { atMost, CHANNELS_LAST, opCase } from "../cases.js";
import { type InterpolateGeometry, interpolateScale, planInterpolate, planInterpolateBackward } from "./plan.js";
import { bilinear, nearest } from "./reference.js";

interface Settings {
  readonly N: number;
  readonly C: number;
  readonly H: number;
  readonly W: number;
  readonly outH: number;
  readonly outW: number;
  readonly mode: InterpolateGeometry["mode"];
  readonly alignCorners: boolean;
}

function geometryOf({ N, C, H, W, outH, outW, ...rule }: Settings): InterpolateGeometry {
  const [scaleH, scaleW] = [interpolateScale(H, outH, undefined, rule), interpolateScale(W, outW, undefined, rule)];
  return { n: N, channels: C, inH: H, inW: W, outH, outW, scaleH, scaleW, ...rule };
}

export const cases = [
  opCase({
    name: "interpolate",
    choices: {
      ...{ N: 1, C: 21, H: 64, W: 64, outH: 512, outW: 512 },
      mode: ["bilinear", "nearest"],
      alignCorners: false,
    },
    problem: ({ mode, alignCorners }) =>
      mode === "nearest" && alignCorners ? "alignCorners goes with mode bilinear" : undefined,
    small: (s) => atMost(s, { N: 2, C: 4, H: 8, W: 8, outH: 19, outW: 19 }),
    operands({ N, C, H, W, outH, outW }) {
      const x = { shape: [N, C, H, W], order: CHANNELS_LAST };
      const y = { shape: [N, C, outH, outW], order: CHANNELS_LAST };
      return { x: { ...x, given: "normal" }, y, dy: { ...y, given: "normal" }, dx: x };
    },
    plans: [
      {
        name: "forward",
        plan: (s, caps) => planInterpolate(geometryOf(s), caps),
        expected: ({ outH, outW, mode, alignCorners }, { x }) => ({
          y: mode === "nearest" ? nearest(x!, outH, outW) : bilinear(x!, outH, outW, alignCorners),
        }),
      },
      {
        name: "gradient of x",
        plan: (s, caps) => planInterpolateBackward(geometryOf(s), caps),
        gradients: { dx: "x" },
      },
    ],
  }),
];
