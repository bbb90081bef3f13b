import { planNorm, planNormBackward, UNREAD, unwritten } from "@fcn/kernels";
import { describe, expect, it } from "vitest";
import {
  boundElements,
  expectCovered,
  expectGridOver,
  largeDevice,
  originOf,
  outline,
  scalar,
  smallDevice,
  soundSteps,
} from "../../support/plans.js";

/** Statistics of each channel of all rows, and those of groups of two channels of each image. */
const batch = { images: 1, rows: 100, channels: 8, groups: 8, hasWeight: true, frozen: false };
const group = { images: 2, rows: 100, channels: 6, groups: 3, hasWeight: true, frozen: false };
const forward = { hasBias: true, hasResidual: false, eps: 1e-5, momentum: 0.1 };
const backward = { input: true, parameters: true, residual: false };
const slices = { slices: 7, rowsPerSlice: 15 };
const place = { unit: 0, xOrigin: 0 };
const partial4 = { partial: unwritten("partial"), partial4: "partial" };
const noResidual = { dresidual: unwritten("dresidual"), dresidual4: unwritten("dresidual4") };
const partial1 = { partial: "partial", partial4: unwritten("partial") };

describe("the plan of normalisation by channel", () => {
  it("takes moments of slices, merges them, and applies them", () => {
    const plan = planNorm({ ...batch, ...forward }, largeDevice);
    expect(soundSteps(plan, largeDevice).map(outline)).toEqual([
      {
        kernel: "norm/moments",
        ...{ VEC: true, ...place, count: 14, columns: 2, rows: 100, ...slices, total: 14 },
        operands: { x: "x", ...partial4 },
        grid: [1, 1, 1],
      },
      {
        kernel: "norm/merge",
        ...{ HAS_RUNNING: true, count: 8, channels: 8, width: 1, rows: 100, ...slices, eps: 1e-5, momentum: 0.1 },
        operands: { partial: "partial", stats: "stats", runningMean: "runningMean", runningVar: "runningVar" },
        grid: [1, 1, 1],
      },
      {
        kernel: "norm/apply",
        ...{ VEC: true, ROWS: 16, HAS_WEIGHT: true, HAS_BIAS: true, HAS_RESIDUAL: false, ACTIVATION: 0 },
        ...{ ...place, count: 14, columns: 2, rows: 100, width: 1, blocks: 7, statistics: 8 },
        operands: {
          ...{ x: "x", y: unwritten("y"), y4: "y", residual: UNREAD },
          ...{ stats: "stats", bias: "bias", weight: "weight" },
        },
        grid: [1, 1, 1],
      },
    ]);
    expect(plan?.scratch).toEqual({ partial: 2 * 7 * 8 * 4 });
  });

  it("with frozen statistics needs neither slices nor scratch", () => {
    const plan = planNorm({ ...batch, ...forward, frozen: true }, largeDevice);
    const [frozen, ...apply] = soundSteps(plan, largeDevice);
    expect(outline(frozen!)).toEqual({
      kernel: "norm/frozen",
      ...{ count: 8, eps: 1e-5 },
      operands: { runningMean: "runningMean", runningVar: "runningVar", stats: "stats" },
      grid: [1, 1, 1],
    });
    expect(apply.map(({ kernel }) => kernel.name)).toEqual(["norm/apply"]);
    expect(plan?.scratch).toBeUndefined();
  });

  it("sums slices for its gradients, merges them in one step, and applies the terms", () => {
    const plan = planNormBackward({ ...batch, ...backward }, largeDevice);
    expect(soundSteps(plan, largeDevice).map(outline)).toEqual([
      {
        kernel: "norm/backward-sums",
        ...{ VEC: true, ACTIVATION: 0, KEEP: false },
        ...{ ...place, count: 14, columns: 2, rows: 100, ...slices, total: 14, width: 1, statistics: 8 },
        operands: { x: "x", dy: "dy", y: UNREAD, stats: "stats", ...noResidual, ...partial4 },
        grid: [1, 1, 1],
      },
      {
        kernel: "norm/backward-merge",
        ...{ HAS_WEIGHT: true, PARAMETERS: true, TERMS: true, count: 8, channels: 8, width: 1, rows: 100, slices: 7 },
        operands: {
          ...{ partial: "partial", stats: "stats", weight: "weight" },
          ...{ dweight: "dweight", dbias: "dbias", terms: "terms" },
        },
        grid: [1, 1, 1],
      },
      {
        kernel: "norm/backward-apply",
        ...{ VEC: true, ROWS: 16, HAS_WEIGHT: true, FROZEN: false, ACTIVATION: 0 },
        ...{ ...place, count: 14, columns: 2, rows: 100, width: 1, blocks: 7, statistics: 8 },
        operands: {
          ...{ x: "x", dy: "dy", y: UNREAD, dx: unwritten("dx"), dx4: "dx" },
          ...{ terms: "terms", weight: "weight" },
        },
        grid: [1, 1, 1],
      },
    ]);
    expect(plan?.scratch).toEqual({ partial: 448, terms: 128 });
  });
});

