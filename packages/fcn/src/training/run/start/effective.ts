import { OPEN_OPTIONS } from "../../../data/open/openOptions.js";
import { valuesOf } from "../../../options/option.js";
import { SETTINGS } from "../../settings/run.js";
import { orderOf } from "./defaults.js";
import type { PreparedRun } from "./prepare.js";

/** Options of one call that a repeated run is given anew. */
const OF_ONE_CALL = ["out", "resume", "overwrite", "preview"];

/**
 * The options of a run, with every default as it was filled in, so that `trainRun` with these and another `out`, or
 * `fcn train --config`, repeats it. What is not plain data, such as samples in memory, is left out.
 */
export function effectiveOptions(run: PreparedRun): Readonly<Record<string, unknown>> {
  const { options, metadata, settings, augmentation, configuration, validateEvery, checkpointEvery } = run;
  const { crop, mirror: _, ...changes } = augmentation;
  const { model, graph, preprocessing } = metadata;
  const { numClasses: __, seed: ___, ...modelOptions } = metadata.options;
  const found: Readonly<Record<string, unknown>> = {
    ...options,
    ...settings,
    ...{ data: typeof options.data === "string" ? options.data : undefined, epochs: undefined },
    ...{ model: graph ?? model, modelOptions: graph ? undefined : modelOptions, preprocessing },
    // A recipe may name layers that the net lacks, unlike an option.
    multipliers: options.multipliers,
    ...{ weights: options.weights, recipe: options.recipe, order: orderOf(options), momentum: configuration.momentum },
    ...{ crop, augmentation: Object.keys(changes).length > 0 ? changes : undefined, validateEvery, checkpointEvery },
  };
  const reading = { ...options.open, skipBad: options.skipBad ?? options.open?.skipBad };
  return {
    ...valuesOf(SETTINGS, (_, name) => (OF_ONE_CALL.includes(name) ? undefined : found[name])),
    open: valuesOf(OPEN_OPTIONS, (_, name) => reading[name as keyof typeof reading]),
  };
}
