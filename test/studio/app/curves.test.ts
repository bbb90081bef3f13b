import { describe, expect, it } from "vitest";
import { extended } from "../../../studio/src/app/curves.js";
import type { Progress } from "../../../studio/src/app/state.js";

const point = (step: number): Progress => ({ step, loss: 1 / step, heldBack: undefined });

describe("extended", () => {
  it("adds points, and begins anew where a step was before", () => {
    const three = [1, 2, 3].reduce<readonly Progress[]>((points, step) => extended(points, point(step)), []);
    expect(three.map(({ step }) => step)).toEqual([1, 2, 3]);
    expect(extended(three, point(2))).toEqual([point(2)]);
  });

  it("keeps the whole range in a bounded number of points", () => {
    let points: readonly Progress[] = [];
    for (let step = 1; step <= 10_000; step++) points = extended(points, point(step));
    expect(points.length).toBeLessThanOrEqual(1200);
    expect(points.length).toBeGreaterThan(500);
    expect(points[0]?.step).toBe(1);
    expect(points.at(-1)?.step).toBe(10_000);
  });
});
