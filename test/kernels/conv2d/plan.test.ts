import {
  type Conv2dGeometry,
  planConv2d,
  planConv2dWeightGradient,
  planFusedConv2d,
  UNREAD,
  unwritten,
} from "@fcn/kernels";
import { describe, expect, it } from "vitest";
import { expectGridOver, largeDevice, outline, scalar, smallDevice, soundSteps } from "../../support/plans.js";
import { depthwise, g } from "./geometries.js";

const odd = { ...g, inC: 3, outC: 5 };
const grouped = { ...g, groups: 2 };
const common = { kernelW: 2, strideH: 2, strideW: 1, padH: 1, padW: 1, dilationH: 1, dilationW: 2 };
const phases = { gcdH: 1, gcdW: 1, inverseH: 1, inverseW: 0 };
const forwardSizes = { inH: 9, inW: 7, outH: 5, outW: 7 };
const transposedSizes = { inH: 5, inW: 7, outH: 9, outW: 7 };
const noEpilogue = { HAS_NORM: false, HAS_RESIDUAL: false, ACTIVATION: 0 };
const noOrigins = { xOrigin: 0, yOrigin: 0 };

describe("the plan of a convolution", () => {
  it("is one gather over the weight as it lies", () => {
    const plan = planConv2d(g, "forward", true, largeDevice);
    expect(soundSteps(plan, largeDevice).map(outline)).toEqual([
      {
        kernel: "conv2d/gather-register",
        ...{ WG: 64, TM: 8, VEC_IN: true, VEC_OUT: true, HAS_BIAS: true, ...noEpilogue },
        ...{ ACCUMULATE: false, TRANSPOSED: false, BY_COLUMN: false },
        ...{ ...common, ...phases, ...forwardSizes, kernelH: 3, phases: 1, gridH: 5, gridW: 7 },
        ...{ tiles: 27, mTiles: 9, nTiles: 3, mBegin: 0, mEnd: 70, inC: 8, cin: 8, outC: 12, cout: 12 },
        ...{ wCols: 3, wStride: 3, wTap: 96, wOrigin: 0, rowBegin: 0, rowEnd: 48, ...noOrigins },
        operands: { x: UNREAD, x4: "x", w: "w", w1: UNREAD, bias: "b", y: unwritten("y"), y4: "y", residual: UNREAD },
        grid: [1, 1, 1],
      },
    ]);
    expect(plan?.scratch).toBeUndefined();
    expect(plan?.tunable?.key).toBe("conv2d forward 3x2 stride 2x1 dilation 1x2 channels 8-12 groups 1 pixels 64");
  });

  it("packs a weight whose groups are not whole vectors", () => {
    const plan = planConv2d({ ...odd, inC: 6, outC: 10, groups: 2 }, "forward", false, largeDevice);
    const [pack, gather, ...rest] = soundSteps(plan, largeDevice);
    expect(rest).toEqual([]);
    expect(outline(pack!)).toEqual({
      kernel: "conv2d/pack-weight",
      ...{ count: 72, rows: 3, groups: 2, cols: 5, vectors: 2, sTap: 30, sGroup: 5, sRow: 10, sCol: 1 },
      ...{ tapBegin: 0, origin: 0 },
      operands: { w: "w", packed: "packed" },
      grid: [2, 1, 1],
    });
    expect(gather).toMatchObject({
      constants: { VEC_IN: false, VEC_OUT: false, HAS_BIAS: false },
      params: { cin: 3, cout: 5, wCols: 2, wStride: 4, wTap: 30, rowEnd: 18, tiles: 36, nTiles: 2 },
      operands: { x: "x", w: "packed", w1: UNREAD, bias: UNREAD, y: "y" },
    });
    expect(plan?.scratch).toEqual({ packed: 6 * 3 * 16 * 4 });
  });

  it("in groups walks over each of them", () => {
    const [step] = soundSteps(planConv2d({ ...grouped, outC: 24 }, "forward", false, largeDevice), largeDevice);
    expect(step?.params).toMatchObject({ cin: 4, cout: 12, wCols: 3, wStride: 6, wTap: 96, tiles: 54 });
  });
});

