import { planCumsum } from "@fcn/kernels";
import { expect, it } from "vitest";
import { smallDevice, soundSteps } from "../../support/plans.js";

it("cuts running sums between rows only", () => {
  const steps = soundSteps(planCumsum(100, 40, false, smallDevice), smallDevice);
  expect(steps.length).toBeGreaterThan(1);
  expect(steps.reduce((sum, { params }) => sum + (params.count as number), 0)).toBe(100);
  expect(planCumsum(1, 2000, false, smallDevice)).toBeUndefined();
});