describe("the plan of normalisation by groups", () => {
  it("takes moments of slices of each image, and single channels where they are not in fours", () => {
    const plan = planNorm({ ...group, ...forward, hasBias: false, hasWeight: false, momentum: undefined }, largeDevice);
    expect(soundSteps(plan, largeDevice).map(outline)).toEqual([
      {
        kernel: "norm/moments",
        ...{ VEC: false, ...place, count: 84, columns: 6, rows: 100, ...slices, total: 84 },
        operands: { x: "x", ...partial1 },
        grid: [2, 1, 1],
      },
      {
        kernel: "norm/merge",
        ...{ HAS_RUNNING: false, count: 6, channels: 6, width: 2, rows: 100, ...slices, eps: 1e-5, momentum: 0 },
        operands: {
          ...{ partial: "partial", stats: "stats" },
          ...{ runningMean: unwritten("runningMean"), runningVar: unwritten("runningVar") },
        },
        grid: [1, 1, 1],
      },
      {
        kernel: "norm/apply",
        ...{ VEC: false, ROWS: 16, HAS_WEIGHT: false, HAS_BIAS: false, HAS_RESIDUAL: false, ACTIVATION: 0 },
        ...{ ...place, count: 84, columns: 6, rows: 100, width: 2, blocks: 7, statistics: 6 },
        operands: {
          ...{ x: "x", y: "y", y4: unwritten("y"), residual: UNREAD },
          ...{ stats: "stats", bias: UNREAD, weight: UNREAD },
        },
        grid: [2, 1, 1],
      },
    ]);
  });

  it("merges the parameters' gradients and the terms apart", () => {
    const plan = planNormBackward({ ...group, ...backward, hasWeight: false }, largeDevice);
    const [, parameters, terms, ...apply] = soundSteps(plan, largeDevice);
    const common = { kernel: "norm/backward-merge", HAS_WEIGHT: false, channels: 6, rows: 100, grid: [1, 1, 1] };
    const read = { partial: "partial", stats: "stats", weight: UNREAD };
    expect([parameters, terms].map((step) => outline(step!))).toEqual([
      {
        ...{ ...common, PARAMETERS: true, TERMS: false, count: 6, width: 1, slices: 14 },
        operands: { ...read, dweight: "dweight", dbias: "dbias", terms: unwritten("terms") },
      },
      {
        ...{ ...common, PARAMETERS: false, TERMS: true, count: 6, width: 2, slices: 7 },
        operands: { ...read, dweight: unwritten("dweight"), dbias: unwritten("dbias"), terms: "terms" },
      },
    ]);
    expect(apply.map(({ kernel }) => kernel.name)).toEqual(["norm/backward-apply"]);
    expect(plan?.scratch).toEqual({ partial: 672, terms: 96 });
  });
});

