import { planCopy } from "@fcn/kernels";
import { describe, expect, it } from "vitest";
import { largeDevice, originOf, placeAt, scalar, smallDevice, soundSteps } from "../../support/plans.js";

/** Pairs of source and destination that the steps copy. */
function pairsOf(plan: ReturnType<typeof planCopy>, caps = largeDevice): string[] {
  return soundSteps(plan, caps).flatMap((step) => {
    // Dim 7 runs fastest, and the outermost one, 0, takes what the others leave.
    const from7to0 = (name: string) => [7, 6, 5, 4, 3, 2, 1, 0].map((i) => step.params[`${name}${i}`] as number);
    const sizes = [...from7to0("n").slice(0, -1), Number.POSITIVE_INFINITY];
    const [from, to] = ["src", "dst"].map((name) => originOf(step, name) + scalar(step.params, `${name}Offset`));
    return Array.from({ length: scalar(step.params, "count") }, (_, id) => {
      const [source, target] = [placeAt(id, sizes, from7to0("s")), placeAt(id, sizes, from7to0("d"))];
      return `${from! + source} ${to! + target}`;
    });
  });
}

function expected(sizes: readonly number[], from: readonly number[], to: readonly number[]): string[] {
  const count = sizes.reduce((a, b) => a * b, 1);
  const reversed = (list: readonly number[]) => [...list].reverse();
  return Array.from({ length: count }, (_, id) =>
    [from, to].map((strides) => placeAt(id, reversed(sizes), reversed(strides))).join(" "),
  );
}

describe("the plan of a copy", () => {
  it.each([
    [[], [], []],
    [[6], [1], [1]],
    [
      [2, 3, 4],
      [1, 2, 6],
      [12, 4, 1],
    ],
    [
      [2, 3, 2, 2, 3, 2, 2, 3],
      [1, 2, 6, 12, 24, 72, 144, 288],
      [432, 144, 72, 36, 12, 6, 3, 1],
    ],
  ])("of sizes %j visits every element of the box once", (sizes, from, to) => {
    expect(pairsOf(planCopy({ sizes, from, to }, largeDevice)).sort()).toEqual(expected(sizes, from, to).sort());
  });

  it("merges dims that are contiguous in both operands", () => {
    const [step] = soundSteps(
      planCopy({ sizes: [2, 3, 4], from: [12, 4, 1], to: [12, 4, 1] }, largeDevice),
      largeDevice,
    );
    expect(step?.params).toMatchObject({ count: 24, s0: 1, d0: 1 });
    expect(step?.constants).toEqual({ RANK: 1, ADD: false });
  });

  it("walks in the order of the destination, and where that does not decide, of the source", () => {
    const one = { RANK: 1, ADD: false };
    const permuted = planCopy({ sizes: [4, 2, 3], from: [1, 12, 4], to: [1, 12, 4] }, largeDevice);
    expect(soundSteps(permuted, largeDevice)[0]).toMatchObject({ constants: one, params: { s0: 1, d0: 1 } });
    const gathered = planCopy({ sizes: [5, 3], from: [1, 5], to: [0, 0] }, largeDevice);
    expect(soundSteps(gathered, largeDevice)[0]).toMatchObject({ constants: one, params: { s0: 1, d0: 0 } });
  });

  it("cuts what is larger than a binding, with each element in one part", () => {
    const [sizes, from, to] = [
      [60, 70],
      [1, 60],
      [70, 1],
    ];
    const plan = planCopy({ sizes, from, to }, smallDevice);
    expect(plan.steps.length).toBeGreaterThan(1);
    expect(pairsOf(plan, smallDevice).sort()).toEqual(expected(sizes, from, to).sort());
  });

  it("does nothing for an empty box", () => {
    expect(planCopy({ sizes: [3, 0], from: [1, 1], to: [1, 1] }, largeDevice).steps).toEqual([]);
  });

  it("refuses more separate dims than a tensor has", () => {
    const sizes = Array(9).fill(2);
    const strides = sizes.map((_, i) => 3 ** i);
    expect(() => planCopy({ sizes, from: strides, to: strides }, largeDevice)).toThrow(
      expect.objectContaining({ code: "defect" }),
    );
  });
});
