import { planGroupNorm, planGroupNormBackward, UNREAD } from "@fcn/kernels";
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

const shape = { images: 2, rows: 100, channels: 6, groups: 3, hasWeight: true };
const all = { ...shape, hasBias: true, eps: 1e-5 };
const backward = { ...shape, input: true, parameters: true };
const slices = { slices: 7, rowsPerSlice: 15 };
const place = { unit: 0, xOrigin: 0 };

describe("the plan of group normalisation", () => {
  it("takes moments of slices of each image, merges them, and applies them", () => {
    const plan = planGroupNorm(all, largeDevice);
    expect(soundSteps(plan, largeDevice).map(outline)).toEqual([
      {
        kernel: "group-norm/moments",
        ...{ ...place, count: 84, channels: 6, rows: 100, ...slices, total: 84 },
        operands: { x: "x", partial: "partial" },
        grid: [2, 1, 1],
      },
      {
        kernel: "group-norm/merge",
        ...{ count: 6, channels: 6, width: 2, rows: 100, ...slices, eps: 1e-5 },
        operands: { partial: "partial", stats: "stats" },
        grid: [1, 1, 1],
      },
      {
        kernel: "group-norm/apply",
        ...{ ROWS: 8, HAS_WEIGHT: true, HAS_BIAS: true },
        ...{ ...place, count: 156, channels: 6, width: 2, rows: 100, blocks: 13, statistics: 6 },
        operands: { x: "x", y: "y", stats: "stats", bias: "bias", weight: "weight" },
        grid: [3, 1, 1],
      },
    ]);
    expect(plan?.scratch).toEqual({ partial: 2 * 84 * 4 });
  });

  it("reads neither weight nor bias where there is none", () => {
    const plan = planGroupNorm({ ...all, hasWeight: false, hasBias: false }, largeDevice);
    expect(soundSteps(plan, largeDevice)[2]).toMatchObject({
      constants: { HAS_WEIGHT: false, HAS_BIAS: false },
      operands: { weight: UNREAD, bias: UNREAD },
    });
  });

  it.each([
    // Slices enough for the device, none of them of fewer than sixteen rows, and 64 an image at most.
    [1, 1_000_000, 8, 64],
    [4, 100_000, 128, 4],
    [1, 64, 8, 4],
    [1, 1, 8, 1],
    [50, 1000, 100_000, 1],
  ])("cuts each of %i images of %i rows and %i channels into %i slices", (images, rows, channels, slices) => {
    const o = { ...all, images, rows, channels, groups: 4 };
    const params = { slices, rowsPerSlice: Math.ceil(rows / slices) };
    expect(planGroupNorm(o, { ...largeDevice, bindingLimit: 2 ** 36 })?.steps[0]?.params).toMatchObject(params);
  });

  it("folds grids past 65,535 workgroups", () => {
    const caps = { ...largeDevice, bindingLimit: 2 ** 32 };
    for (const o of [
      { images: 2, rows: 8_000_000, channels: 6 },
      { images: 2_500_000, rows: 1, channels: 3 },
      { images: 1, rows: 1, channels: 4_500_000 },
    ]) {
      const steps = [
        ...soundSteps(planGroupNorm({ ...all, ...o }, caps), caps),
        ...soundSteps(planGroupNormBackward({ ...backward, ...o }, caps), caps),
      ];
      for (const step of steps) expectGridOver(step, scalar(step.params, "count"));
    }
  });
});

