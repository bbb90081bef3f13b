import { planPaint, UNREAD } from "@fcn/kernels";
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

it.each([true, false])("colours cover every pixel once, with an image below: %s", (image) => {
  const paint = { pixels: 5000, colours: 21, image, alpha: 0.5, plain: -1 };
  const steps = soundSteps(planPaint(paint, smallDevice), smallDevice);
  expect(steps.reduce((sum, { params }) => sum + (params.count as number), 0)).toBe(5000);
  expect(steps.every(({ operands }) => (operands.image === UNREAD) === !image)).toBe(true);
});

it("colours of images that fit are one step", () => {
  const plan = planPaint({ pixels: 100, colours: 21, image: true, alpha: 0.5, plain: -1 }, largeDevice);
  expect(soundSteps(plan, largeDevice).map(outline)).toEqual([
    {
      kernel: "paint/paint",
      ...{ IMAGE: true, count: 100, first: 0, colours: 21, plain: -1, alpha: 0.5 },
      operands: { labels: "labels", palette: "palette", image: "image", y: "y" },
      grid: [2, 1, 1],
    },
  ]);
});

it("colours of images that do not fit are placed from where each binding begins", () => {
  const paint = { pixels: 5001, colours: 21, image: true, alpha: 0.5, plain: -1 };
  const caps = { ...smallDevice, bindingLimit: 4000 };
  const ranges = soundSteps(planPaint(paint, caps), caps).map((step) => {
    const begin = originOf(step, "labels") + scalar(step.params, "first");
    for (const name of ["image", "y"]) expect(originOf(step, name)).toBe(originOf(step, "labels"));
    expectGridOver(step, scalar(step.params, "count"));
    return [begin, begin + scalar(step.params, "count")] as const;
  });
  expectCovered(ranges, 5001);
});
