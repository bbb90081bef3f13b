import { FAULT, FAULT_RECORD, finiteCheck, NAN_BITS, planFill, poison, wordBits } from "@fcn/kernels";
import { describe, expect, it } from "vitest";
import {
  boundElements,
  expectCovered,
  expectGridOver,
  largeDevice,
  smallDevice,
  soundSteps,
} from "../../support/plans.js";

describe("the plan of a fill", () => {
  it.each([1, 256, 257, 70_000_000 / 4])("of %i words is one step, with four words to a thread", (count) => {
    const [step, ...rest] = soundSteps(planFill(count, 7, largeDevice), largeDevice);
    expect(rest).toEqual([]);
    expect(step).toMatchObject({ params: { count, bits: 7 }, operands: { y: "y" } });
    expectGridOver(step!, count, 4);
  });

  it("covers in parts what is larger than a binding", () => {
    const steps = soundSteps(planFill(2500, 7, smallDevice), smallDevice);
    expectCovered(
      steps.map((step) => boundElements(step, "y", 2500)),
      2500,
    );
    expect(steps.map(({ params }) => params.count)).toEqual([1024, 1024, 452]);
    for (const step of steps) expectGridOver(step, step.params.count as number, 4);
  });

  it("of no words has no step", () => expect(planFill(0, 7, largeDevice).steps).toEqual([]));
});

it("poison is a fill with NaN, for float16 as well", () => {
  const { params, operands } = poison(5);
  expect([params.count, operands]).toEqual([5, { y: "y" }]);
  const bits = params.bits as number;
  expect(new Float32Array(Uint32Array.of(bits).buffer)[0]).toBeNaN();
  // All ones in the exponent, and more than none below it.
  for (const half of [bits & 0xffff, bits >>> 16]) expect(half & 0x7fff).toBeGreaterThan(0x7c00);
  expect(new Float32Array(new Uint32Array([NAN_BITS]).buffer)[0]).toBeNaN();
});

it.each([1, 1024, 1025, 100_000_000])(
  "a check of %i numbers has sixteen to a thread, and says what it checks",
  (count) => {
    const [step] = soundSteps({ steps: [finiteCheck(count, 64, 3)] }, largeDevice);
    expect(step).toMatchObject({
      constants: { FAULT_NOT_FINITE: FAULT.notFinite },
      params: { count, base: 64, op: 3 },
      operands: { x: "x", fault: FAULT_RECORD },
    });
    expectGridOver(step!, count, 16);
  },
);

it.each([
  [1, "float32", 0x3f800000],
  [-2.5, "float32", 0xc0200000],
  [1, "int32", 1],
  [-1, "int32", 0xffffffff],
] as const)("%d as %s has its bits", (value, dtype, bits) => expect(wordBits(value, dtype)).toBe(bits));