describe("the plan of a convolution and what follows it", () => {
  const norm = { eps: 1e-5, hasWeight: true, hasShift: true };
  const all = { bias: true, norm, residual: true, activation: "relu6" } as const;
  const vectors = { runningMean: "runningMean", runningVar: "runningVar", terms: "terms" };

  it.each([g, depthwise])("brings the vectors of normalisation together first", (geometry) => {
    const plan = planFusedConv2d(geometry, "forward", all, largeDevice);
    const [terms, gather, ...rest] = soundSteps(plan, largeDevice);
    expect(rest).toEqual([]);
    expect(outline(terms!)).toEqual({
      kernel: "norm/frozen-terms",
      ...{ HAS_BIAS: true, HAS_WEIGHT: true, HAS_SHIFT: true, count: geometry.outC, eps: 1e-5 },
      operands: { ...vectors, bias: "b", weight: "weight", shift: "shift" },
      grid: [1, 1, 1],
    });
    expect(gather).toMatchObject({
      constants: { HAS_BIAS: true, HAS_NORM: true, HAS_RESIDUAL: true, ACTIVATION: 2 },
      operands: { bias: "terms", residual: "residual" },
    });
    expect(plan?.scratch).toEqual({ terms: 4 * geometry.outC * 4 });
  });

  it("binds what there is", () => {
    const bare = { ...all, bias: false, residual: false, norm: { ...norm, hasWeight: false, hasShift: false } };
    const [terms, gather] = soundSteps(planFusedConv2d(g, "forward", bare, largeDevice), largeDevice);
    expect(terms).toMatchObject({
      constants: { HAS_BIAS: false, HAS_WEIGHT: false, HAS_SHIFT: false },
      operands: { bias: UNREAD, weight: UNREAD, shift: UNREAD },
    });
    expect(gather).toMatchObject({
      constants: { HAS_BIAS: false, HAS_NORM: true, HAS_RESIDUAL: false },
      operands: { bias: "terms", residual: UNREAD },
    });
    const relu = { bias: false, residual: false, activation: "relu" } as const;
    const [only, ...rest] = soundSteps(planFusedConv2d(g, "transposed", relu, largeDevice), largeDevice);
    expect(rest).toEqual([]);
    expect(only).toMatchObject({
      constants: { HAS_BIAS: false, HAS_NORM: false, ACTIVATION: 1 },
      operands: { bias: UNREAD },
    });
    const odds = planFusedConv2d({ ...odd, inC: 6 }, "transposed", { ...all, bias: false }, largeDevice);
    expect(odds?.scratch).toEqual({ terms: 4 * 6 * 4, packed: expect.any(Number) });
  });

  it("adds the bias with the first part of a large weight and does the rest with the last", () => {
    const large = { ...g, inC: 16, outC: 24, inH: 4, inW: 4, outH: 2, outW: 4, n: 1 };
    const [, ...gathers] = soundSteps(planFusedConv2d(large, "forward", all, smallDevice), smallDevice);
    expect(gathers.length).toBeGreaterThan(2);
    for (const [i, { constants, operands }] of gathers.entries()) {
      const [isFirst, isLast] = [i === 0, i === gathers.length - 1];
      expect(constants).toMatchObject({
        ...{ HAS_BIAS: isFirst, ACCUMULATE: !isFirst },
        ...{ HAS_NORM: isLast, HAS_RESIDUAL: isLast, ACTIVATION: isLast ? 2 : 0 },
      });
      expect(operands).toMatchObject({
        bias: isFirst || isLast ? "terms" : UNREAD,
        residual: isLast ? "residual" : UNREAD,
      });
    }
  });

  it("binds the part of the residual that belongs to what is written", () => {
    const large = { ...g, inH: 21, outH: 11, inW: 21, outW: 21 };
    const steps = soundSteps(planFusedConv2d(large, "forward", all, smallDevice), smallDevice).slice(1);
    expect(steps.length).toBeGreaterThan(2);
    for (const { operands } of steps)
      expect(operands.residual).toEqual({ ...Object(operands.y4), operand: "residual" });
  });
});

