import { planRandom, UNREAD } from "@fcn/kernels";
import { expect, it } from "vitest";
import {
  boundElements,
  expectGridOver,
  largeDevice,
  outline,
  scalar,
  smallDevice,
  soundSteps,
} from "../../support/plans.js";

it("random numbers are counted through all parts, and the seed has 53 bits", () => {
  const plan = planRandom({ mode: "uniform", count: 3000, seed: 2 ** 40 + 5, a: 0, b: 1 }, smallDevice);
  const steps = soundSteps(plan, smallDevice);
  expect(steps.map(({ params }) => [params.base, params.count])).toEqual([
    [0, 1024],
    [1024, 1024],
    [2048, 952],
  ]);
  expect(steps[0]?.params).toMatchObject({ seedLow: 5, seedHigh: 256 });
});

it.each([
  ["uniform", 0],
  ["normal", 1],
  ["dropout", 2],
] as const)("the plan of %s says what there is, and reads an operand for dropout only", (mode, MODE) => {
  const plan = planRandom(
    { mode, count: 1000, seed: 7, stream: 3, a: 0.25, b: 2, period: 5, channels: 4 },
    largeDevice,
  );
  expect(soundSteps(plan, largeDevice).map(outline)).toEqual([
    {
      kernel: "random/philox",
      ...{ MODE, count: 1000, base: 0, seedLow: 7, seedHigh: 0, stream: 3, a: 0.25, b: 2, period: 5, channels: 4 },
      operands: { x: mode === "dropout" ? "x" : UNREAD, y: "y" },
      grid: [4, 1, 1],
    },
  ]);
  const steps = soundSteps(planRandom({ mode: "dropout", count: 3000, seed: 7, a: 0.5 }, smallDevice), smallDevice);
  for (const step of steps) {
    expect(step.params).toMatchObject({ stream: 0, b: 0, period: 1, channels: 1 });
    for (const name of ["x", "y"]) expect(boundElements(step, name, 3000)[0]).toBe(step.params.base);
    expectGridOver(step, scalar(step.params, "count"), 4);
  }
});