describe("the gradients of a normalisation", () => {
  const plan = (o: object) => planNormBackward({ ...batch, ...backward, ...o }, largeDevice);
  const names = (o: object) =>
    soundSteps(plan(o), largeDevice).map(({ kernel }) => kernel.name.replace("norm/backward-", ""));

  it("are summed and applied where they are wanted", () => {
    expect(names({ input: false })).toEqual(["sums", "merge"]);
    expect(names({ parameters: false })).toEqual(["sums", "merge", "apply"]);
    expect(names({ frozen: true })).toEqual(["sums", "merge", "apply"]);
    expect(names({ frozen: true, parameters: false })).toEqual(["apply"]);
    expect(names({ ...group, parameters: false })).toEqual(["sums", "merge", "apply"]);
    expect(names({ ...group, input: false })).toEqual(["sums", "merge"]);
    expect(names({ images: 2 })).toEqual(["sums", "merge", "merge", "apply"]);
    expect(names({ groups: 4 })).toEqual(["sums", "merge", "merge", "apply"]);
  });

  it("of frozen statistics read these and no terms", () => {
    const { steps, scratch } = plan({ frozen: true, parameters: false })!;
    expect(steps[0]).toMatchObject({ constants: { FROZEN: true }, operands: { terms: "stats" } });
    expect(scratch).toEqual({});
    expect(plan({ frozen: true })!.scratch).toEqual({ partial: 448 });
    expect(plan({ frozen: true })!.steps[1]?.constants).toMatchObject({ PARAMETERS: true, TERMS: false });
    expect(plan({ input: false })!.scratch).toEqual({ partial: 448 });
  });
});

describe("what follows a normalisation", () => {
  const plan = (o: object) =>
    soundSteps(planNormBackward({ ...batch, ...backward, activation: "relu", ...o }, largeDevice), largeDevice);

  it.each([
    [undefined, 0],
    ["relu", 1],
    ["relu6", 2],
  ] as const)("is a residual and the activation %s in the pass that writes the result", (activation, number) => {
    const o = { ...batch, ...forward, activation, hasResidual: true };
    const apply = soundSteps(planNorm(o, largeDevice), largeDevice).at(-1);
    expect(apply?.constants).toMatchObject({ HAS_RESIDUAL: true, ACTIVATION: number });
    expect(apply?.operands.residual).toBe("residual");
  });

  it("is masked by the result in both passes over the gradient", () => {
    const [sums, , apply] = plan({});
    expect(sums).toMatchObject({ constants: { ACTIVATION: 1, KEEP: false }, operands: { dy: "dy", y: "y" } });
    expect(apply).toMatchObject({ constants: { ACTIVATION: 1 }, operands: { dy: "dy", y: "y" } });
    expect(plan({ activation: "relu6" })[2]?.constants).toMatchObject({ ACTIVATION: 2 });
  });

  it("is masked once where the residual's gradient keeps the outcome", () => {
    const [sums, , apply] = plan({ residual: true });
    const kept = { y: "y", dresidual: unwritten("dresidual"), dresidual4: "dresidual" };
    expect(sums).toMatchObject({ constants: { ACTIVATION: 1, KEEP: true }, operands: kept });
    expect(apply).toMatchObject({ constants: { ACTIVATION: 0 }, operands: { dy: "dresidual", y: UNREAD } });
    expect(plan({ residual: true, frozen: true, parameters: false })).toHaveLength(2);
    expect(plan({ residual: true, input: false, parameters: false })).toHaveLength(1);
  });
});

describe("slices", () => {
  it.each([
    // Enough for the device, none of them of fewer than sixteen rows, and as many as a thread merges.
    [1, 1_000_000, 8, 8, 512],
    [1, 100_000, 2048, 2048, 4],
    [1, 1_000_000, 8, 1, 64],
    [1, 1_000_000, 8, 4, 256],
    [4, 100_000, 128, 4, 16],
    [1, 64, 8, 8, 4],
    [1, 1, 8, 8, 1],
  ])("of %i images of %i rows, %i channels in %i groups are %i", (images, rows, channels, groups, slices) => {
    const o = { ...batch, ...forward, images, rows, channels, groups };
    const params = { slices, rowsPerSlice: Math.ceil(rows / slices) };
    expect(planNorm(o, { ...largeDevice, bindingLimit: 2 ** 36 })?.steps[0]?.params).toMatchObject(params);
  });

  it("that are cut have 128 rows at most, and are no larger than a binding", () => {
    const few = { ...smallDevice, parallelism: 0 };
    const perSlice = (channels: number) =>
      planNorm({ ...batch, ...forward, channels, groups: channels, rows: 1000 }, few)?.steps[0]?.params.rowsPerSlice;
    expect([1, 2, 7, 8].map(perSlice)).toEqual([1000, 128, 128, undefined]);
    expect(planNormBackward({ ...batch, ...backward, rows: 1000 }, few)).toBeUndefined();
    // Four rows of 200 channels fit, and make a slice; eight, which make a block, do not.
    const low = { ...group, images: 3, rows: 4, channels: 200, groups: 4 };
    expect(planNorm({ ...low, ...forward }, few)).toBeUndefined();
    expect(planNormBackward({ ...low, ...backward }, few)).toBeUndefined();
  });
});

