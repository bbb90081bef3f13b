import { planExpand, planMax, planSum, type Step, UNREAD } from "@fcn/kernels";
import { describe, expect, it } from "vitest";
import {
  expectGridOver,
  largeDevice,
  originOf,
  outline,
  placeAt,
  scalar,
  smallDevice,
  soundSteps,
} from "../../support/plans.js";

const kept = (size: number) => ({ size, reduced: false });
const reduced = (size: number) => ({ size, reduced: true });
const first = { xFirst: 0, yFirst: 0, ACCUMULATE: false };

describe("the steps of a reduction", () => {
  it("is one where few elements are reduced", () => {
    const plan = planSum([kept(4), reduced(64)], 2, largeDevice);
    expect(soundSteps(plan, largeDevice).map(outline)).toEqual([
      {
        ...{ kernel: "reduce/sum", KEPT: 1, REDUCED: 1, ...first, scale: 2 },
        ...{ count: 4, kept: 4, reduced: 64, slices: 1 },
        ...{ keptSizes: [4], keptStrides: [64], reducedSizes: [64], reducedStrides: [1] },
        operands: { x: "x", y: "y" },
        grid: [1, 1, 1],
      },
    ]);
    expect(plan.scratch).toEqual({});
    expect(planSum([kept(4), reduced(65)], 2, largeDevice).steps[0]?.params).toMatchObject({ slices: 3 });
    expect(planSum([kept(0), reduced(650)], 2, largeDevice).steps).toMatchObject([{ params: { slices: 1, count: 0 } }]);
    expect(planSum([kept(1000), reduced(6500)], 2, largeDevice).steps[0]?.params.slices).toBe(3);
  });

  it("are two where many are, with the slices between them", () => {
    const plan = planSum([kept(3), reduced(1000), kept(2)], 2, largeDevice);
    expect(soundSteps(plan, largeDevice).map(outline)).toEqual([
      {
        ...{ kernel: "reduce/sum", KEPT: 2, REDUCED: 1, ...first, scale: 1 },
        ...{ count: 192, kept: 6, reduced: 1000, slices: 32 },
        ...{ keptSizes: [2, 3], keptStrides: [1, 2000], reducedSizes: [1000], reducedStrides: [2] },
        operands: { x: "x", y: "partial0" },
        grid: [3, 1, 1],
      },
      {
        ...{ kernel: "reduce/sum", KEPT: 1, REDUCED: 1, ...first, scale: 2 },
        ...{ count: 6, kept: 6, reduced: 32, slices: 1 },
        ...{ keptSizes: [6], keptStrides: [1], reducedSizes: [32], reducedStrides: [6] },
        operands: { x: "partial0", y: "y" },
        grid: [1, 1, 1],
      },
    ]);
    expect(plan.scratch).toEqual({ partial0: 768 });
  });

  it("of a maximum keep places beside values, and scratch for what nobody wants", () => {
    const plan = planMax([reduced(1000), kept(2)], { values: false, indices: true }, largeDevice);
    expect(
      soundSteps(plan, largeDevice).map(({ operands, params, constants }) => ({ operands, params, constants })),
    ).toMatchObject([
      {
        operands: { found: UNREAD, x: "x", y: "partial0", index: "indices0" },
        params: { reducedFirst: 0 },
        constants: { MERGE: false },
      },
      { operands: { x: "partial0", found: "indices0", y: "y", index: "index" }, constants: { MERGE: true } },
    ]);
    expect(plan.scratch).toEqual({ y: 8, partial0: 256, indices0: 256 });
    const few = [reduced(10), kept(2)];
    expect(planMax(few, { values: true, indices: false }, largeDevice).scratch).toEqual({ index: 8 });
    expect(planMax(few, { values: true, indices: true }, largeDevice).scratch).toEqual({});
    expect(planMax([reduced(10)], { values: true, indices: false }, largeDevice).scratch).toEqual({ index: 4 });
  });

  it.each([
    ["kept dims outside", [kept(3), reduced(700)]],
    ["reduced dims outside", [reduced(3), kept(500)]],
    ["both outside", [reduced(2), kept(3), reduced(700)]],
    ["the outermost a step at a time", [reduced(3), kept(5), reduced(5), kept(60)]],
  ])("in leaves read every element once into its sum, later ones adding: %s", (_, dims) => {
    const plan = planSum(dims, 3, smallDevice);
    const seen = new Set<number>();
    const written = new Map<number, number>();
    const innerKept = dims.map((_, i) => dims.slice(i + 1).reduce((n, d) => (d.reduced ? n : n * d.size), 1));
    const inner = dims.map((_, i) => dims.slice(i + 1).reduce((n, d) => n * d.size, 1));
    const keptOf = (element: number) =>
      dims.reduce((at, d, i) => (d.reduced ? at : at + (Math.floor(element / inner[i]!) % d.size) * innerKept[i]!), 0);
    let reads: Step | undefined;
    for (const step of soundSteps(plan, smallDevice)) {
      const { params, constants, operands } = step;
      const list = (name: string) => params[name] as number[];
      if (operands.x !== "partial0") reads = step;
      expectGridOver(step, scalar(params, "count"));
      if (operands.y === "partial0") {
        expect(constants?.ACCUMULATE).toBe(false);
        expect(plan.scratch!.partial0).toBeGreaterThanOrEqual(scalar(params, "count") * 4);
        continue;
      }
      expect(params.scale).toBe(3);
      const source = reads!;
      const own = (name: string) => source.params[name] as number[];
      for (let k = 0; k < scalar(source.params, "kept"); k++) {
        const target = originOf(step, "y") + scalar(params, "yFirst") + k;
        for (let r = 0; r < scalar(source.params, "reduced"); r++) {
          const at =
            originOf(source, "x") +
            scalar(source.params, "xFirst") +
            placeAt(k, own("keptSizes"), own("keptStrides")) +
            placeAt(r, own("reducedSizes"), own("reducedStrides"));
          expect(keptOf(at)).toBe(target);
          expect(seen.has(at)).toBe(false);
          seen.add(at);
        }
        expect(constants?.ACCUMULATE).toBe(written.has(target));
        written.set(target, 1);
      }
      expect(list("keptSizes").reduce((a, b) => a * b, 1)).toBe(scalar(params, "kept"));
    }
    expect(seen.size).toBe(dims.reduce((n, d) => n * d.size, 1));
    expect(written.size).toBe(dims.reduce((n, d) => (d.reduced ? n : n * d.size), 1));
  });

  it("of a gradient are one that fits", () => {
    const dims = [reduced(10), kept(2)];
    const common = {
      DIMS: 2,
      count: 20,
      scale: 0.5,
      dxFirst: 0,
      dyFirst: 0,
      reducedFirst: 0,
      dims: [2, 1, 0, 0, 10, 0, 1, 0],
    };
    expect(planExpand(dims, 0.5, true, largeDevice).steps.map(outline)).toEqual([
      {
        ...{ kernel: "reduce/expand", SELECT: true, ...common },
        operands: { dy: "dy", index: "index", dx: "dx" },
        grid: [1, 1, 1],
      },
    ]);
    expect(planExpand(dims, 0.5, false, largeDevice).steps[0]).toMatchObject({
      constants: { SELECT: false },
      operands: { index: UNREAD },
    });
  });
});
