import { TensorError } from "@fcn/tensor";
import { chooseFrom } from "../../options/closest.js";
import { ENTRIES } from "./entries.js";
import type { WeightsEntry } from "./entry.js";

/** The names of the published weights, `publisher/name`. */
export const listWeights = (): string[] => ENTRIES.map(({ name }) => name);

/** The entry of published weights. Throws `invalid-argument` for an unknown name. */
export function describeWeights(name: string): WeightsEntry {
  const entry = ENTRIES.find((candidate) => candidate.name === name);
  if (entry !== undefined) return entry;
  throw new TensorError({
    code: "invalid-argument",
    message: `weights: there are none called ${JSON.stringify(name.slice(0, 80))}`,
    fix: {
      code: chooseFrom(name, listWeights(), "listWeights()"),
      command: chooseFrom(name, listWeights(), "fcn weights list"),
    },
  });
}
