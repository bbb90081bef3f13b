import { planPaint, UNREAD } from "@fcn/kernels";
import { expect, it } from "vitest";
import { smallDevice, soundSteps } from "../../support/plans.js";

it.each([true, false])("colours cover every pixel once, with an image below: %s", (image) => {
  const paint = { pixels: 5000, colours: 21, image, alpha: 0.5, plain: -1 };
  const steps = soundSteps(planPaint(paint, smallDevice), smallDevice);
  expect(steps.reduce((sum, { params }) => sum + (params.count as number), 0)).toBe(5000);
  expect(steps.every(({ operands }) => (operands.image === UNREAD) === !image)).toBe(true);
});
