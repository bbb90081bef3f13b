import { createDevice, type Device } from "@fcn/tensor";
import { afterAll, beforeAll, expect, it } from "vitest";
import { checkPlan, timePlan } from "../../docs/.vitepress/kernels/trial.js";
import { opCases, settingsOf } from "../support/opCases.js";

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

const plans = opCases.flatMap(({ folder, op }) =>
  op.plans.map(({ name }, i) => [folder, op.name, name, op, i] as const),
);

it.each(plans)("%s: %s, %s, agrees with its reference", async (_folder, _op, _name, op, i) => {
  const { expected, gradients } = op.plans[i]!;
  const check = await checkPlan(device, op, i, settingsOf(op));
  if (expected || gradients) expect(check?.error).toBeLessThan(1e-4);
  else expect(check).toBeUndefined();
});

it("a plan is timed", async () => {
  const op = opCases.find((each) => each.op.name === "cumsum")!.op;
  const { seconds, runs } = await timePlan(device, op, 1, { rows: 8, size: 64 });
  expect(seconds).toBeGreaterThan(0);
  expect(runs).toBeGreaterThan(1);
});

it("a result that is wrong in one element has an error", async () => {
  const { op } = opCases.find((each) => each.op.name === "cumsum")!;
  const [forward, ...others] = op.plans;
  const wrong: typeof forward = {
    ...forward!,
    expected(s, given) {
      const { y } = forward!.expected!(s, given);
      y!.data[5]! += 0.5;
      return { y: y! };
    },
  };
  const check = await checkPlan(device, { ...op, plans: [wrong, ...others] }, 0, { rows: 2, size: 8 });
  expect(check?.error).toBeGreaterThan(0.01);
});
