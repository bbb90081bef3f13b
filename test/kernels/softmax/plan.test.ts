import { planSoftmax, planSoftmaxBackward } from "@fcn/kernels";
import { expect, it } from "vitest";
import { smallDevice, soundSteps } from "../../support/plans.js";

it.each([planSoftmax, planSoftmaxBackward])("a softmax is cut between its outer parts only", (plan) => {
  const steps = soundSteps(plan({ outer: 100, size: 21, inner: 4 }, true, smallDevice), smallDevice);
  expect(steps.length).toBeGreaterThan(1);
  expect(steps.reduce((sum, { params }) => sum + (params.count as number), 0)).toBe(400);
  expect(plan({ outer: 1, size: 2000, inner: 1 }, false, smallDevice)).toBeUndefined();
});
