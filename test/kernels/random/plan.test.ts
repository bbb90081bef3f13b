import { planRandom } from "@fcn/kernels";
import { expect, it } from "vitest";
import { smallDevice, soundSteps } from "../../support/plans.js";

it("random numbers are counted through all windows, and the seed has 53 bits", () => {
  const plan = planRandom({ mode: "uniform", count: 3000, seed: 2 ** 40 + 5, a: 0, b: 1 }, smallDevice);
  const steps = soundSteps(plan, smallDevice);
  expect(steps.map(({ params }) => [params.base, params.count])).toEqual([
    [0, 1024],
    [1024, 1024],
    [2048, 952],
  ]);
  expect(steps[0]?.params).toMatchObject({ seedLow: 5, seedHigh: 256 });
});
