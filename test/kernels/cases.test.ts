import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { AnyOpCase } from "@fcn/kernels";
import { parseKernel } from "@fcn/kernels";
import { describe, expect, it } from "vitest";
import { opCases, settingsOf, shaderFolders } from "../support/opCases.js";
import { largeDevice, soundSteps } from "../support/plans.js";

const source = join(import.meta.dirname, "../../packages/kernels/src");

it("every folder with kernels says in cases.ts how its op is shown and tried", () => {
  const missing = shaderFolders.filter((folder) => !readdirSync(join(source, folder)).includes("cases.ts"));
  const advice = missing.map(
    (folder) => `add packages/kernels/src/${folder}/cases.ts, after the pattern of cumsum/cases.ts`,
  );
  expect(advice).toEqual([]);
});

/** Kernels of the steps of all plans, with devices of any kind. */
const DEVICES = [
  largeDevice,
  { ...largeDevice, subgroupSize: 32, variants: ["workgroup", "subgroup"] },
  { ...largeDevice, subgroupSize: 8, variants: ["winograd", "subgroup"] },
] as const;

describe.each(opCases.map(({ folder, op }) => [`${folder}: ${op.name}`, op] as const))("%s", (_, op: AnyOpCase) => {
  it("has sound plans, which bind its operands", () => {
    for (const settings of [settingsOf(op), op.small(settingsOf(op))]) {
      expect(op.problem?.(settings)).toBeUndefined();
      for (const { plan, operands = {} } of op.plans) {
        for (const caps of DEVICES) {
          const made = plan(settings, caps);
          const known = [
            ...Object.keys(op.operands(settings)),
            ...Object.keys(operands),
            ...Object.keys(made?.scratch ?? {}),
          ];
          for (const step of soundSteps(made, caps)) {
            expect(parseKernel(step.kernel).bindings.length).toBeGreaterThan(0);
            for (const use of Object.values(step.operands)) {
              if (typeof use === "string") expect(known).toContain(use);
              else if ("operand" in use) expect(known).toContain(use.operand);
            }
          }
        }
      }
    }
  });

  it("expects results and gradients that are among its operands", () => {
    const known = op.operands(settingsOf(op));
    for (const { operands = {}, gradients = {} } of op.plans) {
      for (const name of [...Object.values(operands), ...Object.keys(gradients), ...Object.values(gradients)]) {
        expect(Object.keys(known)).toContain(name);
      }
      for (const of of Object.values(gradients)) expect(known[of]?.given).toBeDefined();
    }
  });
});
