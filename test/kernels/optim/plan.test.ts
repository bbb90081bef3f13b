import {
  type Capabilities,
  type OneOrTwo,
  type OperandPart,
  planAdamW,
  planScaledAdamW,
  planScaledSgd,
  planScalerBegin,
  planScalerCheck,
  planScalerUpdate,
  planSgd,
  type ScaledStepped,
  type Stepped,
  UNREAD,
  unwritten,
} from "@fcn/kernels";
import { describe, expect, it } from "vitest";
import { expectGridOver, largeDevice, scalar, soundSteps } from "../../support/plans.js";

const caps: Capabilities = { subgroupSize: 0, bindingLimit: 1100, parallelism: 32 };
const sgd = { lr: 0.1, momentum: 0.9, dampening: 0, weightDecay: 0, nesterov: false };
const adamw = { lr: 0.1, beta1: 0.9, beta2: 0.99, eps: 1e-8, weightDecay: 0.1 };
const of = (count: number, step = 2): Stepped => ({ count, step, isFirst: step === 1 });

describe.each([
  ["SGD", (parameters: OneOrTwo<Stepped>) => planSgd(parameters, sgd, caps), ["g", "w", "m"]],
  ["AdamW", (parameters: OneOrTwo<Stepped>) => planAdamW(parameters, adamw, caps), ["g", "w", "m", "v"]],
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

const NO_SCALER = { isGuarded: 0, at: 0, taken: -1 };

describe("what the kernels are told", () => {
  it("of a step of SGD", () => {
    const own = { ...sgd, dampening: 0.25, weightDecay: 0.5, nesterov: true };
    const [step] = planSgd([of(8, 1), of(5, 3)], own, caps).steps;
    expect(step?.constants).toEqual({ MOMENTUM: true, NESTEROV: true, PAIR: true });
    const params = { lr: 0.1, momentum: 0.9, keep: 0.75, weightDecay: 0.5, ...NO_SCALER };
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
      weightDecay: 0,
      keep1: expect.closeTo(0.1, 12),
      beta2: 0.99,
      keep2: expect.closeTo(0.01, 12),
      stepSize: stepSize(first),
      stepSize2: stepSize(second),
      correction: correction(first),
      correction2: correction(second),
      eps: 1e-8,
      ...{ ...NO_SCALER, lr: 0, logBeta1: 0, logBeta2: 0 },
    });
  });

  it("of a step of SGD with a scaler", () => {
    const plan = planScaledSgd({ count: 8, at: 1, taken: undefined, isFirst: false, isGuarded: true }, sgd, caps);
    const [step] = soundSteps(plan, caps);
    expect(step?.constants).toEqual({ MOMENTUM: true, NESTEROV: false, PAIR: false, SCALED: true });
    expect(step?.params).toMatchObject({ count: 2, isFirst: 0, lr: 0.1, isGuarded: 1, at: 1, taken: -1 });
    expect(step?.operands).toMatchObject({ g2: "record", m2: "taken", w2: unwritten("w2") });
  });

  it("of a step of AdamW with AMSGrad, which keeps the largest moment in the place of a second parameter's", () => {
    const steps = soundSteps(planAdamW([of(300)], { ...adamw, amsgrad: true }, caps), caps);
    expect(steps.map(({ constants }) => constants)).toEqual(
      steps.map(() => expect.objectContaining({ AMSGRAD: true, PAIR: false })),
    );
    expect(steps.map(({ operands }) => operands.v2)).toEqual([
      { operand: "v2", byteOffset: 0, byteLength: 1024 },
      { operand: "v2", byteOffset: 1024, byteLength: 176 },
    ]);
  });

  it("of a step of AdamW with a scaler, by the logarithms of its betas", () => {
    const of: ScaledStepped = { count: 8, at: 0, taken: 3, isFirst: true, isGuarded: false };
    const [step] = soundSteps(planScaledAdamW(of, { ...adamw, beta2: 0 }, caps), caps);
    expect(step?.constants).toEqual({ COUPLED: false, AMSGRAD: false, PAIR: false, SCALED: true });
    const logs = { logBeta1: expect.closeTo(Math.log(0.9), 12), logBeta2: -200 };
    expect(step?.params).toMatchObject({ isFirst: 1, lr: 0.1, isGuarded: 0, at: 0, taken: 3, ...logs });
    expect(step?.operands).toMatchObject({ g2: UNREAD, m2: "taken", v2: unwritten("v2") });
  });
});

describe("the plans of a scaler", () => {
  it("checks each element of each gradient once, seven parts a dispatch", () => {
    const counts = [1, 300, 256, 1, 1025, 7, 3, 3, 2048];
    const seen = new Map<string, number>();
    const steps = soundSteps(planScalerCheck(counts, caps), caps);
    for (const { params, operands, grid } of steps) {
      const [sizes, ends] = [params.sizes, params.ends] as [number[], number[]];
      expect(grid).toEqual([params.count, 1, 1]);
      expect(ends.at(-1)).toBe(params.count);
      expect(operands.record).toBe("record");
      for (const [i, size] of sizes.entries()) {
        const { operand, byteOffset, byteLength } = operands[`g${i}`] as OperandPart;
        expect([byteOffset, byteLength]).toEqual([(seen.get(operand) ?? 0) * 4, size * 4]);
        expect((ends[i] as number) - (ends[i - 1] ?? 0)).toBe(Math.ceil(size / 1024));
        seen.set(operand, (seen.get(operand) ?? 0) + size);
      }
      for (let i = sizes.length; i < 7; i++) expect(operands[`g${i}`]).toEqual(UNREAD);
    }
    expect(Object.fromEntries(seen)).toEqual(Object.fromEntries(counts.map((count, i) => [`g${i}`, count])));
    expect(soundSteps(planScalerCheck(counts, largeDevice), largeDevice)).toHaveLength(2);
  });

  it("begin with the divisor, and end with the settings", () => {
    expect(soundSteps(planScalerBegin(true, caps), caps)[0]?.params).toEqual({ isUnscaled: 1 });
    const settings = { growthFactor: 3, backoffFactor: 0.25, growthInterval: 9 };
    const [step] = soundSteps(planScalerUpdate(true, settings, caps), caps);
    expect(step?.params).toEqual({ isLast: 1, growth: 3, backoff: 0.25, interval: 9 });
    expect(planScalerUpdate(false, settings, caps).steps[0]?.params).toMatchObject({ isLast: 0 });
  });
});
