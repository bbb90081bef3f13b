/** What a plan says, as figures for a page. */
import {
  type AnyOpCase,
  type Binding,
  type Capabilities,
  type KernelInfo,
  type OperandCase,
  type Plan,
  parseKernel,
  type Step,
  specialize,
} from "@fcn/kernels";

export type Settings = Readonly<Record<string, number | boolean | string>>;

export interface StepFigures {
  readonly kernel: string;
  readonly grid: readonly number[];
  readonly workgroups: number;
  readonly constants: Readonly<Record<string, number | boolean>>;
  readonly params: Readonly<Record<string, number | readonly number[]>>;
  readonly bindings: readonly { readonly name: string; readonly operand: string; readonly bytes: number }[];
  /** Bytes of what it binds to read and to write. */
  readonly read: number;
  readonly written: number;
  /** The WGSL as it is dispatched: its constants replaced. */
  readonly source: string;
}

export interface PlanFigures {
  readonly steps: readonly StepFigures[];
  readonly read: number;
  readonly written: number;
  readonly scratch: Readonly<Record<string, number>>;
  readonly tile: string | undefined;
  readonly candidates: number;
}

const bytesOf = ({ shape }: OperandCase): number => 4 * shape.reduce((count, size) => count * size, 1);

/** What is bound where a kernel has an operand that the plan does not use. */
export const UNUSED = "unused";

/** The bytes that a binding shows of what it is bound to; stand-ins for unused operands count as none. */
function bound(use: Binding, sizes: Readonly<Record<string, number>>): { operand: string; bytes: number } {
  if (typeof use === "string") return { operand: use, bytes: sizes[use] ?? 0 };
  if ("operand" in use) return { operand: `part of ${use.operand}`, bytes: use.byteLength };
  return { operand: "fault" in use ? "fault record" : UNUSED, bytes: 0 };
}

function stepFigures(step: Step, info: KernelInfo, sizes: Readonly<Record<string, number>>): StepFigures {
  const { kernel, constants = {}, params, operands, grid } = step;
  const bindings = info.bindings.map(({ name, access }) => ({ name, access, ...bound(operands[name]!, sizes) }));
  const total = (wanted: string) =>
    bindings.reduce((sum, { access, bytes }) => sum + (access === wanted ? bytes : 0), 0);
  return {
    kernel: kernel.name,
    grid,
    workgroups: grid[0] * grid[1] * grid[2],
    constants,
    params,
    bindings,
    read: total("read"),
    written: total("read_write"),
    source: specialize(info, constants),
  };
}

/** The figures of a plan for settings of a case; undefined where the device cannot run it. */
export function planFigures(
  op: AnyOpCase,
  index: number,
  settings: Settings,
  caps: Capabilities,
): PlanFigures | undefined {
  const { plan: planner, operands: names = {} } = op.plans[index]!;
  const plan: Plan | undefined = planner(settings, caps);
  if (!plan) return undefined;
  const operands = op.operands(settings);
  const own = Object.entries(operands).map(([name, operand]) => [name, bytesOf(operand)] as const);
  const renamed = Object.entries(names).map(([name, of]) => [name, bytesOf(operands[of]!)] as const);
  const { scratch = {}, tunable } = plan;
  const sizes = { ...Object.fromEntries(own), ...scratch, ...Object.fromEntries(renamed) };
  const steps = plan.steps.map((step) => stepFigures(step, parseKernel(step.kernel), sizes));
  const sum = (field: "read" | "written") => steps.reduce((total, step) => total + step[field], 0);
  const tile =
    tunable && `${tunable.tile.variant}, TM ${tunable.tile.TM}, SGN ${tunable.tile.SGN}, TV ${tunable.tile.TV}`;
  return {
    ...{ steps, scratch, tile, candidates: tunable?.candidates.length ?? 0 },
    ...{ read: sum("read"), written: sum("written") },
  };
}

/** Classes of devices for which a plan can be shown without one. */
export const DEVICES: readonly {
  readonly name: string;
  readonly software: boolean;
  readonly vendor: string;
  readonly lanes: number;
}[] = [
  { name: "NVIDIA, AMD, Apple: subgroups of 32", software: false, vendor: "", lanes: 32 },
  { name: "Intel: subgroups that vary", software: false, vendor: "intel", lanes: 0 },
  { name: "software: subgroups of 8", software: true, vendor: "", lanes: 8 },
];
