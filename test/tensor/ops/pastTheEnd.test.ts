import {
  type Capabilities,
  type Plan,
  planAveragePool2d,
  planAveragePool2dBackward,
  planColumnSum,
  planCrossEntropy,
  planExpand,
  planInterpolate,
  planInterpolateBackward,
  planLocalResponseNorm,
  planMax,
  planMaxPool2d,
  planSoftmax,
  planSoftmaxBackward,
  planSum,
} from "@fcn/kernels";
import * as t from "@fcn/tensor";
import { runPlan } from "@fcn/tensor/internal";
import { afterAll, beforeAll, expect, it } from "vitest";
import { random } from "../../support/nd.js";

let device: t.Device;
beforeAll(async () => {
  device = await t.createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

type Sizes = Readonly<Record<string, number>>;
type Planner = (caps: Capabilities) => Plan | undefined;

const lines = { outer: 5, size: 3, inner: 7 };
const dims = [
  { size: 3, reduced: true },
  { size: 35, reduced: false },
];
const pool = {
  ...{ n: 1, channels: 1, inH: 15, inW: 7, outH: 5, outW: 7 },
  ...{ kernelH: 3, kernelW: 1, strideH: 3, strideW: 1, padH: 0, padW: 0, dilationH: 1, dilationW: 1 },
};
const scaling = {
  ...{ n: 1, channels: 1, inH: 5, inW: 7, outH: 15, outW: 7 },
  ...({ scaleH: 1 / 3, scaleW: 1, mode: "bilinear", alignCorners: false } as const),
};
const lrn = { count: 105, channels: 5, size: 3, alpha: 0.5, beta: 0.75, k: 1 };
const loss = { pixels: 35, classes: 3, ignoreIndex: 255, weighted: false, reduction: "none" } as const;

/** Plans with the sizes of the operands that they read and of those that they write, none in whole workgroups. */
const CASES: readonly (readonly [string, Planner, Sizes, Sizes])[] = [
  ["softmax", (caps) => planSoftmax(lines, false, caps), { x: 105 }, { y: 105 }],
  ["the gradient of softmax", (caps) => planSoftmaxBackward(lines, false, caps), { y: 105, dy: 105 }, { dx: 105 }],
  ["a sum", (caps) => planSum(dims, 1, caps), { x: 105 }, { y: 35 }],
  ["a sum over rows in slices", (caps) => planColumnSum(68, 5, caps), { x: 340 }, { y: 5 }],
  ["a maximum", (caps) => planMax(dims, { values: true, indices: false }, caps), { x: 105 }, { y: 35 }],
  ["the gradient of a sum", (caps) => planExpand(dims, 1, false, caps), { dy: 35 }, { dx: 105 }],
  ["max pooling", (caps) => planMaxPool2d(pool, false, caps), { x: 105 }, { y: 35 }],
  ["average pooling", (caps) => planAveragePool2d(pool, true, caps), { x: 105 }, { y: 35 }],
  ["the gradient of it", (caps) => planAveragePool2dBackward(pool, true, caps), { dy: 35 }, { dx: 105 }],
  ["resampling", (caps) => planInterpolate(scaling, caps), { x: 35 }, { y: 105 }],
  ["the gradient of resampling", (caps) => planInterpolateBackward(scaling, caps), { dy: 105 }, { dx: 35 }],
  ["response normalisation", (caps) => planLocalResponseNorm(lrn, caps), { x: 105 }, { y: 105, d: 105 }],
  ["cross-entropy", (caps) => planCrossEntropy(loss, caps), { logits: 105, target: 35 }, { lse: 35, y: 35 }],
];

/** Elements that operands have and the plan knows nothing of. */
const MORE = 100;
const BEFORE = 7;

/** The operands that a plan writes, which have so many elements more than it knows of and were filled with 7. */
function written(planned: Planner, reads: Sizes, writes: Sizes, more: number): Promise<number[][]> {
  return device.scope(async () => {
    const inputs = Object.entries(reads).map(([name, size], i) => {
      const values = random([size + more], 11 + i).data;
      const isLabel = name === "target";
      const data = isLabel ? Int32Array.from(values, (v) => (v > 0 ? 1 : 2)) : Float32Array.from(values);
      return [name, device.tensor(data, [data.length], { dtype: isLabel ? "int32" : "float32" })] as const;
    });
    const outputs = Object.entries(writes).map(([name, size]) => [name, device.full([size + more], BEFORE)] as const);
    const operands: Record<string, t.Tensor> = Object.fromEntries([...inputs, ...outputs]);
    runPlan(device, "plan", planned(device.capabilities), operands);
    return Promise.all(outputs.map(async ([, y]) => Array.from(await y.data())));
  });
}

it.each(CASES)("%s writes its own elements and none after them", async (_, planned, reads, writes) => {
  const exact = await written(planned, reads, writes, 0);
  expect(exact.flat()).not.toContain(BEFORE);
  const rest = new Array<number>(MORE).fill(BEFORE);
  expect(await written(planned, reads, writes, MORE)).toEqual(exact.map((values) => [...values, ...rest]));
});

it("batch normalisation in evaluation knows each channel's statistics, as many as end within a workgroup", async () => {
  for (const channels of [1, 63, 64, 65, 130]) {
    const of = (seed: number, low: number): number[] => Array.from(random([channels], seed, low, 3).data);
    const [x, mean, variance] = [of(1, -3), of(2, -3), of(3, 0.5)];
    const values = await device.scope(() => {
      const [runningMean, runningVar] = [device.tensor(mean), device.tensor(variance)];
      return t.batchNorm(device.tensor(x, [1, channels, 1, 1]), { runningMean, runningVar, eps: 0.1 }).data();
    });
    x.forEach((v, c) => {
      expect(values[c]).toBeCloseTo((v - mean[c]!) / Math.sqrt(variance[c]! + 0.1), 5);
    });
  }
});
