import { type OperandPart, planColumnSum } from "@fcn/kernels";
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

describe("the plan of a sum over rows", () => {
  it("loads vectors of four columns, in slices that a second pass sums", () => {
    const plan = planColumnSum(1000, 8, largeDevice);
    expect(soundSteps(plan, largeDevice).map(outline)).toEqual([
      {
        kernel: "reduce/column-sum",
        ...{ count: 64, columns: 2, rows: 1000, slices: 32, base: 0 },
        operands: { x: "x", partial: "partial" },
        grid: [1, 1, 1],
      },
      { kernel: "reduce/sum-slices", count: 8, slices: 32, operands: { partial: "partial", y: "y" }, grid: [1, 1, 1] },
    ]);
    expect(plan.scratch).toEqual({ partial: 1024 });
  });

  it("loads vectors of four rows where columns are not in fours", () => {
    const plan = planColumnSum(1000, 3, largeDevice);
    const [step, sum] = soundSteps(plan, largeDevice);
    expect(step?.params).toMatchObject({ count: 48, columns: 3, rows: 250, slices: 16 });
    expect(sum?.params).toEqual({ count: 3, slices: 64 });
  });

  it.each([
    [63, 8],
    [65, 3],
  ])("of %i rows and %i columns is a sum like any other", (rows, columns) => {
    const plan = planColumnSum(rows, columns, largeDevice);
    const [step] = soundSteps(plan, largeDevice);
    expect(step?.kernel.name).toBe("reduce/sum");
    expect(step?.params).toMatchObject({ kept: columns, reduced: rows, keptStrides: [1], reducedStrides: [columns] });
  });

  it("begins where the device is busy without slices, and with 64 rows", () => {
    expect(planColumnSum(64, 8, largeDevice).steps[0]?.params.slices).toBe(8);
    expect(planColumnSum(10_000, 400, { ...largeDevice, parallelism: 4 }).steps[0]?.params.slices).toBe(3);
    expect(planColumnSum(10_000, 400, { ...largeDevice, parallelism: 0 }).steps[0]?.params.slices).toBe(1);
  });

  it.each([
    [1000, 8],
    [1000, 20],
    [1024, 8],
    [1000, 3],
  ])("takes every line of %i rows of %i columns once where they are larger than a binding", (rows, columns) => {
    const plan = planColumnSum(rows, columns, smallDevice);
    const all = soundSteps(plan, smallDevice);
    const [steps, sum] = [all.slice(0, -1), all.at(-1)!];
    expect(steps.length).toBeGreaterThan(1);
    const elements = scalar(steps[0]!.params, "columns") * 4;
    const { slices } = steps[0]!.params as { slices: number };
    expectCovered(
      steps.map((step, i) => {
        expect(step.params.base).toBe(i * scalar(step.params, "count"));
        expect(step.params.count).toBe((elements / 4) * slices);
        expectGridOver(step, scalar(step.params, "count"));
        const begin = originOf(step, "x") / elements;
        const { operand, byteLength } = step.operands.x as OperandPart;
        expect(operand).toBe("x");
        expect(byteLength).toBe(scalar(step.params, "rows") * elements * 4);
        return [begin, begin + scalar(step.params, "rows")] as const;
      }),
      (rows * columns) / elements,
    );
    expect(sum.params.slices).toBe((steps.length * slices * elements) / columns);
    expect(plan.scratch).toEqual({ partial: steps.length * slices * elements * 4 });
    expect(plan.scratch!.partial).toBeLessThanOrEqual(smallDevice.bindingLimit);
  });
});
