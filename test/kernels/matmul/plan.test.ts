import { type Capabilities, type MatmulCase, planMatmul, UNREAD } from "@fcn/kernels";
import { describe, expect, it } from "vitest";
import {
  boundElements,
  expectGridOver,
  largeDevice,
  originOf,
  outline,
  placeAt,
  scalar,
  smallDevice,
  soundSteps,
  vectors,
} from "../../support/plans.js";

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
  it("merges the batch dims that are contiguous", () => {
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
    const steps = soundSteps(planMatmul(caseOf([], 64, 64, 64), smallDevice), smallDevice);
    expect(steps.length).toBeGreaterThan(1);
    for (const { operands } of steps) {
      const bound = Object.values(operands).filter((operand) => operand !== UNREAD);
      expect(bound).toHaveLength(3);
      for (const operand of bound) expect(operand).toHaveProperty("byteLength");
    }
  });

  it("in parts has no slices of the inner dim as well", () => {
    const plan = planMatmul(caseOf([], 1, 4096, 4), smallDevice);
    const steps = soundSteps(plan, smallDevice);
    expect(steps.length).toBeGreaterThan(1);
    expect(plan.scratch).toBeUndefined();
    for (const { params } of steps) expect(params).toMatchObject({ count: 1, innerPerSlice: 4096 });
  });

  it("refuses more than six batch dims that do not merge", () => {
    const shape = caseOf(Array(7).fill(2), 2, 2, 2);
    const batch = shape.b.batch.map((stride, i) => (i % 2 ? 0 : stride));
    expect(() => planMatmul({ ...shape, b: { ...shape.b, batch } }, largeDevice)).toThrow("7 separate batch dims");
  });

  it("is one step of tiles of four by four", () => {
    const plan = planMatmul(caseOf([2], 8, 12, 20), largeDevice);
    expect(soundSteps(plan, largeDevice).map(outline)).toEqual([
      {
        kernel: "matmul/product",
        ...{ A_ALONG: 1, B_ALONG: 2, BATCH_DIMS: 1, ACCUMULATE: false },
        ...{ count: 20, rows: 8, columns: 20, inner: 12, innerPerSlice: 12, tilesM: 2, tilesN: 5, batches: 2 },
        ...{ aRow: 12, aInner: 1, bInner: 20, bColumn: 1, cRow: 20, cSlice: 320, aFirst: 0, bFirst: 0, cFirst: 0 },
        batch: [2, 96, 240, 160],
        operands: { a: UNREAD, a4: "a", b: UNREAD, b4: "b", c: "c" },
        grid: [1, 1, 1],
      },
    ]);
    expect(plan.scratch).toBeUndefined();
  });

  it.each<[string, Partial<MatmulCase>, number, number]>([
    ["whole vectors", {}, 1, 2],
    ["both transposed", { a: { batch: [], row: 1, column: 8 }, b: { batch: [], row: 1, column: 8 } }, 2, 1],
    ["an odd inner dim", { inner: 6 }, 0, 2],
    ["odd columns", { columns: 6, b: { batch: [], row: 8, column: 1 } }, 1, 0],
    ["odd strides", { a: { batch: [], row: 9, column: 1 }, b: { batch: [], row: 9, column: 1 } }, 0, 0],
    ["a stride both ways", { a: { batch: [], row: 32, column: 4 }, b: { batch: [], row: 32, column: 4 } }, 0, 0],
  ])("loads vectors along the dim that allows it: %s", (_, o, aAlong, bAlong) => {
    const [step] = soundSteps(planMatmul({ ...caseOf([], 8, 8, 8), ...o }, largeDevice), largeDevice);
    expect(step?.constants).toMatchObject({ A_ALONG: aAlong, B_ALONG: bAlong });
    expect(step?.operands).toMatchObject({ [aAlong ? "a4" : "a"]: "a", [bAlong ? "b4" : "b"]: "b" });
  });

  it("loads no vectors where matrices of a batch are not whole vectors apart", () => {
    const shape = caseOf([2], 8, 8, 8);
    const apart = { ...shape, a: { ...shape.a, batch: [66] }, b: { ...shape.b, batch: [67] } };
    expect(planMatmul(apart, largeDevice).steps[0]?.constants).toMatchObject({ A_ALONG: 0, B_ALONG: 0 });
  });

  it.each([
    // Slices enough for the device, of at least 64 products, in whole vectors.
    [[], 4, 4096, 4, 64, 64],
    [[], 64, 4096, 64, 8, 512],
    [[3], 8, 65_536, 16, 86, 764],
    [[], 4, 127, 4, 1, 128],
  ])("of batch %j, %i x %i x %i has %i slices of %i", (batch, rows, inner, columns, slices, innerPerSlice) => {
    const plan = planMatmul(caseOf(batch, rows, inner, columns), largeDevice);
    const [step, sum] = soundSteps(plan, largeDevice);
    expect(step?.params.innerPerSlice).toBe(innerPerSlice);
    expect(step?.operands.c).toBe(slices > 1 ? "slices" : "c");
    const tiles = batch.reduce((a, b) => a * b, 1) * Math.ceil(rows / 4) * Math.ceil(columns / 4);
    expect(step?.params.count).toBe(tiles * slices);
    expectGridOver(step!, tiles * slices);
    if (slices > 1) expect(sum).toMatchObject({ params: { slices }, operands: { partial: "slices", y: "c" } });
  });

  it("of an empty inner dim still writes its zeros", () => {
    const plan = planMatmul(caseOf([], 4, 0, 4), largeDevice);
    expect(plan.steps).toHaveLength(1);
    expect(plan.steps[0]?.params).toMatchObject({ count: 1, inner: 0 });
  });

  it("of an empty inner dim writes zeros in parts where the result is larger than a binding", () => {
    const [rows, columns] = [50, 70];
    const plan = planMatmul(caseOf([], rows, 0, columns), smallDevice);
    const seen = new Set<number>();
    for (const step of soundSteps(plan, smallDevice)) {
      const { params, constants, operands } = step;
      expect(operands).toMatchObject({ a: UNREAD, a4: UNREAD, b: UNREAD, b4: UNREAD });
      expect(constants).toMatchObject({ ACCUMULATE: false });
      const [begin, end] = boundElements(step, "c", rows * columns);
      expect((end - begin) * 4).toBeLessThanOrEqual(smallDevice.bindingLimit);
      const first = begin + scalar(params, "cFirst");
      for (let i = 0; i < scalar(params, "rows"); i++) {
        for (let j = 0; j < scalar(params, "columns"); j++) seen.add(first + i * scalar(params, "cRow") + j);
      }
    }
    expect(seen.size).toBe(rows * columns);
    expect(Math.max(...seen)).toBe(rows * columns - 1);
  });

  it("of an empty result is one step, whatever the size of its operands", () => {
    const { steps } = planMatmul(caseOf([], 0, 100, 100), smallDevice);
    expect(steps).toHaveLength(1);
    expect(steps[0]?.operands).toMatchObject({ a: UNREAD, b: UNREAD });
  });

  it("in parts takes every product once, and adds where an earlier part wrote", () => {
    const [rows, inner, columns] = [20, 100, 16];
    const plan = planMatmul({ ...caseOf([2], rows, inner, columns) }, smallDevice);
    const steps = soundSteps(plan, smallDevice);
    expect(plan.scratch).toBeUndefined();
    const seen = new Set<string>();
    for (const step of steps) {
      const { params, constants, operands } = step;
      const first = (name: string) =>
        originOf(step, operands[`${name}4`] && operands[`${name}4`] !== UNREAD ? `${name}4` : name) +
        scalar(params, `${name}First`);
      const [a, b, c] = [first("a"), first("b"), first("c")];
      const [row, k] = [Math.floor(a / inner) % rows, a % inner];
      const column = b % columns;
      const batch = Math.floor(a / (rows * inner));
      expect(Math.floor(b / columns) % inner).toBe(k);
      expect(c).toBe((batch * rows + row) * columns + column);
      expect(constants?.ACCUMULATE).toBe(k > 0);
      for (let n = 0; n < scalar(params, "batches"); n++) {
        for (let i = 0; i < scalar(params, "rows"); i++) {
          for (let j = 0; j < scalar(params, "columns"); j++) {
            const place = `${batch + n} ${row + i} ${column + j}`;
            for (let l = k; l < k + scalar(params, "inner"); l++) {
              expect(seen.has(`${place} ${l}`)).toBe(false);
              seen.add(`${place} ${l}`);
            }
          }
        }
      }
    }
    expect(steps.some(({ constants }) => constants?.ACCUMULATE)).toBe(true);
    expect(seen.size).toBe(2 * rows * inner * columns);
  });
});

