import {
  type BatchNormBackwardOptions,
  type BatchNormOptions,
  planBatchNorm,
  planBatchNormBackward,
  UNREAD,
  unwritten,
} from "@fcn/kernels";
import { describe, expect, it } from "vitest";
import {
  expectCovered,
  expectGridOver,
  largeDevice,
  originOf,
  outline,
  scalar,
  smallDevice,
  soundSteps,
} from "../../support/plans.js";

const all: BatchNormOptions = {
  ...{ rows: 100, channels: 8, eps: 1e-5, momentum: 0.1 },
  ...{ training: true, hasWeight: true, hasBias: true, hasRunning: true },
};
const bare = { ...all, channels: 3, hasWeight: false, hasBias: false, hasRunning: false };
const backward: BatchNormBackwardOptions = {
  rows: 100,
  channels: 8,
  training: true,
  hasWeight: true,
  input: true,
  parameters: true,
};
const partial4 = { partial: unwritten("partial"), partial4: "partial" };

describe("the plan of batch normalisation", () => {
  it("takes moments of slices, merges them, and applies them", () => {
    const plan = planBatchNorm(all, largeDevice);
    expect(soundSteps(plan, largeDevice).map(outline)).toEqual([
      {
        kernel: "batch-norm/moments",
        ...{ VEC: true, count: 14, columns: 2, rows: 100, rowsPerSlice: 15, slices: 7, base: 0, first: 0 },
        operands: { x: UNREAD, x4: "x", ...partial4 },
        grid: [1, 1, 1],
      },
      {
        kernel: "batch-norm/merge",
        ...{ HAS_RUNNING: true, count: 8, rows: 100, rowsPerSlice: 15, slices: 7, eps: 1e-5, momentum: 0.1 },
        operands: { partial: "partial", stats: "stats", runningMean: "runningMean", runningVar: "runningVar" },
        grid: [1, 1, 1],
      },
      {
        kernel: "batch-norm/apply",
        ...{ ROWS: 8, VEC: true, HAS_WEIGHT: true, HAS_BIAS: true },
        ...{ count: 26, columns: 2, rows: 100, channels: 8, first: 0 },
        operands: { x: UNREAD, x4: "x", stats: "stats", weight: "weight", bias: "bias", y: unwritten("y"), y4: "y" },
        grid: [1, 1, 1],
      },
    ]);
    expect(plan?.scratch).toEqual({ partial: 2 * 7 * 8 * 4 });
  });

  it("binds nothing for what there is not", () => {
    const [moments, merge, apply] = soundSteps(planBatchNorm(bare, largeDevice), largeDevice);
    expect(moments).toMatchObject({ constants: { VEC: false }, params: { columns: 3 }, operands: { x: "x" } });
    expect(merge).toMatchObject({
      constants: { HAS_RUNNING: false },
      operands: { runningMean: unwritten("runningMean"), runningVar: unwritten("runningVar") },
    });
    expect(apply).toMatchObject({
      constants: { VEC: false, HAS_WEIGHT: false, HAS_BIAS: false },
      operands: { x: "x", y: "y", weight: UNREAD, bias: UNREAD },
    });
  });

  it("with frozen statistics needs neither slices nor scratch", () => {
    const plan = planBatchNorm({ ...all, training: false }, largeDevice);
    const [frozen, ...apply] = soundSteps(plan, largeDevice);
    expect(outline(frozen!)).toEqual({
      kernel: "batch-norm/frozen",
      ...{ count: 8, eps: 1e-5 },
      operands: { runningMean: "runningMean", runningVar: "runningVar", stats: "stats" },
      grid: [1, 1, 1],
    });
    expect(apply.map(({ kernel }) => kernel.name)).toEqual(["batch-norm/apply"]);
    expect(plan?.scratch).toBeUndefined();
  });

  it.each([
    // Rows enough for the device, none of them fewer than sixteen, and 512 slices at most.
    [1_000_000, 8, 32, 512],
    [100_000, 2048, 32, 4],
    [64, 8, 32, 4],
    [1, 8, 32, 1],
    [100, 100_000, 32, 1],
  ])(
    "cuts %i rows of %i channels for a device of parallelism %i into %i slices",
    (rows, channels, parallelism, slices) => {
      const plan = planBatchNorm({ ...all, rows, channels }, { ...largeDevice, parallelism, bindingLimit: 2 ** 32 });
      expect(plan?.steps[0]?.params).toMatchObject({ slices, rowsPerSlice: Math.ceil(rows / slices) });
    },
  );

  it("folds grids past 65,535 workgroups", () => {
    const caps = { ...largeDevice, bindingLimit: 2 ** 32 };
    for (const o of [
      { rows: 20_000_000, channels: 8 },
      { rows: 2, channels: 5_000_000 },
    ]) {
      for (const step of soundSteps(planBatchNorm({ ...all, ...o }, caps), caps)) {
        expectGridOver(step, scalar(step.params, "count"));
      }
      for (const step of soundSteps(planBatchNormBackward({ ...backward, ...o }, caps), caps)) {
        expectGridOver(step, scalar(step.params, "count"));
      }
    }
  });
});

