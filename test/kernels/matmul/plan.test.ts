import { type MatmulCase, planMatmul } from "@fcn/kernels";
import { describe, expect, it } from "vitest";
import { largeDevice, placeAt, scalar, smallDevice, soundSteps, vectors } from "../../support/plans.js";

const dense = (batch: readonly number[], rows: number, columns: number) => ({
  batch: batch.map((_, i) => batch.slice(i + 1).reduce((a, b) => a * b, rows * columns)),
  row: columns,
  column: 1,
});

const caseOf = (batch: readonly number[], rows: number, inner: number, columns: number): MatmulCase => ({
  batch,
  rows,
  inner,
  columns,
  a: dense(batch, rows, inner),
  b: dense(batch, inner, columns),
});

describe("the plan of a product of matrices", () => {
  it("merges the batch dims that are one run", () => {
    const [step] = soundSteps(planMatmul(caseOf([2, 3], 4, 8, 12), largeDevice), largeDevice);
    expect(step?.params.batch).toEqual([6, 32, 96, 48]);
    expect(step?.constants).toMatchObject({ A_ALONG: 1, B_ALONG: 2, BATCH_DIMS: 1 });
  });

  it("places six batch dims that do not merge in every operand", () => {
    const shape = caseOf([2, 3, 2, 2, 3, 2], 2, 3, 2);
    const even = shape.b.batch.map((stride, i) => (i % 2 ? 0 : stride));
    const [step] = soundSteps(planMatmul({ ...shape, b: { ...shape.b, batch: even } }, largeDevice), largeDevice);
    const dims = vectors(step!.params, "batch");
    expect(dims).toHaveLength(6);
    const lane = (i: number) => dims.map((dim) => dim[i]!);
    for (let id = 0; id < scalar(step!.params, "batches"); id++) {
      expect(placeAt(id, lane(0), lane(1))).toBe(id * 6);
      expect(placeAt(id, lane(0), lane(2))).toBe(placeAt(id, [2, 3, 2, 2, 3, 2], [...even].reverse()));
      expect(placeAt(id, lane(0), lane(3))).toBe(id * 4);
    }
  });

  it("has no batch dims without a batch", () => {
    const [step] = soundSteps(planMatmul(caseOf([], 4, 8, 12), largeDevice), largeDevice);
    expect(step?.params).toMatchObject({ batches: 1, batch: [] });
  });

  it("slices a long inner dim and sums the slices", () => {
    const plan = planMatmul(caseOf([], 4, 4096, 4), largeDevice);
    const [step, sum] = soundSteps(plan, largeDevice);
    expect(step?.operands.c).toBe("slices");
    expect(sum?.operands).toMatchObject({ y: "c" });
    expect(plan.scratch?.slices).toBe(16 * 4 * (sum?.params.slices as number));
  });

  it("is cut where an operand is larger than a binding", () => {
    expect(soundSteps(planMatmul(caseOf([], 64, 64, 64), smallDevice), smallDevice).length).toBeGreaterThan(1);
  });

  it("refuses more than six batch dims that do not merge", () => {
    const shape = caseOf(Array(7).fill(2), 2, 2, 2);
    const batch = shape.b.batch.map((stride, i) => (i % 2 ? 0 : stride));
    expect(() => planMatmul({ ...shape, b: { ...shape.b, batch } }, largeDevice)).toThrow("7 separate batch dims");
  });
});
