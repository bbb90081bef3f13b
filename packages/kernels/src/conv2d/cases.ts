import { CHANNELS_LAST, type OperandCase, opCase, type PlanCase } from "../cases.js";
import { planColumnSum } from "../reduce/column-sum.js";
import { reduce } from "../reduce/reference.js";
import type { Conv2dGeometry } from "./geometry.js";
import { planConv2d, planConv2dWeightGradient } from "./plan.js";
import { conv2d, conv2dWeightGradient, convTranspose2d } from "./reference.js";

const choices = {
  ...{ N: 1, Cin: 64, H: 56, W: 56, Cout: 64, kernel: 3, stride: 1, padding: 1, dilation: 1, groups: 1, bias: true },
} as const;
type Settings = Readonly<Record<Exclude<keyof typeof choices, "bias">, number>> & { readonly bias: boolean };

/** Memory format of weights OIHW: H, W, I, O. */
const WEIGHT_ORDER = [2, 3, 1, 0];

/** The sizes of both sides for one channel of each. */
function sidesOf({ N, H, W, kernel, stride, padding, dilation, groups }: Settings, isTransposed: boolean) {
  const span = dilation * (kernel - 1) + 1;
  const smaller = (size: number) => Math.floor((size + 2 * padding - span) / stride) + 1;
  const larger = (size: number) => (size - 1) * stride - 2 * padding + span;
  const window = {
    ...{ n: N, kernelH: kernel, kernelW: kernel, strideH: stride, strideW: stride },
    ...{ padH: padding, padW: padding, dilationH: dilation, dilationW: dilation, groups },
  };
  return isTransposed
    ? { ...window, inH: larger(H), inW: larger(W), outH: H, outW: W }
    : { ...window, inH: H, inW: W, outH: smaller(H), outW: smaller(W) };
}

const forwardGeometry = (s: Settings): Conv2dGeometry => ({ ...sidesOf(s, false), inC: s.Cin, outC: s.Cout });
/** The larger side is that of the output. */
const transposedGeometry = (s: Settings): Conv2dGeometry => ({ ...sidesOf(s, true), inC: s.Cout, outC: s.Cin });

function problem(s: Settings, g: Conv2dGeometry): string | undefined {
  if (s.Cin % s.groups !== 0 || s.Cout % s.groups !== 0) {
    return `groups = ${s.groups} must divide Cin = ${s.Cin} and Cout = ${s.Cout}`;
  }
  const sizes = [g.inH, g.inW, g.outH, g.outW];
  return Math.min(...sizes) < 1 ? "the kernel does not fit into the padded image" : undefined;
}

const multiplyAdds = ({ n, inC, outC, outH, outW, kernelH, kernelW, groups }: Conv2dGeometry): number =>
  n * outH * outW * outC * (inC / groups) * kernelH * kernelW;

/** A few channels of few pixels, with as many groups as make no other kernel of it. */
function small(s: Settings): Settings {
  const isDepthwise = s.groups > 1 && s.groups === s.Cin && s.groups === s.Cout;
  const groups = s.groups === 1 ? 1 : isDepthwise ? 8 : 2;
  const side = Math.max(12, s.dilation * (s.kernel - 1) + 2);
  const sizes = { N: Math.min(s.N, 2), H: Math.min(s.H, side), W: Math.min(s.W, side) };
  return {
    ...s,
    ...sizes,
    groups,
    Cin: groups === 1 ? Math.min(s.Cin, 8) : 8,
    Cout: groups === 1 ? Math.min(s.Cout, 8) : 8,
  };
}

const shapeOfWeight = (g: Conv2dGeometry) => [g.outC, g.inC / g.groups, g.kernelH, g.kernelW];
const larger = (g: Conv2dGeometry) => [g.n, g.inC, g.inH, g.inW];
const smaller = (g: Conv2dGeometry) => [g.n, g.outC, g.outH, g.outW];

