import { type Capabilities, type Plan, planHalf } from "@fcn/kernels";
import { RecentMap } from "../plain/recent.js";

type Planner<Args extends readonly unknown[]> = (...args: [...Args, Capabilities]) => Plan | undefined;

/** A call of a pure planning function that the device completes with its capabilities. */
export interface Planned {
  readonly planner: Planner<readonly unknown[]>;
  readonly args: readonly unknown[];
}

/** The call of `planner` with these arguments, which are plain data. */
export const planned = <Args extends readonly unknown[]>(planner: Planner<Args>, ...args: Args): Planned => ({
  planner: planner as Planner<readonly unknown[]>,
  args,
});

/** The plan of a call for a device, with the operands `half` as float16; undefined if there is none. */
export const planFor = (
  { planner, args }: Planned,
  half: readonly string[],
  capabilities: Capabilities,
): Plan | undefined => planHalf((caps) => planner(...args, caps), half, capabilities);

/** Plans of one planning function that are kept, at least. Shapes and settings of a net repeat; seeds do not. */
const KEPT = 256;

/** Plans by their calls, so that a geometry is planned once. Plans are never changed. */
export class PlanCache {
  readonly #plans = new Map<Planned["planner"], RecentMap<Plan>>();
  #capabilities: Capabilities | undefined;

  /** The plan for a device, with the operands `half` as float16; undefined if there is none. */
  get(call: Planned, capabilities: Capabilities, half: readonly string[] = []): Plan | undefined {
    const { planner, args } = call;
    if (capabilities !== this.#capabilities) this.#plans.clear();
    this.#capabilities = capabilities;
    let known = this.#plans.get(planner);
    if (!known) {
      known = new RecentMap(KEPT);
      this.#plans.set(planner, known);
    }
    const key = half.length > 0 ? `${keyOf(args)} float16 ${half}` : keyOf(args);
    const earlier = known.get(key);
    if (earlier) return earlier;
    const plan = planFor(call, half, capabilities);
    if (plan) known.set(key, plan);
    return plan;
  }
}

/** A text that differs where plain data differ. */
function keyOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return Object.is(value, -0) ? "-0" : `${value}`;
  let key = "";
  if (Array.isArray(value)) for (const item of value) key += `${keyOf(item)},`;
  else for (const name in value) key += `${name}:${keyOf((value as Record<string, unknown>)[name])},`;
  return `{${key}}`;
}
