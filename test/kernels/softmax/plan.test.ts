import { planSoftmax, planSoftmaxBackward } from "@fcn/kernels";
import { expect, it } from "vitest";
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

it.each([planSoftmax, planSoftmaxBackward])("a softmax is cut between its outer parts only", (plan) => {
  const steps = soundSteps(plan({ outer: 100, size: 21, inner: 4 }, true, smallDevice), smallDevice);
  expect(steps.length).toBeGreaterThan(1);
  expect(steps.reduce((sum, { params }) => sum + (params.count as number), 0)).toBe(400);
  expect(plan({ outer: 1, size: 2000, inner: 1 }, false, smallDevice)).toBeUndefined();
});

it("a softmax that fits is one step", () => {
  const lines = { outer: 10, size: 21, inner: 8 };
  const common = { count: 80, size: 21, inner: 8, first: 0, grid: [2, 1, 1] };
  expect(soundSteps(planSoftmax(lines, true, largeDevice), largeDevice).map(outline)).toEqual([
    { kernel: "softmax/forward", LOG: true, ...common, operands: { x: "x", y: "y" } },
  ]);
  expect(soundSteps(planSoftmaxBackward(lines, false, largeDevice), largeDevice).map(outline)).toEqual([
    { kernel: "softmax/backward", LOG: false, ...common, operands: { y: "y", dy: "dy", dx: "dx" } },
  ]);
});

it.each([
  [planSoftmax, ["x", "y"]],
  [planSoftmaxBackward, ["y", "dy", "dx"]],
] as const)("each part of a softmax is placed from where its bindings begin", (plan, names) => {
  const steps = soundSteps(plan({ outer: 100, size: 21, inner: 5 }, true, smallDevice), smallDevice);
  const ranges = steps.map((step) => {
    for (const name of names) expect(originOf(step, name)).toBe(originOf(step, names[0]));
    const begin = originOf(step, names[0]) + scalar(step.params, "first");
    expectGridOver(step, scalar(step.params, "count"));
    return [begin, begin + scalar(step.params, "count") * 21] as const;
  });
  expectCovered(ranges, 100 * 21 * 5);
});

it("a softmax of nothing is one step without threads", () =>
  expect(planSoftmax({ outer: 3, size: 0, inner: 4 }, false, smallDevice)?.steps).toMatchObject([
    { params: { count: 0 }, operands: { x: "x", y: "y" } },
  ]));
