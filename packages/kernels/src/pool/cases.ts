import { atMost, CHANNELS_LAST, opCase } from "../cases.js";
import { planAdaptiveAveragePool2d, planAdaptiveAveragePool2dBackward } from "./adaptive.js";
import {
  type Pool2dGeometry,
  planAveragePool2d,
  planAveragePool2dBackward,
  planMaxPool2d,
  planMaxPool2dBackward,
  poolOutputSize,
} from "./plan.js";
import { adaptiveAvgPool, avgPool, maxPool } from "./reference.js";

const choices = {
  N: 1,
  C: 64,
  H: 112,
  W: 112,
  kernel: 2,
  stride: 2,
  padding: 0,
  dilation: 1,
  ceilMode: false,
} as const;
type Window = Readonly<Record<Exclude<keyof typeof choices, "ceilMode">, number>> & { readonly ceilMode: boolean };

function geometryOf({ N, C, H, W, kernel, stride, padding, dilation, ceilMode }: Window): Pool2dGeometry {
  const out = (size: number) => poolOutputSize(size, kernel, stride, [padding, padding], dilation, ceilMode);
  return {
    ...{ n: N, channels: C, inH: H, inW: W, outH: out(H), outW: out(W), kernelH: kernel, kernelW: kernel },
    ...{ strideH: stride, strideW: stride, padH: padding, padW: padding, dilationH: dilation, dilationW: dilation },
  };
}

function problem(s: Window): string | undefined {
  const { outH, outW } = geometryOf(s);
  const half = Math.floor((s.dilation * (s.kernel - 1) + 1) / 2);
  if (s.padding > half) return `padding = ${s.padding} is more than half of the window, ${half}`;
  return Math.min(outH, outW) < 1 ? "the window does not fit into the padded image" : undefined;
}

const small = <S extends Window>(s: S): S => {
  const side = Math.max(13, s.dilation * (s.kernel - 1) + 2);
  return atMost<S>(s, { N: 2, C: 8, H: side, W: side } as Partial<Record<keyof S, number>>);
};

function operandsOf(x: readonly number[], y: readonly number[]) {
  const [large, little] = [
    { shape: x, order: CHANNELS_LAST },
    { shape: y, order: CHANNELS_LAST },
  ];
  return { x: { ...large, given: "normal" }, y: little, dy: { ...little, given: "normal" }, dx: large } as const;
}

const windowOperands = (s: Window) => {
  const g = geometryOf(s);
  return operandsOf([g.n, g.channels, g.inH, g.inW], [g.n, g.channels, g.outH, g.outW]);
};

const { dilation: _, ...averageChoices } = choices;
const undilated = <S extends Omit<Window, "dilation">>(s: S): S & Window => ({ ...s, dilation: 1 });

export const cases = [
  opCase({
    name: "maxPool2d",
    choices,
    small,
    problem,
    operands(s) {
      const { y, ...others } = windowOperands(s);
      return { ...others, y, index: { ...y, dtype: "int32" } };
    },
    plans: [
      {
        name: "forward",
        plan: (s, caps) => planMaxPool2d(geometryOf(s), true, caps),
        expected: (s, { x }) => ({ y: maxPool(x!, s) }),
      },
      {
        name: "gradient of x",
        plan: (s, caps) => planMaxPool2dBackward(geometryOf(s), caps),
        gradients: { dx: "x" },
      },
    ],
  }),
  opCase({
    name: "avgPool2d",
    choices: { ...averageChoices, countIncludePad: true },
    small: (s) => ({ ...s, ...small(undilated(s)) }),
    problem: (s) => problem(undilated(s)),
    operands: (s) => windowOperands(undilated(s)),
    plans: [
      {
        name: "forward",
        plan: (s, caps) => planAveragePool2d(geometryOf(undilated(s)), s.countIncludePad, caps),
        expected: (s, { x }) => ({ y: avgPool(x!, undilated(s), s.countIncludePad) }),
      },
      {
        name: "gradient of x",
        plan: (s, caps) => planAveragePool2dBackward(geometryOf(undilated(s)), s.countIncludePad, caps),
        gradients: { dx: "x" },
      },
    ],
  }),
  opCase({
    name: "adaptiveAvgPool2d",
    choices: { N: 1, C: 64, H: 56, W: 56, outH: 6, outW: 6 },
    small: (s) => atMost(s, { N: 2, C: 8, H: 15, W: 15 }),
    operands: ({ N, C, H, W, outH, outW }) => operandsOf([N, C, H, W], [N, C, outH, outW]),
    plans: [
      {
        name: "forward",
        plan: ({ N, C, H, W, outH, outW }, caps) =>
          planAdaptiveAveragePool2d({ n: N, channels: C, inH: H, inW: W, outH, outW }, caps),
        expected: ({ outH, outW }, { x }) => ({ y: adaptiveAvgPool(x!, [outH, outW]) }),
      },
      {
        name: "gradient of x",
        plan: ({ N, C, H, W, outH, outW }, caps) =>
          planAdaptiveAveragePool2dBackward({ n: N, channels: C, inH: H, inW: W, outH, outW }, caps),
        gradients: { dx: "x" },
      },
    ],
  }),
];