describe("the plan of a transposed convolution", () => {
  it("walks over phases and reads vectors of the weight by column", () => {
    const plan = planConv2d({ ...g, outC: 16 }, "transposed", true, largeDevice);
    expect(soundSteps(plan, largeDevice).map(outline)).toEqual([
      {
        kernel: "conv2d/gather-register",
        ...{ WG: 64, TM: 8, VEC_IN: true, VEC_OUT: true, HAS_BIAS: true, ...noEpilogue },
        ...{ ACCUMULATE: false, TRANSPOSED: true, BY_COLUMN: true },
        ...{ ...common, ...phases, ...transposedSizes, kernelH: 3, phases: 2, gridH: 5, gridW: 7 },
        ...{ tiles: 36, mTiles: 9, nTiles: 2, mBegin: 0, mEnd: 70, inC: 16, cin: 16, outC: 8, cout: 8 },
        ...{ wCols: 0, wStride: 16, wTap: 128, wOrigin: 0, rowBegin: 0, rowEnd: 96, ...noOrigins },
        operands: { x: UNREAD, x4: "x", w: "w", w1: UNREAD, bias: "b", y: unwritten("y"), y4: "y", residual: UNREAD },
        grid: [1, 1, 1],
      },
    ]);
  });

  it("reads single columns for few pixels, and for many packs the weight with rows and columns exchanged", () => {
    const rowOfPixels = (outW: number) => ({ ...odd, n: 1, outH: 1, outW, inH: 1, inW: outW, strideH: 1, strideW: 1 });
    const rows = { ...rowOfPixels(8), n: 2, outH: 3, inH: 3 };
    expect(planConv2d(rows, "transposed", false, largeDevice)!.steps).toHaveLength(2);
    const few = planConv2d(rowOfPixels(32), "transposed", false, largeDevice);
    expect(
      soundSteps(few, largeDevice).map(({ constants, operands }) => [constants?.BY_COLUMN, operands.w, operands.w1]),
    ).toEqual([[true, UNREAD, "w"]]);
    expect(few?.scratch).toBeUndefined();
    const many = planConv2d(rowOfPixels(33), "transposed", false, largeDevice);
    const [pack, gather] = soundSteps(many, largeDevice);
    expect(pack?.params).toMatchObject({
      rows: 5,
      cols: 3,
      sTap: 15,
      sGroup: 5,
      sRow: 1,
      sCol: 5,
      vectors: 1,
      count: 30,
    });
    expect(gather).toMatchObject({
      constants: { BY_COLUMN: false, TRANSPOSED: true },
      params: { wCols: 1, wStride: 1, rowEnd: 30 },
      operands: { w: "packed", w1: UNREAD },
    });
    expect(many?.scratch).toEqual({ packed: 6 * 5 * 4 * 4 });
  });

  it.each([
    // stride, dilation: their greatest common divisor, and the inverse of the dilation in steps of the stride.
    [1, 1, 1, 0],
    [3, 1, 1, 1],
    [3, 2, 1, 2],
    [5, 3, 1, 2],
    [4, 2, 2, 1],
    [4, 6, 2, 1],
    [6, 4, 2, 2],
    [2, 6, 2, 0],
  ])("with stride %i and dilation %i has phases of gcd %i and inverse %i", (stride, dilation, gcd, inverse) => {
    const along = planConv2d({ ...g, strideH: stride, dilationH: dilation }, "transposed", false, largeDevice);
    expect(along?.steps.at(-1)?.params).toMatchObject({ gcdH: gcd, inverseH: inverse, phases: stride });
    const across = planConv2d({ ...g, strideW: stride, dilationW: dilation }, "transposed", false, largeDevice);
    expect(across?.steps.at(-1)?.params).toMatchObject({ gcdW: gcd, inverseW: inverse, phases: 2 * stride });
    expect(across?.steps.at(-1)?.params).toMatchObject({ gridW: Math.ceil(7 / stride), gridH: 5 });
  });
});

