import { createDevice, type Device, mul, optim, sum, type Tensor } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Budget, expectWithin, type GoldenFile, readGolden, tensorOf } from "./support/golden.js";
import { calls, type Options } from "./support/golden-ops.js";

/** What each file holds; a case that is lost from a file or from this test shows here. */
const families = {
  conv2d: 24,
  convTranspose2d: 20,
  pools: 26,
  interpolate: 18,
  pointwise: 14,
  binary: 58,
  reductions: 54,
  matmul: 9,
  movement: 26,
  crossEntropy: 15,
  normalisation: 17,
  layers: 36,
} as const;

interface OperatorCase {
  key: string;
  op: string;
  name: string;
  options: Options;
  inputs: string[];
  /** Roles of the inputs whose gradients are stored. */
  grads: string[];
  /** Roles of the inputs that the operator updates in place. */
  after: string[];
  budgets: Record<string, Budget>;
}

interface OptimiserCase {
  key: string;
  op: "SGD" | "AdamW" | "Adam" | "RMSprop";
  name: string;
  options: Options;
  secondGroup: Options;
  steps: number;
  parameters: number;
  budget: Budget;
}

let device: Device;
beforeAll(async () => {
  device = await createDevice();
});
afterAll(() => device?.destroy());

function upload(file: GoldenFile, key: string, requiresGrad = false): Tensor {
  const { data, shape, dtype } = tensorOf(file, key);
  return device.tensor(data, [...shape], { dtype, requiresGrad });
}

function budgetOf(c: OperatorCase, name: string): Budget {
  const budget = c.budgets[name];
  if (budget === undefined) throw new Error(`${c.name}: no budget for ${name}`);
  return budget;
}

async function check(c: OperatorCase, file: GoldenFile, got: Tensor, kind: string, name: string): Promise<void> {
  const want = tensorOf(file, `${c.key}.${kind}`);
  expect(got.shape, `${c.name}: shape of ${kind}`).toEqual(want.shape);
  expectWithin(`${c.name}: ${kind}`, await got.data(), want, budgetOf(c, name));
}

async function runOperator(c: OperatorCase, file: GoldenFile): Promise<void> {
  const call = calls[c.op];
  if (call === undefined) throw new Error(`no call for the operator ${c.op}`);
  await device.scope(async () => {
    const inputs = Object.fromEntries(c.inputs.map((r) => [r, upload(file, `${c.key}.in.${r}`, c.grads.includes(r))]));
    const out = call(inputs, c.options);
    if (c.grads.length > 0) sum(mul(out, upload(file, `${c.key}.upstream`))).backward();
    await check(c, file, out, "out.output", "output");
    for (const role of c.grads) {
      const grad = inputs[role]?.grad;
      if (!grad) throw new Error(`${c.name}: ${role} has no gradient`);
      await check(c, file, grad, `grad.${role}`, `grad.${role}`);
    }
    for (const role of c.after) await check(c, file, inputs[role] as Tensor, `out.${role}`, role);
  });
}

describe.each(Object.entries(families))("golden %s", (family, count) => {
  const file = readGolden(family);
  const cases = JSON.parse(file.metadata.cases ?? "[]") as OperatorCase[];
  let ran = 0;
  it.each(cases.map((c) => [c.name, c] as const))("%s", async (_, c) => {
    ran++;
    await runOperator(c, file);
  });
  it(`ran all ${count} cases`, () => {
    expect(cases).toHaveLength(count);
    expect(ran).toBe(count);
  });
});

/** The gradient of sum(p * g) is g, to the bit: so recorded gradients reach the optimiser through the public door. */
async function runOptimiser(c: OptimiserCase, file: GoldenFile): Promise<void> {
  await device.scope(async () => {
    const params = Array.from({ length: c.parameters }, (_, i) => upload(file, `${c.key}.in.${i}`, true));
    const [first, second, third] = params as [Tensor, Tensor, Tensor];
    const groups = [{ params: [first, third] }, { params: [second], ...c.secondGroup }];
    const optimiser = new optim[c.op](groups, c.options);
    for (let step = 0; step < c.steps; step++) {
      optimiser.zeroGrad();
      params.forEach((p, i) => {
        sum(mul(p, upload(file, `${c.key}.gradient.${step}.${i}`))).backward();
      });
      optimiser.step();
      for (const [i, p] of params.entries()) {
        const want = tensorOf(file, `${c.key}.out.${step}.${i}`);
        expectWithin(`${c.name}: parameter ${i} after step ${step + 1}`, await p.data(), want, c.budget);
      }
    }
  });
}

describe("golden optimisers", () => {
  const file = readGolden("optimisers");
  const cases = JSON.parse(file.metadata.cases ?? "[]") as OptimiserCase[];
  it("holds 19 cases", () => expect(cases).toHaveLength(19));
  it.each(cases.map((c) => [c.name, c] as const))("%s", (_, c) => runOptimiser(c, file));
});
