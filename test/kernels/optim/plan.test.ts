import {
  type Capabilities,
  type OneOrTwo,
  type OperandPart,
  planAdamW,
  planSgd,
  type Stepped,
  UNREAD,
  unwritten,
} from "@fcn/kernels";
import { describe, expect, it } from "vitest";
import { expectGridOver, scalar, soundSteps } from "../../support/plans.js";

const caps: Capabilities = { subgroupSize: 0, bindingLimit: 1100, parallelism: 32 };
const sgd = { lr: 0.1, momentum: 0.9, dampening: 0, weightDecay: 0, nesterov: false };
const adamw = { lr: 0.1, beta1: 0.9, beta2: 0.99, eps: 1e-8, weightDecay: 0.1 };
const of = (count: number, step = 2): Stepped => ({ count, step, isFirst: step === 1 });

describe.each([
  ["SGD", (parameters: OneOrTwo) => planSgd(parameters, sgd, caps), ["g", "w", "m"]],
  ["AdamW", (parameters: OneOrTwo) => planAdamW(parameters, adamw, caps), ["g", "w", "m", "v"]],
] as const)("the plan of %s", (_, plan, names) => {
  it.each([1, 3, 255, 256, 257, 1000])("covers %i elements once, within the binding limit", (count) => {
    let at = 0;
    for (const step of soundSteps(plan([of(count)]), caps)) {
      const parts = names.map((name) => step.operands[name] as OperandPart);
      for (const { byteOffset, byteLength } of parts) {
        expect(byteOffset).toBe(at);
        expect(byteLength).toBe(parts[0]?.byteLength);
      }
      const { byteLength } = parts[0] as OperandPart;
      expect(step.constants).toMatchObject({ PAIR: false });
      expect(step.params.count).toBe(Math.ceil(byteLength / 16));
      expectGridOver(step, scalar(step.params, "count"));
      expect(step.operands).toMatchObject({ g2: UNREAD, w2: unwritten("w2"), m2: unwritten("m2") });
      at += byteLength;
    }
    expect(at).toBe(count * 4);
  });

  it("updates two parameters that fit a binding in one step", () => {
    const [step, ...rest] = soundSteps(plan([of(250), of(7)]), caps);
    expect(rest).toEqual([]);
    expect(step?.constants).toMatchObject({ PAIR: true });
    expect(step?.params).toMatchObject({ count: 63 + 2, split: 63 });
    expect(step?.grid).toEqual([2, 1, 1]);
    for (const name of names) {
      expect(step?.operands[name]).toEqual({ operand: name, byteOffset: 0, byteLength: 1000 });
      expect(step?.operands[`${name}2`]).toEqual({ operand: `${name}2`, byteOffset: 0, byteLength: 28 });
    }
  });

  it.each([
    [257, 7],
    [7, 257],
  ])("takes parameters of %i and %i elements, of which one does not fit, one after the other", (first, second) => {
    const steps = soundSteps(plan([of(first, 1), of(second)]), caps);
    expect(steps.map(({ constants }) => constants?.PAIR)).toEqual([false, false, false]);
    const lengths = (operand: string) =>
      steps
        .map(({ operands }) => operands.w as OperandPart)
        .filter((part) => part.operand === operand)
        .reduce((sum, { byteLength }) => sum + byteLength, 0);
    expect([lengths("w"), lengths("w2")]).toEqual([first * 4, second * 4]);
    const isFirst = steps.map(({ params, operands }) => [(operands.w as OperandPart).operand, params.isFirst]);
    expect(new Set(isFirst.map(String))).toEqual(new Set(["w,1", "w2,0"]));
  });
});

it("binds no buffers when there is no momentum", () => {
  const plan = planSgd([of(8), of(8)], { ...sgd, momentum: 0 }, caps);
  expect(soundSteps(plan, caps)[0]?.operands).toMatchObject({ m: unwritten("m"), m2: unwritten("m2") });
});

describe("what the kernels are told", () => {
  it("of a step of SGD", () => {
    const own = { ...sgd, dampening: 0.25, weightDecay: 0.5, nesterov: true };
    const [step] = planSgd([of(8, 1), of(5, 3)], own, caps).steps;
    expect(step?.constants).toEqual({ MOMENTUM: true, NESTEROV: true, PAIR: true });
    const params = { lr: 0.1, momentum: 0.9, keep: 0.75, weightDecay: 0.5 };
    expect(step?.params).toEqual({ count: 4, split: 2, isFirst: 1, isFirst2: 0, ...params });
    expect(planSgd([of(8)], { ...sgd, momentum: 0 }, caps).steps[0]?.constants).toMatchObject({ MOMENTUM: false });
  });

  it.each([
    [1, 3],
    [2, 1],
    [3, 3],
  ])("of the steps %i and %i of AdamW", (first, second) => {
    const [step] = planAdamW([of(8, first), of(8, second)], adamw, caps).steps;
    const stepSize = (at: number) => expect.closeTo(0.1 / (1 - 0.9 ** at), 12);
    const correction = (at: number) => expect.closeTo(1 / Math.sqrt(1 - 0.99 ** at), 12);
    expect(step?.params).toEqual({
      ...{ count: 4, split: 2, isFirst: Number(first === 1), isFirst2: Number(second === 1) },
      decay: expect.closeTo(0.99, 12),
      keep1: expect.closeTo(0.1, 12),
      beta2: 0.99,
      keep2: expect.closeTo(0.01, 12),
      stepSize: stepSize(first),
      stepSize2: stepSize(second),
      correction: correction(first),
      correction2: correction(second),
      eps: 1e-8,
    });
  });
});
