import { type LrnGeometry, planLocalResponseNorm, planLocalResponseNormBackward } from "@fcn/kernels";
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

const g: LrnGeometry = { count: 60, channels: 6, size: 5, alpha: 0.5, beta: 0.75, k: 2 };
const window = { channels: 6, before: 2, after: 2, slope: 0.1, beta: 0.75 };

describe("the plan of local response normalisation", () => {
  it("is one step", () => {
    expect(soundSteps(planLocalResponseNorm(g, largeDevice), largeDevice).map(outline)).toEqual([
      {
        kernel: "lrn/forward",
        ...window,
        k: 2,
        count: 60,
        first: 0,
        operands: { x: "x", y: "y", d: "d" },
        grid: [1, 1, 1],
      },
    ]);
  });

  it("has two steps backward, with the ratios between them", () => {
    const plan = planLocalResponseNormBackward(g, largeDevice);
    const given = { x: "x", dy: "dy", d: "d", r: "r" };
    expect(soundSteps(plan, largeDevice).map(outline)).toEqual([
      { kernel: "lrn/ratio", count: 60, first: 0, beta: 0.75, operands: given, grid: [1, 1, 1] },
      { kernel: "lrn/backward", ...window, count: 60, first: 0, operands: { ...given, dx: "dx" }, grid: [1, 1, 1] },
    ]);
    expect(plan?.scratch).toEqual({ r: 240 });
  });

  it.each([
    [1, 0, 0],
    [2, 1, 0],
    [3, 1, 1],
    [4, 2, 1],
  ])("over %i channels looks at %i before and %i after", (size, before, after) => {
    const params = { before, after, slope: 0.5 / size };
    expect(planLocalResponseNorm({ ...g, size }, largeDevice)?.steps[0]?.params).toMatchObject(params);
    expect(planLocalResponseNormBackward({ ...g, size }, largeDevice)?.steps[1]?.params).toMatchObject(params);
  });

  it("folds a grid past 65,535 workgroups", () => {
    const many = { ...g, count: 6_000_000 };
    const steps = [planLocalResponseNorm(many, largeDevice), planLocalResponseNormBackward(many, largeDevice)].flatMap(
      (plan) => soundSteps(plan, largeDevice),
    );
    expect(steps).toHaveLength(3);
    for (const step of steps) expectGridOver(step, 6_000_000);
  });

  it("takes ranges of whole pixels where an operand is larger than a binding", () => {
    const many = { ...g, count: 2400 };
    const check = (steps: ReturnType<typeof soundSteps>, names: readonly string[]) => {
      expect(steps.length).toBeGreaterThan(1);
      const ranges = steps.map((step) => {
        const begin = originOf(step, "x") + scalar(step.params, "first");
        for (const name of names) expect(originOf(step, name)).toBe(originOf(step, "x"));
        expect(begin % 6).toBe(0);
        return [begin, begin + scalar(step.params, "count")] as const;
      });
      expectCovered(ranges, 2400);
      return Math.max(...ranges.map(([begin, end]) => end - begin));
    };
    check(soundSteps(planLocalResponseNorm(many, smallDevice), smallDevice), ["y", "d"]);
    const backward = planLocalResponseNormBackward(many, smallDevice);
    const steps = soundSteps(backward, smallDevice);
    const kinds = ["lrn/ratio", "lrn/backward"].map((name) => steps.filter(({ kernel }) => kernel.name === name));
    const largest = check(kinds[0]!, ["dy", "d"]);
    expect(check(kinds[1]!, ["dy", "d", "dx"])).toBe(largest);
    expect(backward?.scratch).toEqual({ r: largest * 4 });
  });

  it("does not exist where a pixel is larger than a binding", () => {
    const wide = { ...g, count: 20_000, channels: 1000 };
    expect(planLocalResponseNorm(wide, smallDevice)).toBeUndefined();
    expect(planLocalResponseNormBackward(wide, smallDevice)).toBeUndefined();
  });
});
