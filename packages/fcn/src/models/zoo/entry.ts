import type { RulesOf } from "@fcn/tensor/internal";
import type { Preprocessing } from "../../data/samples/preprocessing.js";
import type { Graph } from "../graph/spec.js";
import type { ModelOptions, Resolved } from "../options.js";

/** A model by name: the options it takes with their defaults, and its layers. */
export interface ModelEntry {
  readonly summary: string;
  /** The options that the model takes beside `numClasses`, `seed` and `inChannels`. */
  readonly defaults: Partial<Resolved>;
  /** Where this model takes less, or something else, than the common rule of an option. */
  readonly rules?: Partial<RulesOf<ModelOptions>>;
  /** What the published weights for these layer names were made with, where it is not ImageNet's mean and deviation. */
  readonly preprocessing?: Preprocessing;
  readonly graph: (options: Resolved) => Graph;
}

/** Models of one family by name. */
export type Family = Readonly<Record<string, ModelEntry>>;
