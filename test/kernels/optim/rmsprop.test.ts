import {
  type Capabilities,
  type OperandPart,
  planAdamW,
  planRMSprop,
  planScaledRMSprop,
  UNREAD,
  unwritten,
} from "@fcn/kernels";
import { describe, expect, it } from "vitest";
import { expectGridOver, scalar, soundSteps } from "../../support/plans.js";

const caps: Capabilities = { subgroupSize: 0, bindingLimit: 1100, parallelism: 32 };
const plain = { lr: 0.1, alpha: 0.75, eps: 1e-8, weightDecay: 0.5, momentum: 0, centered: false };
const full = { ...plain, momentum: 0.9, centered: true };

describe("the plan of RMSprop", () => {
  it.each([1, 3, 256, 257, 1000])("covers %i elements once, within the binding limit", (count) => {
    let at = 0;
    for (const step of soundSteps(planRMSprop({ count, isFirst: false }, full, caps), caps)) {
      const parts = ["g", "w", "v", "m", "a"].map((name) => step.operands[name] as OperandPart);
      for (const { byteOffset, byteLength } of parts)
        expect([byteOffset, byteLength]).toEqual([at, parts[0]?.byteLength]);
      const { byteLength } = parts[0] as OperandPart;
      expect(step.params.count).toBe(Math.ceil(byteLength / 16));
      expectGridOver(step, scalar(step.params, "count"));
      at += byteLength;
    }
    expect(at).toBe(count * 4);
  });

  it("binds the buffers that its settings need, and says what they are", () => {
    const [step] = soundSteps(planRMSprop({ count: 4, isFirst: true }, plain, caps), caps);
    expect(step?.constants).toEqual({ SCALED: false, MOMENTUM: false, CENTERED: false });
    expect(step?.params).toEqual({
      ...{ count: 1, isFirst: 1, lr: 0.1, alpha: 0.75, keep: 0.25, eps: 1e-8, weightDecay: 0.5, momentum: 0 },
      ...{ isGuarded: 0, at: 0, taken: -1 },
    });
    expect(step?.operands).toMatchObject({
      m: unwritten("m"),
      a: unwritten("a"),
      record: UNREAD,
      steps: unwritten("steps"),
    });
  });

  it("follows the record of a scaler", () => {
    const scaled = { count: 4, isFirst: false, at: 1, taken: undefined, isGuarded: true } as const;
    const [step] = soundSteps(planScaledRMSprop(scaled, full, caps), caps);
    expect(step?.constants).toEqual({ SCALED: true, MOMENTUM: true, CENTERED: true });
    expect(step?.params).toMatchObject({ isGuarded: 1, at: 1, taken: -1 });
    expect(step?.operands).toMatchObject({ record: "record", steps: "taken" });
    const [free] = soundSteps(planScaledRMSprop({ ...scaled, taken: 3, isGuarded: false }, plain, caps), caps);
    expect(free?.params).toMatchObject({ isGuarded: 0, taken: 3 });
    expect(free?.operands).toMatchObject({ record: UNREAD });
  });
});

describe("the plan of Adam", () => {
  const s = { lr: 0.1, beta1: 0.9, beta2: 0.99, eps: 1e-8, weightDecay: 0.5 };
  const parameter = { count: 4, isFirst: false, step: 2 };

  it("is that of AdamW with the decay in the gradient", () => {
    const stepOf = (isCoupled: boolean, weightDecay = 0.5) =>
      planAdamW([parameter], { ...s, weightDecay, isCoupled }, caps).steps[0];
    expect(stepOf(true)).toMatchObject({ constants: { COUPLED: true }, params: { decay: 1, weightDecay: 0.5 } });
    expect(stepOf(false)).toMatchObject({ constants: { COUPLED: false }, params: { decay: 0.95, weightDecay: 0 } });
    expect(stepOf(true, 0)).toMatchObject({ constants: { COUPLED: false }, params: { decay: 1, weightDecay: 0 } });
  });
});