describe("the plan of the gradients of batch normalisation", () => {
  const given = { x: UNREAD, x4: "x", dy: UNREAD, dy4: "dy" };

  it("sums slices, merges them, and applies the terms", () => {
    const plan = planBatchNormBackward(backward, largeDevice);
    expect(soundSteps(plan, largeDevice).map(outline)).toEqual([
      {
        kernel: "batch-norm/backward-sums",
        ...{ VEC: true, count: 14, columns: 2, rows: 100, rowsPerSlice: 15, slices: 7, base: 0, first: 0 },
        operands: { ...given, stats: "stats", ...partial4 },
        grid: [1, 1, 1],
      },
      {
        kernel: "batch-norm/backward-merge",
        ...{ TRAINING: true, HAS_WEIGHT: true, count: 8, rows: 100, slices: 7 },
        operands: {
          ...{ partial: "partial", stats: "stats", weight: "weight" },
          ...{ dweight: "dweight", dbias: "dbias", terms: "terms" },
        },
        grid: [1, 1, 1],
      },
      {
        kernel: "batch-norm/backward-apply",
        ...{ ROWS: 8, VEC: true, TRAINING: true, count: 26, columns: 2, rows: 100, channels: 8, first: 0 },
        operands: { ...given, terms: "terms", dx: unwritten("dx"), dx4: "dx" },
        grid: [1, 1, 1],
      },
    ]);
    expect(plan?.scratch).toEqual({ terms: 128, partial: 448 });
  });

  const names = (o: Partial<BatchNormBackwardOptions>) =>
    soundSteps(planBatchNormBackward({ ...backward, ...o }, largeDevice), largeDevice).map(({ kernel }) =>
      kernel.name.replace("batch-norm/backward-", ""),
    );

  it("sums only where the sums are wanted, and applies only for the input's gradient", () => {
    expect(names({ input: false })).toEqual(["sums", "merge"]);
    expect(names({ training: false })).toEqual(["sums", "merge", "apply"]);
    expect(names({ parameters: false })).toEqual(["sums", "merge", "apply"]);
    expect(names({ parameters: false, training: false })).toEqual(["merge", "apply"]);
  });

  it("without sums merges no slices and needs no partial sums", () => {
    const plan = planBatchNormBackward(
      { ...backward, training: false, parameters: false, hasWeight: false },
      largeDevice,
    );
    const [merge, apply] = soundSteps(plan, largeDevice);
    expect(merge).toMatchObject({
      constants: { TRAINING: false, HAS_WEIGHT: false },
      params: { slices: 0 },
      operands: { partial: UNREAD, weight: UNREAD },
    });
    expect(apply?.constants).toMatchObject({ TRAINING: false });
    expect(plan?.scratch).toEqual({ terms: 128 });
  });
});

describe.each([8, 20, 3])("rows of %i channels that are larger than a binding", (channels) => {
  const lanes = channels % 4 === 0 ? 4 : 1;
  const suffix = lanes === 4 ? "4" : "";
  const rows = 1100;
  const steps = [
    ...soundSteps(planBatchNorm({ ...all, channels, rows }, smallDevice), smallDevice),
    ...soundSteps(planBatchNormBackward({ ...backward, channels, rows }, smallDevice), smallDevice),
  ];

  it.each([
    ["moments", ["x"]],
    ["apply", ["x", "y"]],
    ["backward-sums", ["x", "dy"]],
    ["backward-apply", ["x", "dy", "dx"]],
  ])("are covered by %s in runs of whole slices", (name, operands) => {
    const own = steps.filter(({ kernel }) => kernel.name === `batch-norm/${name}`);
    expect(own.length).toBeGreaterThan(1);
    const ranges = own.map((step) => {
      const { params } = step;
      for (const operand of operands) expect(originOf(step, operand + suffix)).toBe(originOf(step, `x${suffix}`));
      const begin = (originOf(step, `x${suffix}`) + scalar(params, "first") * lanes) / channels;
      const taken = scalar(params, "rows");
      const perItem = (params.rowsPerSlice as number | undefined) ?? 8;
      expect(params.count).toBe(scalar(params, "columns") * Math.ceil(taken / perItem));
      if (params.rowsPerSlice) expect(params.base).toBe((begin / perItem) * scalar(params, "columns"));
      return [begin, begin + taken] as const;
    });
    expectCovered(ranges, rows);
  });

  it("have slices of 128 rows at most", () =>
    expect(steps[0]?.params).toMatchObject({ slices: Math.ceil(rows / scalar(steps[0]!.params, "rowsPerSlice")) }));
});

it("slices that are cut have 128 rows at most, and are no larger than a binding", () => {
  const few = { ...smallDevice, parallelism: 0 };
  const perSlice = (channels: number) =>
    planBatchNorm({ ...all, channels, rows: 1000 }, few)?.steps[0]?.params.rowsPerSlice;
  expect([1, 2, 7, 8].map(perSlice)).toEqual([1000, 128, 128, undefined]);
  expect(planBatchNormBackward({ ...backward, channels: 8, rows: 1000 }, few)).toBeUndefined();
});
