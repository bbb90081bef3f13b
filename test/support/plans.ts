import {
  type Capabilities,
  type Params,
  type Plan,
  packParams,
  parseKernel,
  type Step,
  specialize,
} from "@fcn/kernels";
import { expect } from "vitest";

/** A device whose bindings are so small that plans must cut their operands. */
export const smallDevice: Capabilities = { subgroupSize: 0, bindingLimit: 4096, parallelism: 4 };
export const largeDevice: Capabilities = { subgroupSize: 0, bindingLimit: 2 ** 27, parallelism: 32 };

/**
 * Checks that each step gives its kernel what it has and nothing else, and binds no window that is misplaced or larger
 * than a binding. Returns the steps.
 */
export function soundSteps(plan: Plan | undefined, caps: Capabilities): readonly Step[] {
  expect(plan).toBeDefined();
  for (const { kernel, constants = {}, params, operands, grid } of plan!.steps) {
    const info = parseKernel(kernel);
    specialize(info, constants);
    packParams(info, params, new DataView(new ArrayBuffer(info.paramsBytes)), 0);
    expect(Object.keys(operands).sort()).toEqual(info.bindings.map(({ name }) => name).sort());
    expect(Math.max(...grid)).toBeLessThanOrEqual(65_535);
    for (const binding of Object.values(operands)) {
      if (typeof binding === "string" || !("operand" in binding)) continue;
      expect(binding.byteOffset % 256).toBe(0);
      expect(binding.byteLength).toBeGreaterThan(0);
      expect(binding.byteLength).toBeLessThanOrEqual(caps.bindingLimit);
    }
  }
  return plan!.steps;
}

/** The element that a binding of a step begins with. */
export function originOf(step: Step, binding: string): number {
  const bound = step.operands[binding];
  return typeof bound === "object" && "byteOffset" in bound ? bound.byteOffset / 4 : 0;
}

/** A parameter that is a number. */
export const scalar = (params: Params, name: string): number => params[name] as number;

/** A parameter that is a list of vec4. */
export function vectors(params: Params, name: string): readonly (readonly number[])[] {
  const words = params[name] as readonly number[];
  return Array.from({ length: words.length / 4 }, (_, i) => words.slice(4 * i, 4 * i + 4));
}

/** Element `id` of a box whose dims, from the innermost, have these sizes: where it lies under these strides. */
export function placeAt(id: number, sizes: readonly number[], strides: readonly number[]): number {
  let rest = id;
  let at = 0;
  for (const [i, size] of sizes.entries()) {
    at += (rest % size) * strides[i]!;
    rest = Math.floor(rest / size);
  }
  return at;
}
