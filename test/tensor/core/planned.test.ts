import type { Capabilities, Plan } from "@fcn/kernels";
import { expect, it } from "vitest";
import { PlanCache, planned } from "../../../packages/tensor/src/core/planned.js";
import { largeDevice, smallDevice } from "../../support/plans.js";

/** A planning function that counts its calls and tells its arguments. */
function counting() {
  const calls: unknown[][] = [];
  const planner = (...args: [...unknown[], Capabilities]): Plan => {
    calls.push(args.slice(0, -1));
    return { steps: [], scratch: { call: calls.length } };
  };
  return { calls, planner };
}

it("equal calls are planned once, and get the same plan", () => {
  const { calls, planner } = counting();
  const cache = new PlanCache();
  const get = () => cache.get(planned(planner, { n: 2, dims: [3, 4] }, "same", true), largeDevice);
  expect(get()).toBe(get());
  expect(calls).toEqual([[{ n: 2, dims: [3, 4] }, "same", true]]);
});

it("calls that differ in anything get plans of their own", () => {
  const different: unknown[][] = [
    [0],
    [-0],
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    [0.1],
    [0.1 + Number.EPSILON / 8],
    [],
    [undefined],
    [false],
    [[1, 2], [3]],
    [[1], [2, 3]],
    [[1, 2, 3]],
    [{ a: 1, b: [2] }],
    [{ a: 1, b: 2 }],
    [{ a: 12 }],
    [{ a: 1 }, 2],
    [{ b: 1 }],
  ];
  const { calls, planner } = counting();
  const cache = new PlanCache();
  const plans = different.map((args) => cache.get(planned(planner, ...args), largeDevice));
  expect(new Set(plans).size).toBe(different.length);
  expect(different.map((args) => cache.get(planned(planner, ...args), largeDevice))).toEqual(plans);
  expect(calls).toEqual(different);
});

it("another function, and other capabilities, plan again", () => {
  const [one, other] = [counting(), counting()];
  const cache = new PlanCache();
  for (const capabilities of [largeDevice, largeDevice, smallDevice, largeDevice]) {
    cache.get(planned(one.planner, 1), capabilities);
    cache.get(planned(other.planner, 1), capabilities);
  }
  expect([one.calls.length, other.calls.length]).toEqual([3, 3]);
});

it("what cannot be planned is asked again, and is no plan", () => {
  let calls = 0;
  const none = (_n: number, _capabilities: Capabilities): undefined => {
    calls++;
  };
  const cache = new PlanCache();
  expect(cache.get(planned(none, 1), largeDevice)).toBeUndefined();
  expect(cache.get(planned(none, 1), largeDevice)).toBeUndefined();
  expect(calls).toBe(2);
});
