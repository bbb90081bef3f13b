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

/** What every adapter allows: invocations of a workgroup, and bytes that they share. */
const MOST_INVOCATIONS = 256;
const MOST_SHARED_BYTES = 16_384;
const SHARED_BYTES: Readonly<Record<string, number>> = { "atomic<u32>": 4, f32: 4, vec2f: 8, vec4f: 16 };

/** The value of an expression of WGSL over unsigned numbers and constants. */
function evaluate(text: string, known: Readonly<Record<string, number>>): number {
  const script = text.replace(/(\d)u\b/g, "$1").replace(/([\w()]+) \/ (\w+)/g, "Math.floor($1 / $2)");
  const select = (no: number, yes: number, isYes: unknown) => (isYes ? yes : no);
  const [names, values] = [Object.keys(known), Object.values(known)];
  return Number(
    new Function("select", "max", "min", ...names, `return ${script};`)(select, Math.max, Math.min, ...values),
  );
}

/** A constant of a kernel as a step has it. */
export function constantOf({ kernel, constants = {} }: Step, name: string): number {
  const known: Record<string, number> = {};
  for (const [id, { text }] of parseKernel(kernel).constants) {
    known[id] = id in constants ? Number(constants[id]) : evaluate(text, known);
  }
  return evaluate(name, known);
}

/** Threads of a workgroup of a step. */
export const groupSize = (step: Step): number =>
  constantOf(step, /@workgroup_size\((\w+)\)/.exec(step.kernel.source)![1]!);

function sharedBytes(step: Step): number {
  const arrays = step.kernel.source.matchAll(/var<workgroup> \w+: array<([\w<>]+), (.+)>;/g);
  return [...arrays].reduce((sum, [, type, length]) => sum + SHARED_BYTES[type!]! * constantOf(step, length!), 0);
}

/** Buffers that a step writes: WebGPU refuses one that is bound twice in a dispatch when it is written. */
function expectNoAlias({ kernel, operands }: Step): void {
  const nameOf = (name: string) => {
    const binding = operands[name]!;
    return typeof binding === "string" ? binding : "operand" in binding ? binding.operand : JSON.stringify(binding);
  };
  const bindings = parseKernel(kernel).bindings;
  const read = bindings.filter(({ access }) => access === "read").map(({ name }) => nameOf(name));
  const written = bindings.filter(({ access }) => access === "read_write").map(({ name }) => nameOf(name));
  expect(new Set(written).size).toBe(written.length);
  expect(written.filter((name) => read.includes(name))).toEqual([]);
}

/**
 * Checks that each step gives its kernel what it has and nothing else, binds no part that is misplaced or larger than
 * a binding, and stays within the limits that every adapter has. Returns the steps.
 */
export function soundSteps(plan: Plan | undefined, caps: Capabilities): readonly Step[] {
  expect(plan).toBeDefined();
  for (const step of plan!.steps) {
    const { kernel, constants = {}, params, operands, half, grid } = step;
    const info = parseKernel(kernel);
    specialize(info, constants, 0, half);
    packParams(info, params, new DataView(new ArrayBuffer(info.paramsBytes)), 0);
    expect(Object.keys(operands).sort()).toEqual(info.bindings.map(({ name }) => name).sort());
    expect(Math.min(...grid)).toBeGreaterThan(0);
    expect(Math.max(...grid)).toBeLessThanOrEqual(65_535);
    expect(groupSize(step)).toBeLessThanOrEqual(MOST_INVOCATIONS);
    expect(sharedBytes(step)).toBeLessThanOrEqual(MOST_SHARED_BYTES);
    expectNoAlias(step);
    for (const binding of Object.values(operands)) {
      if (typeof binding === "string" || !("operand" in binding)) continue;
      expect(binding.byteOffset % 256).toBe(0);
      expect(binding.byteLength).toBeGreaterThan(0);
      expect(binding.byteLength).toBeLessThanOrEqual(caps.bindingLimit);
    }
  }
  return plan!.steps;
}

/** A step in one object, for comparisons: the name of its kernel, its constants, parameters, operands and grid. */
export const outline = ({ kernel, constants, params, operands, grid }: Step) => ({
  kernel: kernel.name,
  ...constants,
  ...params,
  operands,
  grid,
});

/** Expects workgroups for `items` of `perThread` to a thread, and less than a row of the grid too many. */
export function expectGridOver(step: Step, items: number, perThread = 1): void {
  const [x, y, z] = step.grid;
  const perGroup = groupSize(step) * perThread;
  expect(z).toBe(1);
  expect(x * y * perGroup).toBeGreaterThanOrEqual(items);
  expect((y === 1 ? x - 1 : x * (y - 1)) * perGroup).toBeLessThan(Math.max(1, items));
}

/** Expects that ranges follow one another from 0 to `total`. */
export function expectCovered(ranges: readonly (readonly [begin: number, end: number])[], total: number): void {
  let at = 0;
  for (const [begin, end] of ranges) {
    expect(begin).toBe(at);
    expect(end).toBeGreaterThan(begin);
    at = end;
  }
  expect(at).toBe(total);
}

/** Elements of a binding of a step that it begins and ends with; those of an operand bound whole are 0 and `total`. */
export function boundElements(step: Step, binding: string, total: number): readonly [begin: number, end: number] {
  const bound = step.operands[binding];
  if (typeof bound !== "object" || !("byteOffset" in bound)) return [0, total];
  return [bound.byteOffset / 4, (bound.byteOffset + bound.byteLength) / 4];
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