function operandsOf(
  g: Conv2dGeometry,
  x: readonly number[],
  y: readonly number[],
  bias: boolean,
): Record<string, OperandCase> {
  const weight = { shape: shapeOfWeight(g), order: WEIGHT_ORDER };
  const vector = { shape: [y[1] as number] };
  return {
    x: { shape: x, order: CHANNELS_LAST, given: "normal" },
    w: { ...weight, given: "normal" },
    ...(bias ? { b: { ...vector, given: "normal" } } : {}),
    db: vector,
    y: { shape: y, order: CHANNELS_LAST },
    dy: { shape: y, order: CHANNELS_LAST, given: "normal" },
    dx: { shape: x, order: CHANNELS_LAST },
    dw: weight,
  };
}

/** The gradient of the bias; its channels and pixels are those of the output. */
const biasGradient = (geometry: (s: Settings) => Conv2dGeometry, isTransposed: boolean): PlanCase<Settings> => ({
  name: "gradient of b",
  plan(s, caps) {
    const g = geometry(s);
    const [rows, channels] = isTransposed ? [g.inH * g.inW, g.inC] : [g.outH * g.outW, g.outC];
    return planColumnSum(g.n * rows, channels, caps);
  },
  operands: { x: "dy", y: "db" },
  expected: (_, { dy }) => ({ db: reduce(dy!, [0, 2, 3], false, (values) => values.reduce((a, b) => a + b, 0)) }),
});

export const cases = [
  opCase({
    name: "conv2d",
    choices,
    small,
    problem: (s) => problem(s, forwardGeometry(s)),
    operands(s) {
      const g = forwardGeometry(s);
      return operandsOf(g, larger(g), smaller(g), s.bias);
    },
    multiplyAdds: (s) => multiplyAdds(forwardGeometry(s)),
    plans: [
      {
        name: "forward",
        plan: (s, caps) => planConv2d(forwardGeometry(s), "forward", s.bias, caps),
        expected(s, { x, w, b }) {
          const g = forwardGeometry(s);
          return { y: { shape: smaller(g), data: conv2d(g, x!.data, w!.data, b?.data) } };
        },
      },
      {
        name: "gradient of x",
        plan: (s, caps) => planConv2d(forwardGeometry(s), "transposed", false, caps),
        operands: { x: "dy", y: "dx" },
        expected(s, { dy, w }) {
          const g = forwardGeometry(s);
          return { dx: { shape: larger(g), data: convTranspose2d(g, dy!.data, w!.data) } };
        },
      },
      {
        name: "gradient of w",
        plan: (s, caps) => planConv2dWeightGradient(forwardGeometry(s), caps),
        expected(s, { x, dy }) {
          const g = forwardGeometry(s);
          return { dw: { shape: shapeOfWeight(g), data: conv2dWeightGradient(g, x!.data, dy!.data) } };
        },
      },
      biasGradient(forwardGeometry, false),
    ],
  }),
  opCase({
    name: "convTranspose2d",
    choices: { ...choices, Cin: 21, H: 28, W: 28, Cout: 21, kernel: 4, stride: 2, bias: false },
    small,
    problem: (s) => problem(s, transposedGeometry(s)),
    operands(s) {
      const g = transposedGeometry(s);
      return operandsOf(g, smaller(g), larger(g), s.bias);
    },
    multiplyAdds: (s) => multiplyAdds(transposedGeometry(s)),
    plans: [
      {
        name: "forward",
        plan: (s, caps) => planConv2d(transposedGeometry(s), "transposed", s.bias, caps),
        expected(s, { x, w, b }) {
          const g = transposedGeometry(s);
          return { y: { shape: larger(g), data: convTranspose2d(g, x!.data, w!.data, b?.data) } };
        },
      },
      {
        name: "gradient of x",
        plan: (s, caps) => planConv2d(transposedGeometry(s), "forward", false, caps),
        operands: { x: "dy", y: "dx" },
        expected(s, { dy, w }) {
          const g = transposedGeometry(s);
          return { dx: { shape: smaller(g), data: conv2d(g, dy!.data, w!.data) } };
        },
      },
      {
        name: "gradient of w",
        plan: (s, caps) => planConv2dWeightGradient(transposedGeometry(s), caps),
        operands: { x: "dy", dy: "x" },
        expected(s, { x, dy }) {
          const g = transposedGeometry(s);
          return { dw: { shape: shapeOfWeight(g), data: conv2dWeightGradient(g, dy!.data, x!.data) } };
        },
      },
      biasGradient(transposedGeometry, true),
    ],
  }),
];
