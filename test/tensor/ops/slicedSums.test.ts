import { planColumnSum } from "@fcn/kernels";
import * as t from "@fcn/tensor";
import { runPlan } from "@fcn/tensor/internal";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let device: t.Device;
beforeAll(async () => {
  device = await t.createDevice({ quiet: true, debug: { poison: true } });
});
afterAll(() => device?.destroy());

interface Shape {
  readonly rows: number;
  readonly columns: number;
  readonly parallelism: number;
  readonly bindingLimit?: number;
  /** Whether grids have two columns and as many rows as it takes. */
  readonly folded?: boolean;
}

/** Sums over the rows, in the slices of a device of this size. */
function columnSums(values: Float32Array, { rows, columns, folded, ...caps }: Shape): Promise<ArrayLike<number>> {
  return device.scope(() => {
    const y = device.zeros([columns]);
    const plan = planColumnSum(rows, columns, { ...device.capabilities, ...caps });
    expect(plan.steps[0]?.kernel.name).toBe("reduce/column-sum");
    const steps = plan.steps.map((step) => ({ ...step, grid: [2, Math.ceil(step.grid[0] / 2), 1] as const }));
    runPlan(device, "columnSum", folded ? { ...plan, steps } : plan, { x: device.tensor(values), y });
    return y.data();
  });
}

describe("sums over rows in slices", () => {
  it.each([
    { rows: 64, columns: 1, parallelism: 32 },
    { rows: 68, columns: 3, parallelism: 32 },
    { rows: 65, columns: 4, parallelism: 32 },
    { rows: 131, columns: 20, parallelism: 1 },
    { rows: 200, columns: 70, parallelism: 4 },
    { rows: 200, columns: 280, parallelism: 32, folded: true },
    { rows: 300, columns: 6, parallelism: 0 },
    { rows: 5003, columns: 8, parallelism: 0 },
    { rows: 4000, columns: 5, parallelism: 32, bindingLimit: 4096 },
  ])("take $rows rows of $columns columns and none after them, parallelism $parallelism", async (shape) => {
    const { rows, columns } = shape;
    // Whole numbers, whose sums are exact. What follows the rows would show.
    const values = Float32Array.from({ length: (rows + 4) * columns }, (_, i) =>
      i < rows * columns ? ((i * 7919) % 1013) - 400 : 1e6,
    );
    const want = new Array<number>(columns).fill(0);
    for (let i = 0; i < rows * columns; i++) want[i % columns]! += values[i]!;
    expect(Array.from(await columnSums(values, shape))).toEqual(want);
  });

  it("err as little over many rows a thread as over a few", async () => {
    // One slice of 40,000 rows. Equal values err the same way at each addition of a serial sum, in all by 3e-5.
    const shape = { rows: 40_000, columns: 4, parallelism: 0 };
    const value = Math.fround(Math.log(21));
    const sums = await columnSums(new Float32Array(4 * shape.rows).fill(value), shape);
    for (const sum of Array.from(sums)) expect(Math.abs(sum / (value * shape.rows) - 1)).toBeLessThan(1e-6);
  });
});