describe("the plan of a weight gradient", () => {
  it("splits the output lines, and sums the slices", () => {
    const plan = planConv2dWeightGradient(g, largeDevice);
    expect(soundSteps(plan, largeDevice).map(outline)).toEqual([
      {
        kernel: "conv2d/weight-gradient-register",
        ...{ WG: 64, TM: 8, VEC_IN: true, VEC_OUT: true, ACCUMULATE: false },
        ...{ ...common, ...forwardSizes, inC: 8, cin: 8, outC: 12, cout: 12 },
        ...{ tiles: 180, mTiles: 6, nTiles: 3, splits: 10, lineBegin: 0, lineEnd: 10, linesPerSplit: 1 },
        ...{ rowBegin: 0, rowEnd: 48, dwC: 12, dwSlice: 576, xOrigin: 0, dyOrigin: 0, dwOrigin: 0 },
        operands: { x: UNREAD, x4: "x", dy: UNREAD, dy4: "dy", dw: "slices" },
        grid: [3, 1, 1],
      },
      {
        kernel: "reduce/sum-slices",
        ...{ count: 576, slices: 10 },
        operands: { partial: "slices", y: "dw" },
        grid: [9, 1, 1],
      },
    ]);
    expect(plan?.scratch).toEqual({ slices: 10 * 576 * 4 });
  });

  it("writes straight to the gradient where the device is busy without slices", () => {
    const plan = planConv2dWeightGradient({ ...odd, inC: 6, outC: 10, groups: 2 }, { ...largeDevice, parallelism: 0 });
    const [step, ...rest] = soundSteps(plan, largeDevice);
    expect(rest).toEqual([]);
    expect(step).toMatchObject({
      constants: { VEC_IN: false, VEC_OUT: false },
      params: { splits: 1, linesPerSplit: 10, cin: 3, cout: 5, nTiles: 2, mTiles: 3, tiles: 12, dwC: 10, dwSlice: 180 },
      operands: { x: "x", dy: "dy", dw: "dw" },
    });
    expect(plan?.scratch).toBeUndefined();
  });

  it.each([
    [1, 4],
    [2, 6],
  ])("in %i groups has as many splits as keep the device busy", (groups, splits) => {
    const [step] = planConv2dWeightGradient({ ...g, groups }, { ...largeDevice, parallelism: 1 })!.steps;
    expect(step?.params.splits).toBe(splits);
  });

  it("keeps its slices within 32 MiB", () => {
    const large = { ...g, inC: 512, outC: 512, kernelH: 1, kernelW: 1, inH: 64, outH: 64, strideH: 1, padH: 0 };
    const plan = planConv2dWeightGradient(large, { ...largeDevice, parallelism: 100_000 });
    expect(plan?.scratch).toEqual({ slices: 32 * 1024 * 1024 });
  });
});

