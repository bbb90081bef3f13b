import type { nn } from "@fcn/tensor";

export type HostWeights = Record<string, Float32Array>;

/** All values of a net on the host. */
export async function weightsOf(net: nn.Module): Promise<HostWeights> {
  const entries = Object.entries(net.stateDict());
  return Object.fromEntries(
    await Promise.all(entries.map(async ([name, tensor]) => [name, (await tensor.data()) as Float32Array] as const)),
  );
}

/** Largest difference of two states, as a share of the largest change from `start`. */
export function relativeDifference(a: HostWeights, b: HostWeights, start: HostWeights): number {
  let [difference, change] = [0, 0];
  for (const [name, values] of Object.entries(a)) {
    values.forEach((value, i) => {
      difference = Math.max(difference, Math.abs(value - (b[name]?.[i] ?? Number.NaN)));
      change = Math.max(change, Math.abs(value - (start[name]?.[i] ?? Number.NaN)));
    });
  }
  if (!(change > 0)) throw new Error("nothing changed, so there is nothing to compare");
  return difference / change;
}

/** Names of the arrays that differ in any bit. */
export const changed = (a: HostWeights, b: HostWeights): string[] =>
  Object.keys(a).filter((name) => a[name]?.some((value, i) => !Object.is(value, b[name]?.[i])));
