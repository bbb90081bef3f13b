import type { Graph } from "../graph/spec.js";
import type { OptionName, Resolved, Rule } from "../options.js";

/** A model by name: the options it takes with their defaults, and its layers. */
export interface ModelEntry {
  readonly summary: string;
  /** The options that the model takes beside `numClasses`, `seed` and `inChannels`. */
  readonly defaults: Partial<Resolved>;
  /** Where this model takes less, or something else, than the common rule of an option. */
  readonly rules?: Partial<Record<OptionName, Rule>>;
  readonly graph: (options: Resolved) => Graph;
}

/** Models of one family by name. */
export type Family = Readonly<Record<string, ModelEntry>>;
