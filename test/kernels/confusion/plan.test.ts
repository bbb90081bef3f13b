import { planConfusion } from "@fcn/kernels";
import { describe, expect, it } from "vitest";
import { expectCovered, largeDevice, originOf, scalar, smallDevice, soundSteps } from "../../support/plans.js";

describe("the plan of a confusion matrix", () => {
  it("clears the counts and then counts, in a table of the workgroup", () => {
    const [clear, count, ...rest] = soundSteps(
      planConfusion({ pixels: 10_000, rows: 5, columns: 7 }, largeDevice),
      largeDevice,
    );
    expect(rest).toEqual([]);
    expect(clear).toMatchObject({ params: { count: 35, bits: 0 }, operands: { y: "counts" } });
    expect(count).toMatchObject({
      constants: { SHARED: true },
      params: { pixels: 10_000, stride: 3 * 64, rows: 5, columns: 7, firstTruth: 0, firstPrediction: 0 },
      operands: { truth: "truth", prediction: "prediction", counts: "counts" },
      grid: [3, 1, 1],
    });
  });

  it.each([
    [64, 64, true],
    [64, 65, false],
  ])("of %i x %i counts uses the workgroup's table: %s", (rows, columns, shared) => {
    const steps = soundSteps(planConfusion({ pixels: 10, rows, columns }, largeDevice), largeDevice);
    expect(steps[1]?.constants).toEqual({ SHARED: shared });
  });

  it("has four workgroups for each that keeps the device busy, at most, and one at least", () => {
    const groups = (pixels: number) => planConfusion({ pixels, rows: 2, columns: 2 }, largeDevice)!.steps[1]!.grid[0];
    expect([0, 1, 4096, 4097, 30_000_000].map(groups)).toEqual([1, 1, 1, 2, 128]);
  });

  it("counts every pixel once where labels are larger than a binding", () => {
    const steps = soundSteps(planConfusion({ pixels: 2900, rows: 2, columns: 2 }, smallDevice), smallDevice).slice(1);
    const ranges = steps.map((step) => {
      const begin = originOf(step, "truth") + scalar(step.params, "firstTruth");
      expect(originOf(step, "prediction") + scalar(step.params, "firstPrediction")).toBe(begin);
      return [begin, begin + scalar(step.params, "pixels")] as const;
    });
    expect(ranges.length).toBeGreaterThan(1);
    expectCovered(ranges, 2900);
  });

  it("does not exist where the counts are larger than a binding", () => {
    expect(planConfusion({ pixels: 1, rows: 32, columns: 32 }, smallDevice)).toBeDefined();
    expect(planConfusion({ pixels: 1, rows: 32, columns: 33 }, smallDevice)).toBeUndefined();
  });
});