describe("the plan of a product on a GPU", () => {
  const gpu: Capabilities = { ...largeDevice, parallelism: 1024, variants: ["workgroup", "register"] };
  const first = (shape: MatmulCase) => outline(soundSteps(planMatmul(shape, gpu), gpu)[0]!);

  it("goes through workgroup memory where both sides fill a tile", () => {
    expect(first(caseOf([2], 1024, 64, 1040))).toMatchObject({
      kernel: "matmul/product-workgroup",
      ...{ count: 2 * 16 * 17, tilesM: 16, tilesN: 17, innerPerSlice: 64, grid: [544, 1, 1] },
    });
    expect(first(caseOf([], 31, 64, 1024)).kernel).toBe("matmul/product");
    expect(first(caseOf([], 1024, 64, 31)).kernel).toBe("matmul/product");
    expect(first(caseOf([], 32, 64, 32)).kernel).toBe("matmul/product-workgroup");
  });

  it("slices a long inner dim for 256 tiles, but no finer than 128", () => {
    expect(first(caseOf([], 128, 65_536, 128))).toMatchObject({
      tilesM: 2,
      tilesN: 2,
      innerPerSlice: 1024,
      count: 256,
    });
    expect(first(caseOf([], 64, 1024, 64))).toMatchObject({ innerPerSlice: 128, count: 8 });
  });

  it("names its choice by sizes and by what is dense", () => {
    const shape = caseOf([3], 100, 60, 40);
    expect(planMatmul(shape, gpu).tunable).toMatchObject({ key: "matmul rows rows 128 64 32 4", tile: { SGN: 16 } });
    const across = { ...shape, a: { batch: [6000], row: 1, column: 100 }, b: { batch: [9600], row: 80, column: 2 } };
    expect(planMatmul(across, gpu).tunable?.key).toBe("matmul columns strided 128 64 32 4");
  });
});