it("images that just fit a binding are bound whole, though their last blocks of rows are not full", () => {
  const o = { ...group, images: 3, rows: 9 };
  const caps = { ...smallDevice, bindingLimit: 3 * 9 * 6 * 4 };
  for (const plan of [planNorm({ ...o, ...forward }, caps), planNormBackward({ ...o, ...backward }, caps)])
    for (const { operands } of soundSteps(plan, caps)) expect([undefined, "x"]).toContain(operands.x);
});

it("grids fold past 65,535 workgroups", () => {
  const caps = { ...largeDevice, bindingLimit: 2 ** 34 };
  for (const o of [
    { ...batch, rows: 20_000_000 },
    { ...group, images: 2_500_000, rows: 1, channels: 3, groups: 3 },
    { ...batch, rows: 1, channels: 4_500_000, groups: 4_500_000 },
  ]) {
    const steps = [
      ...soundSteps(planNorm({ ...o, ...forward }, caps), caps),
      ...soundSteps(planNormBackward({ ...o, ...backward }, caps), caps),
    ];
    for (const step of steps) expectGridOver(step, scalar(step.params, "count"));
  }
});

describe.each([
  ["by channel", { ...batch, rows: 1100 }],
  ["of twenty channels", { ...batch, channels: 20, groups: 20, rows: 1100 }],
  ["of groups", { ...group, images: 3, rows: 205 }],
])("images larger than a binding, %s,", (_, o) => {
  const { images, rows, channels } = o;
  const lanes = channels % 4 === 0 ? 4 : 1;
  const suffix = lanes === 4 ? "4" : "";
  const steps = [
    ...soundSteps(planNorm({ ...o, ...forward, hasResidual: true }, smallDevice), smallDevice),
    ...soundSteps(
      planNormBackward({ ...o, ...backward, activation: "relu", residual: true }, smallDevice),
      smallDevice,
    ),
  ];

  it.each([
    ["moments", ["x"]],
    ["apply", ["x", "residual", "y"]],
    ["backward-sums", ["x", "dy", "y", "dresidual"]],
    ["backward-apply", ["x", "dy", "dx"]],
  ])("are covered by %s in ranges that hold all rows of their slices or blocks", (name, operands) => {
    const own = steps.filter(({ kernel }) => kernel.name === `norm/${name}`);
    expect(own.length).toBeGreaterThan(1);
    const per = (own[0]!.params.rowsPerSlice as number | undefined) ?? 16;
    const perImage = Math.ceil(rows / per);
    const ranges = own.map((step) => {
      const { params } = step;
      const unit = scalar(params, "unit");
      const units = (scalar(params, "count") * lanes) / channels;
      for (const operand of operands.map((id) => id + (own[0]?.operands[`${id}4`] ? suffix : ""))) {
        expect(originOf(step, operand)).toBe(scalar(params, "xOrigin") * lanes);
        const [from, to] = boundElements(step, operand, images * rows * channels);
        for (let u = unit; u < unit + units; u++) {
          const first = Math.floor(u / perImage) * rows + (u % perImage) * per;
          const length = Math.min(per, rows - (u % perImage) * per);
          expect(first * channels).toBeGreaterThanOrEqual(from);
          expect((first + length) * channels).toBeLessThanOrEqual(to);
        }
        expect(to).toBeLessThanOrEqual(images * rows * channels);
      }
      return [unit, unit + units] as const;
    });
    expectCovered(ranges, images * perImage);
  });
});
