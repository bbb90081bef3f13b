import {
  type AdaptivePoolGeometry,
  type Plan,
  planAdaptiveAveragePool2d,
  planAdaptiveAveragePool2dBackward,
} from "@fcn/kernels";
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

const g: AdaptivePoolGeometry = { n: 2, channels: 3, inH: 31, inW: 23, outH: 12, outW: 40 };

type Planner = (g: AdaptivePoolGeometry, caps: typeof largeDevice) => Plan | undefined;
const directions: Readonly<Record<string, { plan: Planner; backward: boolean; from: number[]; to: number[] }>> = {
  forward: { plan: planAdaptiveAveragePool2d, backward: false, from: [31, 23], to: [12, 40] },
  backward: { plan: planAdaptiveAveragePool2dBackward, backward: true, from: [12, 40], to: [31, 23] },
};

describe.each(Object.entries(directions))("the plan of adaptive pooling, %s", (_, { plan, backward, from, to }) => {
  const [[fromH, fromW], [toH, toW]] = [from, to] as [[number, number], [number, number]];
  const [x, y] = backward ? ["dy", "dx"] : ["x", "y"];

  it("takes an element a thread", () => {
    const count = 2 * 3 * toH * toW;
    expect(soundSteps(plan(g, largeDevice), largeDevice).map(outline)).toEqual([
      {
        kernel: "pool/adaptive",
        ...{ BACKWARD: backward, count, begin: 0, fromOrigin: 0, toOrigin: 0, channels: 3 },
        ...{ fromH, fromW, toH, toW },
        operands: { x, y },
        grid: [Math.ceil(count / 64), 1, 1],
      },
    ]);
  });

  it("folds a grid past 65,535 workgroups", () => {
    const [step] = soundSteps(plan({ ...g, n: 4000 }, { ...largeDevice, bindingLimit: 2 ** 31 }), largeDevice);
    expectGridOver(step!, scalar(step!.params, "count"));
  });

  it("does not exist where a row is larger than a binding", () =>
    expect(plan({ ...g, inW: 2000, outW: 1000 }, smallDevice)).toBeUndefined());

  it("writes each row once in parts, and binds what it reads", () => {
    const steps = soundSteps(plan(g, smallDevice), smallDevice);
    expect(steps.length).toBeGreaterThan(2);
    const ranges = steps.map((step) => {
      const { params } = step;
      expect(scalar(params, "fromOrigin")).toBe(originOf(step, "x"));
      expect(scalar(params, "toOrigin")).toBe(originOf(step, "y"));
      const [bound, end] = boundElements(step, "x", Number.POSITIVE_INFINITY);
      const begin = scalar(params, "begin");
      for (let row = begin / (toW * 3); row < (begin + scalar(params, "count")) / (toW * 3); row++) {
        const [image, own] = [Math.floor(row / toH), row % toH];
        for (let read = 0; read < fromH; read++) {
          if (read * toH >= (own + 1) * fromH || (read + 1) * toH <= own * fromH) continue;
          expect((image * fromH + read) * fromW * 3).toBeGreaterThanOrEqual(bound);
          expect((image * fromH + read + 1) * fromW * 3).toBeLessThanOrEqual(end);
        }
      }
      return [begin, begin + scalar(params, "count")] as const;
    });
    expectCovered(ranges, 2 * 3 * toH * toW);
  });
});