describe("the plan of the gradients of group normalisation", () => {
  it("sums slices, from them takes the parameters' gradients and the terms, and applies those", () => {
    const plan = planGroupNormBackward(backward, largeDevice);
    expect(soundSteps(plan, largeDevice).map(outline)).toEqual([
      {
        kernel: "group-norm/backward-sums",
        ...{ ...place, count: 84, channels: 6, width: 2, rows: 100, ...slices, statistics: 6, total: 84 },
        operands: { x: "x", dy: "dy", stats: "stats", partial: "partial" },
        grid: [2, 1, 1],
      },
      {
        kernel: "group-norm/backward-parameters",
        ...{ count: 6, slices: 14 },
        operands: { partial: "partial", dweight: "dweight", dbias: "dbias" },
        grid: [1, 1, 1],
      },
      {
        kernel: "group-norm/backward-terms",
        ...{ HAS_WEIGHT: true, count: 6, channels: 6, width: 2, rows: 100, slices: 7 },
        operands: { partial: "partial", weight: "weight", terms: "terms" },
        grid: [1, 1, 1],
      },
      {
        kernel: "group-norm/backward-apply",
        ...{ ROWS: 8, HAS_WEIGHT: true },
        ...{ ...place, count: 156, channels: 6, width: 2, rows: 100, blocks: 13, statistics: 6 },
        operands: { x: "x", dy: "dy", dx: "dx", stats: "stats", terms: "terms", weight: "weight" },
        grid: [3, 1, 1],
      },
    ]);
    expect(plan?.scratch).toEqual({ partial: 672, terms: 48 });
  });

  it("does only what is wanted", () => {
    const names = (o: object) =>
      soundSteps(planGroupNormBackward({ ...backward, ...o }, largeDevice), largeDevice).map(({ kernel }) =>
        kernel.name.replace("group-norm/backward-", ""),
      );
    expect(names({ input: false })).toEqual(["sums", "parameters"]);
    expect(names({ parameters: false })).toEqual(["sums", "terms", "apply"]);
    expect(planGroupNormBackward({ ...backward, input: false }, largeDevice)?.scratch).toEqual({ partial: 672 });
    const [, , terms] = planGroupNormBackward({ ...backward, hasWeight: false }, largeDevice)!.steps;
    expect(terms).toMatchObject({ constants: { HAS_WEIGHT: false }, operands: { weight: UNREAD } });
  });
});

describe("images larger than a binding", () => {
  const [images, rows, channels] = [3, 205, 6];
  const steps = [
    ...soundSteps(planGroupNorm({ ...all, images, rows }, smallDevice), smallDevice),
    ...soundSteps(planGroupNormBackward({ ...backward, images, rows }, smallDevice), smallDevice),
  ];

  it.each([
    ["moments", ["x"]],
    ["apply", ["x", "y"]],
    ["backward-sums", ["x", "dy"]],
    ["backward-apply", ["x", "dy", "dx"]],
  ])("are covered by %s in runs that hold all rows of their slices or blocks", (name, operands) => {
    const own = steps.filter(({ kernel }) => kernel.name === `group-norm/${name}`);
    expect(own.length).toBeGreaterThan(1);
    const per = (own[0]!.params.rowsPerSlice as number | undefined) ?? 8;
    const perImage = Math.ceil(rows / per);
    const ranges = own.map((step) => {
      const { params } = step;
      const unit = scalar(params, "unit");
      const units = scalar(params, "count") / channels;
      for (const operand of operands) {
        expect(originOf(step, operand)).toBe(params.xOrigin);
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

it("slices that are cut have 128 rows at most, and are no larger than a binding", () => {
  const few = { ...smallDevice, parallelism: 0 };
  const wide = { rows: 1000, channels: 60, groups: 4 };
  const [moments] = planGroupNorm({ ...all, rows: 100_000, channels: 4, groups: 2 }, few)!.steps;
  expect(moments?.params.rowsPerSlice).toBe(128);
  const single = { ...all, images: 1, rows: 200, channels: 7, groups: 7 };
  expect(planGroupNorm(single, few)?.steps[0]?.params.rowsPerSlice).toBe(128);
  expect(planGroupNorm({ ...all, ...wide, channels: 8 }, smallDevice)?.steps[0]?.params.rowsPerSlice).toBe(63);
  // 128 rows of eight channels are more than a binding shows, eight of them are not.
  for (const g of [
    { ...wide, channels: 8 },
    { ...wide, channels: 1024 },
  ]) {
    expect(planGroupNorm({ ...all, ...g }, few)).toBeUndefined();
    expect(planGroupNormBackward({ ...backward, ...g }, few)).toBeUndefined();
  }
});
