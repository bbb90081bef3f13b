import { type PointwiseName, type PointwiseRow, planFlat, planStrided, pointwise, sourcesOf } from "@fcn/kernels";
import { describe, expect, it } from "vitest";
import { largeDevice, placeAt, scalar, smallDevice, soundSteps, vectors } from "../../support/plans.js";

const names = Object.keys(pointwise) as PointwiseName[];
const parts = names.flatMap((name) => {
  const row: PointwiseRow = pointwise[name];
  return (["forward", "da", "db"] as const).filter((part) => row[part]).map((part) => [name, part] as const);
});

describe("the plans of every row", () => {
  it.each(parts)("%s %s give their kernels what these read, flat and strided", (name, part) => {
    soundSteps(planFlat({ name, part }, 5000, smallDevice), smallDevice);
    const strides = Object.fromEntries(sourcesOf(name, part).map((id) => [id, [0, 1]]));
    soundSteps(planStrided({ name, part }, [3, 4], strides, smallDevice), smallDevice);
  });
});

describe("a strided plan", () => {
  const add = { name: "add", part: "forward" } as const;

  it("places every element of each operand", () => {
    const sizes = [2, 3, 2, 2, 3, 2, 2, 3];
    const dense = [432, 144, 72, 36, 12, 6, 3, 1];
    const repeated = [0, 24, 0, 12, 0, 6, 0, 2];
    const [step] = soundSteps(planStrided(add, sizes, { a: dense, b: repeated }, largeDevice), largeDevice);
    const strides = vectors(step!.params, "strides");
    const lane = (i: number) => strides.map((own) => own[i]!);
    const found = step!.params.sizes as number[];
    const reversed = (list: readonly number[]) => [...list].reverse();
    for (let id = 0; id < scalar(step!.params, "count"); id++) {
      expect(placeAt(id, found, lane(0))).toBe(id);
      expect(placeAt(id, found, lane(1))).toBe(placeAt(id, reversed(sizes), reversed(repeated)));
      expect(placeAt(id, found, lane(2))).toBe(id);
    }
  });

  it("merges dims, and does nothing for an empty result", () => {
    const plan = planStrided(add, [4, 5, 6], { a: [30, 6, 1], b: [0, 6, 1] }, largeDevice);
    expect(plan.steps[0]?.params.sizes).toEqual([30, 4]);
    expect(plan.steps[0]?.params.strides).toEqual([1, 1, 1, 0, 30, 0, 30, 0]);
    expect(planStrided(add, [4, 0], { a: [0, 1], b: [0, 1] }, largeDevice).steps).toEqual([]);
  });

  it("of one element has one dim", () => {
    const [step] = soundSteps(planStrided(add, [1, 1], { a: [0, 0], b: [0, 0] }, largeDevice), largeDevice);
    expect(step?.params.count).toBe(1);
  });
});

it("a flat plan covers all vectors within the binding limit", () => {
  const steps = soundSteps(planFlat({ name: "relu", part: "forward" }, 5003, smallDevice), smallDevice);
  expect(steps.map(({ params }) => params.count)).toEqual([256, 256, 256, 256, 227]);
});
