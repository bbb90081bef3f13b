import { planExpand, planMax, planSum } from "@fcn/kernels";
import { describe, expect, it } from "vitest";
import { largeDevice, originOf, placeAt, scalar, smallDevice, soundSteps, vectors } from "../../support/plans.js";

const alternating = [2, 3, 2, 2, 3, 2, 2, 3].map((size, i) => ({ size, reduced: i % 2 === 0 }));

describe("the plan of a sum", () => {
  it.each([
    [
      "kept dims outside",
      [
        { size: 4, reduced: false },
        { size: 6, reduced: true },
      ],
    ],
    [
      "reduced dims outside",
      [
        { size: 4, reduced: true },
        { size: 6, reduced: false },
      ],
    ],
    ["dims of both kinds in turn", alternating],
    ["no dim reduced", [{ size: 5, reduced: false }]],
    ["every dim reduced", [{ size: 5, reduced: true }]],
  ])("over %s reads every element once", (_, dims) => {
    const [{ params }] = soundSteps(planSum(dims, 2, largeDevice), largeDevice) as [ReturnType<typeof soundSteps>[0]];
    const list = (name: string) => params[name] as number[];
    const seen = new Set<number>();
    for (let kept = 0; kept < scalar(params, "kept"); kept++) {
      for (let reduced = 0; reduced < scalar(params, "reduced"); reduced++) {
        seen.add(
          placeAt(kept, list("keptSizes"), list("keptStrides")) +
            placeAt(reduced, list("reducedSizes"), list("reducedStrides")),
        );
      }
    }
    const size = dims.reduce((n, dim) => n * dim.size, 1);
    expect([...seen].sort((a, b) => a - b)).toEqual(Array.from({ length: size }, (_, i) => i));
  });

  it("is cut into slices where few elements are kept, and into leaves where a binding is small", () => {
    const sliced = soundSteps(planSum([{ size: 100_000, reduced: true }], 0.5, largeDevice), largeDevice);
    expect(sliced.map(({ params }) => params.scale)).toEqual([...Array(sliced.length - 1).fill(1), 0.5]);
    expect(sliced.length).toBeGreaterThan(1);
    const leaves = soundSteps(planSum([{ size: 3000, reduced: true }], 1, smallDevice), smallDevice);
    expect(leaves.some(({ constants }) => constants?.ACCUMULATE)).toBe(true);
  });

  it("refuses more dims of a kind than the kernels tell apart", () => {
    const dims = Array.from({ length: 10 }, (_, i) => ({ size: 2, reduced: i % 2 === 0 }));
    expect(() => planSum(dims, 1, largeDevice)).toThrow("5 separate kept dims, at most 4");
    expect(() => planExpand(dims, 1, false, largeDevice)).toThrow("10 separate dims");
  });
});

it("the plan of a maximum keeps what is asked for and merges the places of its slices", () => {
  const dims = [{ size: 100_000, reduced: true }];
  const plan = planMax(dims, { values: false, indices: true }, largeDevice);
  const steps = soundSteps(plan, largeDevice);
  expect(plan.scratch).toHaveProperty("y");
  expect(plan.scratch).not.toHaveProperty("index");
  expect(steps.map(({ constants }) => constants?.MERGE)).toEqual(steps.map((_, i) => i > 0));
});

describe("the plan of the gradient of a reduction", () => {
  const nested = [3, 5, 5, 60].map((size, i) => ({ size, reduced: i % 2 === 0 }));
  it.each([
    ["whole", largeDevice, alternating],
    ["in leaves of kept dims", smallDevice, [{ size: 4, reduced: false }, ...alternating]],
    ["in leaves of reduced dims", smallDevice, [{ size: 4, reduced: true }, ...alternating]],
    ["in leaves of leaves", smallDevice, nested],
  ])("places every element, %s", (_, caps, dims) => {
    const seen: number[] = [];
    for (const step of soundSteps(planExpand(dims, 1, true, caps), caps)) {
      const lists = vectors(step.params, "dims");
      const lane = (i: number) => lists.map((dim) => dim[i]!);
      for (let id = 0; id < scalar(step.params, "count"); id++) {
        const kept = originOf(step, "dy") + scalar(step.params, "dyFirst") + placeAt(id, lane(0), lane(1));
        const place = scalar(step.params, "reducedFirst") + placeAt(id, lane(0), lane(2));
        const element = originOf(step, "dx") + scalar(step.params, "dxFirst") + id;
        expect([kept, place]).toEqual(partsOf(element, dims));
        seen.push(element);
      }
    }
    const size = dims.reduce((n, dim) => n * dim.size, 1);
    expect(seen).toEqual(Array.from({ length: size }, (_, i) => i));
  });
});

/** The number of an element among the kept ones, and among the reduced ones. */
function partsOf(element: number, dims: readonly { size: number; reduced: boolean }[]): number[] {
  const of = (kind: boolean) =>
    dims.reduce<[number, number]>(
      ([at, stride], { size, reduced }, i) => {
        const inner = dims.slice(i + 1).reduce((n, dim) => n * dim.size, 1);
        return reduced === kind ? [at * size + (Math.floor(element / inner) % size), stride] : [at, stride];
      },
      [0, 1],
    )[0];
  return [of(false), of(true)];
}
