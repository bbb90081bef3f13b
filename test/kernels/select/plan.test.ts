import { planGather, planGatherBackward, planRank } from "@fcn/kernels";
import { describe, expect, it } from "vitest";
import { boundElements, expectGridOver, largeDevice, scalar, smallDevice, soundSteps } from "../../support/plans.js";

const selection = { outer: 40, size: 30, places: 7, inner: 5 };
const order = { descending: true, integer: false };
const plans = {
  gather: { plan: (shared: boolean) => planGather({ ...selection, shared }, false, smallDevice), per: 35, rows: "y" },
  "its gradient": {
    plan: (shared: boolean) => planGatherBackward({ ...selection, shared }, smallDevice),
    per: 150,
    rows: "dx",
  },
  rank: { plan: () => planRank(selection, order, smallDevice), per: 150, rows: "x" },
} as const;

describe.each(Object.keys(plans) as (keyof typeof plans)[])("the plan of %s", (name) => {
  const { plan, per, rows } = plans[name];

  it.each([false, true])("is cut between rows only (shared index: %s)", (shared) => {
    const steps = soundSteps(plan(shared), smallDevice);
    expect(steps.length).toBeGreaterThan(1);
    let count = 0;
    for (const step of steps) {
      const { params } = step;
      expect(scalar(params, "count") % per).toBe(0);
      expectGridOver(step, scalar(params, "count"));
      const [begin] = boundElements(step, rows, 40 * per);
      expect(begin + scalar(params, `${rows}First`)).toBe(count);
      if (shared && name !== "rank") expect(params.indexFirst).toBe(0);
      count += scalar(params, "count");
    }
    expect(count).toBe(40 * per);
  });
});

it("rows larger than a binding have no plan", () => {
  const large = { outer: 1, size: 3000, places: 1, inner: 1 };
  expect(planGather({ ...large, shared: true }, false, smallDevice)).toBeUndefined();
  expect(planGatherBackward({ ...large, shared: true }, smallDevice)).toBeUndefined();
  expect(planRank(large, order, smallDevice)).toBeUndefined();
});

it("integers have kernels of their own", () => {
  const types = (integer: boolean) =>
    [
      planGather({ ...selection, shared: false }, integer, largeDevice),
      planRank(selection, { descending: false, integer }, largeDevice),
    ].map((plan) => /^alias X=(\w+);$/m.exec(plan!.steps[0]!.kernel.source)?.[1]);
  expect([types(false), types(true)]).toEqual([
    ["f32", "f32"],
    ["i32", "i32"],
  ]);
});
