import { planUpsampledGradient, planUpsampledLabels, planUpsampledLoss, type UpsampledGeometry } from "@fcn/kernels";
import { describe, expect, it } from "vitest";
import { expectGridOver, largeDevice, outline, smallDevice, soundSteps } from "../../support/plans.js";

const sizes = { channels: 5, inH: 4, inW: 6, outH: 30, outW: 45 };
const places = { scaleH: 0.125, scaleW: 0.125, beforeH: -1.5, beforeW: 0.5, after: 0 };
const g: UpsampledGeometry = { n: 2, ...sizes, ...places, clamped: false };
const runs = { runs: 2 * 30 * 12, runsPerRow: 12 };
const plain = { ignoreIndex: 255, weighted: false, reduction: "mean" } as const;
const nan = { ignoreIndex: 255, nanBits: 0x7fc00000 };
const unread = { dummy: "unread" };

describe("the plan of losses and labels of upsampled scores", () => {
  it("gives labels in one step", () => {
    expect(soundSteps(planUpsampledLabels(g, largeDevice), largeDevice).map(outline)).toEqual([
      {
        kernel: "upsampled/labels",
        ...{ COLUMNS: 3, CLAMPED: false, count: 720, runsPerRow: 12, ...sizes, ...places },
        operands: { scores: "scores", labels: "labels" },
        grid: [12, 1, 1],
      },
    ]);
  });

  it("gives a loss in two, with two partial sums for each thread", () => {
    const plan = planUpsampledLoss({ ...g, clamped: true }, plain, largeDevice);
    const [loss, finish] = soundSteps(plan, largeDevice).map(outline);
    expect(loss).toEqual({
      kernel: "upsampled/loss",
      ...{ COLUMNS: 3, CLAMPED: true, EACH: false, WEIGHTED: false, FAULT_LABEL: 1 },
      ...{ threads: 720, ...runs, ...sizes, ...places, ...nan },
      operands: {
        ...{ scores: "scores", labels: "target", weight: unread, lse: "lse", y: "partial" },
        fault: { fault: true },
      },
      grid: [12, 1, 1],
    });
    expect(finish).toMatchObject({ kernel: "cross-entropy/finish", MEAN: true, threads: 720 });
    expect(plan?.scratch).toEqual({ partial: 720 * 8 });
    const slow = { ...largeDevice, parallelism: 4 };
    const [few] = soundSteps(planUpsampledLoss(g, plain, slow), slow);
    expect(few?.params.threads).toBe(4 * 64);
  });

  it("gives each pixel its loss, and weighs classes", () => {
    const plan = planUpsampledLoss(g, { ...plain, weighted: true, reduction: "none" }, largeDevice);
    const [loss, ...rest] = soundSteps(plan, largeDevice);
    expect(rest).toEqual([]);
    expect(loss).toMatchObject({ constants: { EACH: true, WEIGHTED: true }, params: { threads: 720 } });
    expect(loss?.operands).toMatchObject({ weight: "weight", y: "y" });
  });

  it("gives a gradient in two, by patches with a border of their own", () => {
    const plan = planUpsampledGradient(g, plain, { ...largeDevice, parallelism: 1 });
    expect(soundSteps(plan, largeDevice).map(outline)).toEqual([
      {
        kernel: "upsampled/gradient",
        ...{ CLAMPED: false, EACH: false, MEAN: true, WEIGHTED: false },
        ...{ count: 2 * 5 * 7 * 2, slices: 1, images: 2, quads: 2, ...sizes, ...places, ...nan },
        operands: {
          ...{ scores: "scores", labels: "target", lse: "lse", weight: unread, dy: "dy" },
          ...{ divisor: "divisor", part: "part" },
        },
        grid: [3, 1, 1],
      },
      {
        kernel: "upsampled/join",
        ...{ count: 240, slices: 1, images: 2, quads: 2, channels: 5, inH: 4, inW: 6 },
        operands: { part: "part", dx: "dx" },
        grid: [4, 1, 1],
      },
    ]);
    expect(plan?.scratch).toEqual({ part: 140 * 4 * 4 * 4 });
  });

  it("cuts patches into slices of at least four rows where threads are few", () => {
    const slicesOf = (geometry: UpsampledGeometry) =>
      soundSteps(planUpsampledGradient(geometry, plain, largeDevice), largeDevice)[0]?.params.slices;
    expect(slicesOf(g)).toBe(2);
    expect(slicesOf({ ...g, scaleH: 1 / 32 })).toBe(8);
    expect(slicesOf({ ...g, n: 8, scaleH: 1 / 32 })).toBe(8);
    expect(slicesOf({ ...g, inH: 29, scaleH: 1 / 32 })).toBe(5);
    expect(slicesOf({ ...g, scaleH: 0.5 })).toBe(1);
    expect(slicesOf({ ...g, scaleH: 0 })).toBe(7);
  });

  it("binds as many columns as four pixels may read", () => {
    const columns = (scaleW: number) =>
      soundSteps(planUpsampledLabels({ ...g, scaleW }, largeDevice), largeDevice)[0]?.constants?.COLUMNS;
    expect([0, 0.25, 1 / 3, 0.5, 1].map(columns)).toEqual([2, 3, 3, 4, 5]);
  });

  it("folds a grid past 65,535 workgroups", () => {
    const wide = { ...g, n: 12_000 };
    const [step] = soundSteps(planUpsampledLabels(wide, largeDevice), largeDevice);
    expectGridOver(step!, 12_000 * 360);
  });

  it("does not exist where an operand is larger than a binding", () => {
    const large = { ...g, outW: 450 };
    expect(planUpsampledLabels(large, smallDevice)).toBeUndefined();
    expect(planUpsampledLoss(large, plain, smallDevice)).toBeUndefined();
    expect(planUpsampledGradient(large, plain, smallDevice)).toBeUndefined();
    expect(planUpsampledGradient(g, plain, smallDevice)).toBeUndefined();
  });
});
