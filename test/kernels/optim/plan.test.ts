import { type Capabilities, type OperandPart, parseKernel, planAdamW, planSgd, unwritten } from "@fcn/kernels";
import { describe, expect, it } from "vitest";

const caps: Capabilities = { subgroupSize: 0, bindingLimit: 1100, parallelism: 32 };
const sgd = { lr: 0.1, momentum: 0.9, dampening: 0, weightDecay: 0, nesterov: false, first: false };
const adamw = { lr: 0.1, beta1: 0.9, beta2: 0.99, eps: 1e-8, weightDecay: 0.1, step: 2 };

describe.each([
  ["SGD", (count: number) => planSgd(count, sgd, caps), ["g", "w", "m"]],
  ["AdamW", (count: number) => planAdamW(count, adamw, caps), ["g", "w", "m", "v"]],
] as const)("the plan of %s", (_, plan, names) => {
  it.each([1, 3, 255, 256, 257, 1000])("covers %i elements once, within the binding limit", (count) => {
    let at = 0;
    for (const step of plan(count).steps) {
      const parts = names.map((name) => step.operands[name] as OperandPart);
      for (const { byteOffset, byteLength } of parts) {
        expect(byteOffset).toBe(at);
        expect(byteOffset % 256).toBe(0);
        expect(byteLength).toBeGreaterThan(0);
        expect(byteLength).toBeLessThanOrEqual(caps.bindingLimit);
      }
      const { byteLength } = parts[0] as OperandPart;
      expect(step.params.count).toBe(Math.ceil(byteLength / 16));
      expect(step.grid[0] * 64).toBeGreaterThanOrEqual(Number(step.params.count));
      at += byteLength;
    }
    expect(at).toBe(count * 4);
  });

  it("gives the kernel the names it has", () => {
    const [step] = plan(10).steps;
    const info = parseKernel(step!.kernel);
    expect(Object.keys(step!.params).sort()).toEqual(info.params.map(({ name }) => name).sort());
    expect(Object.keys(step!.operands)).toEqual(info.bindings.map(({ name }) => name));
    for (const name of Object.keys(step!.constants ?? {})) expect([...info.constants.keys()]).toContain(name);
  });
});

it("binds no buffer when there is no momentum", () => {
  expect(planSgd(8, { ...sgd, momentum: 0 }, caps).steps[0]?.operands.m).toEqual(unwritten("m"));
});

describe("what the kernels are told", () => {
  it("of a step of SGD", () => {
    const [step] = planSgd(8, { ...sgd, dampening: 0.25, weightDecay: 0.5, nesterov: true, first: true }, caps).steps;
    expect(step?.constants).toEqual({ MOMENTUM: true, NESTEROV: true, FIRST: true });
    expect(step?.params).toEqual({ count: 2, lr: 0.1, momentum: 0.9, keep: 0.75, weightDecay: 0.5 });
    expect(planSgd(8, { ...sgd, momentum: 0 }, caps).steps[0]?.constants).toMatchObject({ MOMENTUM: false });
  });

  it.each([1, 2, 3])("of step %i of AdamW", (at) => {
    const [step] = planAdamW(8, { ...adamw, step: at }, caps).steps;
    expect(step?.constants).toEqual({ FIRST: at === 1 });
    expect(step?.params).toEqual({
      count: 2,
      decay: expect.closeTo(0.99, 12),
      keep1: expect.closeTo(0.1, 12),
      beta2: 0.99,
      keep2: expect.closeTo(0.01, 12),
      stepSize: expect.closeTo(0.1 / (1 - 0.9 ** at), 12),
      correction: expect.closeTo(1 / Math.sqrt(1 - 0.99 ** at), 12),
      eps: 1e-8,
    });
  });
});
