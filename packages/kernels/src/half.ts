import { type Binding, type Capabilities, type Plan, roundUp, type Step } from "./plan.js";
import { planFlat } from "./pointwise/plan.js";
import { copy } from "./pointwise/table.js";
import type { Tunable, Tuning } from "./tuning.js";

// Plans are made for elements of four bytes, and count elements. The same plan serves tensors of two bytes an element:
// its kernels read and write halves there, and what fits a binding as floats does as halves. Sums, statistics,
// parameters and scratch memory stay float32.

/** Kernels that read and write halves have tiles of their own. */
const SUFFIX = " float16";

/** The tiles that were measured with halves, by the keys that planners ask for. */
const tilesOf = (tuning: Tuning | undefined): Tuning | undefined =>
  tuning &&
  Object.fromEntries(
    Object.entries(tuning).flatMap(([key, tile]) =>
      key.endsWith(SUFFIX) ? [[key.slice(0, -SUFFIX.length), tile] as const] : [],
    ),
  );

/** The step where the operands `names` are float16. */
function halved(step: Step, names: readonly string[]): Step {
  const half: string[] = [];
  const operands = Object.entries(step.operands).map(([name, use]): [string, Binding] => {
    const operand = typeof use === "string" ? use : "operand" in use ? use.operand : undefined;
    if (operand === undefined || !names.includes(operand)) return [name, use];
    half.push(name);
    if (typeof use === "string" || !("operand" in use)) return [name, use];
    return [name, { operand, byteOffset: use.byteOffset / 2, byteLength: roundUp(use.byteLength / 2, 4) }];
  });
  return half.length === 0 ? step : { ...step, operands: Object.fromEntries(operands), half };
}

/** The scratch memory in which sums stay float32 until they are whole. */
const SUMS = "sums";

/** The steps of a plan that add to y, which takes their sums when they are whole. */
function viaSums({ steps, scratch, ...plan }: Plan, elements: number, caps: Capabilities): Plan {
  const moved = (use: Binding): Binding => {
    if (typeof use === "string") return use === "y" ? SUMS : use;
    return "operand" in use && use.operand === "y" ? { ...use, operand: SUMS } : use;
  };
  const adding = steps.map(({ operands, ...step }): Step => {
    const bound = Object.entries(operands).map(([name, use]) => [name, moved(use)] as const);
    return { ...step, operands: Object.fromEntries(bound) };
  });
  const last = planFlat({ name: copy.name, part: "forward" }, elements, caps).steps.map(
    ({ operands, ...step }): Step => {
      const { in_a, result } = operands as { in_a: Binding; result: Binding };
      const named = (use: Binding, operand: string): Binding =>
        typeof use === "string" ? operand : { ...use, operand };
      return { ...step, operands: { in_a: named(in_a, SUMS), result: named(result, "y") } };
    },
  );
  return { ...plan, steps: [...adding, ...last], scratch: { ...scratch, [SUMS]: elements * 4 } };
}

/** What `planner` plans for a device, with the operands `names` as float16. */
export function planHalf(
  planner: (caps: Capabilities) => Plan | undefined,
  names: readonly string[],
  caps: Capabilities,
): Plan | undefined {
  if (names.length === 0) return planner(caps);
  const made = planner({ ...caps, tuning: tilesOf(caps.tuning) });
  if (!made) return undefined;
  const plan = made.sums && names.includes("y") ? viaSums(made, made.sums, caps) : made;
  const { tunable } = plan;
  const keyed: { tunable?: Tunable } = tunable ? { tunable: { ...tunable, key: tunable.key + SUFFIX } } : {};
  return { ...plan, ...keyed, steps: plan.steps.map((step) => halved(step, names)) };
}
