import { invalidArgument } from "@fcn/tensor/internal";
import { ENTRIES } from "./entries.js";
import type { WeightsEntry } from "./entry.js";

/** The names of the published weights, `publisher/name`. */
export const listWeights = (): string[] => ENTRIES.map(({ name }) => name);

/** The entry of published weights. Throws `invalid-argument` for an unknown name. */
export function describeWeights(name: string): WeightsEntry {
  const entry = ENTRIES.find((candidate) => candidate.name === name);
  if (entry !== undefined) return entry;
  const last = name.slice(name.lastIndexOf("/") + 1);
  const close = ENTRIES.filter((candidate) => candidate.name.includes(last) || last.includes(candidate.model));
  throw invalidArgument(
    `weights: there are none called ${JSON.stringify(name.slice(0, 80))}`,
    `use one of: ${(last.length > 0 && close.length > 0 ? close : ENTRIES).map((found) => found.name).join(", ")}`,
  );
}