describe("one channel a group", () => {
  it("has a kernel of its own in either direction", () => {
    const forward = planConv2d(depthwise, "forward", true, largeDevice);
    expect(soundSteps(forward, largeDevice).map(outline)).toEqual([
      {
        kernel: "conv2d/depthwise",
        ...{ R: 4, VEC: true, HAS_BIAS: true, ...noEpilogue, TRANSPOSED: false },
        // Four outputs of two taps, two pixels apart, read six pixels.
        ...{ BLOCK: 2, WHOLE: true, ADVANCE: 1, PACE: 2, SPACING: 1 },
        ...{ ...common, ...phases, ...forwardSizes, ...noOrigins },
        ...{ kernelH: 3, count: 40, lineBegin: 0, lineTiles: 2, phases: 1, channels: 2 },
        operands: { x: UNREAD, x4: "x", w: UNREAD, w4: "w", bias: "b", y: unwritten("y"), y4: "y", residual: UNREAD },
        grid: [1, 1, 1],
      },
    ]);
    expect(forward?.tunable?.key).toBe("depthwise forward 3x2 stride 2x1 dilation 1x2 channels 8-8 groups 8 pixels 64");
    const strided = { ...depthwise, inC: 6, outC: 6, groups: 6, strideW: 3, inW: 25, outW: 9 };
    const [step] = soundSteps(planConv2d(strided, "transposed", false, largeDevice), largeDevice);
    expect(step).toMatchObject({
      constants: { R: 4, VEC: false, HAS_BIAS: false, TRANSPOSED: true, BLOCK: 1 },
      // Nine columns of each of three phases are three tiles of four.
      params: { count: 2 * 9 * 3 * 3 * 6, lineTiles: 3, phases: 3, channels: 6, inH: 5, inW: 9, outH: 9, outW: 25 },
      operands: { x: "x", w: "w", bias: UNREAD, y: "y" },
    });
  });

  it("holds the input of several taps where outputs share it, of four at most", () => {
    const strip = (o: Partial<Conv2dGeometry>, direction: "forward" | "transposed") => {
      const plan = planConv2d({ ...depthwise, dilationW: 1, strideW: 1, ...o }, direction, false, largeDevice);
      const { BLOCK, WHOLE, SPACING } = plan!.steps[0]!.constants!;
      return { BLOCK, WHOLE, SPACING };
    };
    expect(strip({ kernelW: 3 }, "forward")).toEqual({ BLOCK: 3, WHOLE: true, SPACING: 1 });
    expect(strip({ kernelW: 7 }, "transposed")).toEqual({ BLOCK: 4, WHOLE: false, SPACING: 1 });
    expect(strip({ kernelW: 16, strideW: 8 }, "transposed")).toEqual({ BLOCK: 2, WHOLE: true, SPACING: 1 });
    expect(strip({ kernelW: 15, strideW: 8 }, "transposed")).toEqual({ BLOCK: 2, WHOLE: false, SPACING: 1 });
    expect(strip({ kernelW: 16, strideW: 8 }, "forward")).toEqual({ BLOCK: 1, WHOLE: true, SPACING: 8 });
    expect(strip({ kernelW: 3, strideW: 2, dilationW: 2 }, "forward")).toEqual({ BLOCK: 3, WHOLE: true, SPACING: 2 });
  });

  it("is not for one group, nor for several filters a channel", () => {
    const kernels = (o: Partial<Conv2dGeometry>) =>
      planConv2d({ ...g, ...o }, "forward", false, largeDevice)!.steps.map(({ kernel }) => kernel.name);
    expect(kernels({ inC: 1, outC: 4, groups: 1 })).toEqual(["conv2d/gather-register"]);
    expect(kernels({ inC: 1, outC: 1, groups: 1 })).toContain("conv2d/gather-register");
    expect(kernels({ inC: 4, outC: 16, groups: 4 })).toEqual(["conv2d/gather-register"]);
    expect(kernels({ inC: 16, outC: 4, groups: 4 })).toContain("conv2d/gather-register");
  });

  it("has a weight gradient in slices of lines", () => {
    const plan = planConv2dWeightGradient(depthwise, largeDevice);
    expect(soundSteps(plan, largeDevice).map(outline)).toEqual([
      {
        kernel: "conv2d/depthwise-weight-gradient",
        ...{ VEC: true, ACCUMULATE: false, ...common, ...forwardSizes },
        ...{ count: 120, base: 0, channels: 2, taps: 6, lineBegin: 0, lineEnd: 10, linesPerSplit: 1 },
        ...{ xOrigin: 0, dyOrigin: 0 },
        operands: { x: UNREAD, x4: "x", dy: UNREAD, dy4: "dy", dw: unwritten("dw"), dw4: "slices" },
        grid: [2, 1, 1],
      },
      { kernel: "reduce/sum-slices", count: 48, slices: 10, operands: { partial: "slices", y: "dw" }, grid: [1, 1, 1] },
    ]);
    expect(plan?.scratch).toEqual({ slices: 1920 });
    const busy = planConv2dWeightGradient(
      { ...depthwise, inC: 6, outC: 6, groups: 6 },
      { ...largeDevice, parallelism: 2 },
    );
    const [step, sum] = soundSteps(busy, largeDevice);
    expect(step).toMatchObject({ params: { count: 144, channels: 6, linesPerSplit: 3 }, operands: { dw: "slices" } });
    expect(sum?.params.slices).toBe(4);
    const whole = planConv2dWeightGradient(depthwise, { ...largeDevice, parallelism: 0 });
    expect(soundSteps(whole, largeDevice).map(({ operands }) => operands.dw4)).toEqual(["dw"]);
    expect(whole?.scratch).toBeUndefined();
  });
});

it("grids fold past 65,535 workgroups", () => {
  const caps = { ...largeDevice, bindingLimit: 2 ** 36 };
  const lanes = { ...caps, subgroupSize: 32 };
  const many = { ...g, n: 1_000_000 };
  const steps = [
    ...soundSteps(planConv2d(many, "forward", false, caps), caps),
    ...soundSteps(planConv2d({ ...depthwise, n: 1_000_000 }, "transposed", false, caps), caps),
  ];
  for (const step of steps) expectGridOver(step, scalar(step.params, step.params.tiles ? "tiles" : "count"));
  const [wide] = soundSteps(planConv2d(many, "forward", false, lanes), lanes);
  const [x, y] = wide!.grid;
  expect(y).toBeGreaterThan(1);
  expect(x * y).toBeGreaterThanOrEqual(scalar(wide!.params, "tiles"));
  expect(x * (y - 1)).toBeLessThan(scalar(wide!.params, "tiles"));
});
