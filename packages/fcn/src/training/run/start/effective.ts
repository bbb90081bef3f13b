import { OPEN_OPTIONS, type OpenOptions } from "../../../data/open/openOptions.js";
import { valuesOf, withoutUndefined } from "../../../options/option.js";
import { listWeights } from "../../../weights/registry/registry.js";
import { SETTINGS } from "../../settings/run.js";
import type { TrainRunOptions } from "../../settings/runOptions.js";
import { orderOf } from "./defaults.js";
import type { PreparedRun } from "./prepare.js";
import type { StartFile } from "./startFile.js";

/** Options of one call that a repeated run is given anew. */
const OF_ONE_CALL = ["out", "resume", "overwrite", "preview", "stopAt"];

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
    ...settings,
    weights: undefined,
    ...{ data: options.data, epochs: undefined },
    ...{ model: graph ?? model, modelOptions: graph ? undefined : modelOptions, preprocessing },
    // A recipe may name layers that the net lacks, unlike an option.
    multipliers: options.multipliers,
    ...startOf(configuration.weights as StartFile | undefined),
    ...{ recipe: options.recipe, order: orderOf(options), momentum: configuration.momentum },
    ...{ crop, augmentation: Object.keys(changes).length > 0 ? changes : undefined, validateEvery, checkpointEvery },
  };
  return plainOptions({ ...options, ...found });
}

/** What asks for the same start whatever the machine has: published weights by their name, others by their file. */
function startOf(start: StartFile | undefined): Pick<TrainRunOptions, "weights" | "pretrained"> {
  if (start === undefined) return { pretrained: "none" };
  return listWeights().includes(start.file) ? { pretrained: start.file } : { weights: start.file, pretrained: "none" };
}

/** Options as `fcn train --config` and `trainRun` take them, without those of one call and what no file can hold. */
export function plainOptions(options: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const open = options.open as OpenOptions | undefined;
  const reading: OpenOptions = withoutUndefined({ ...open, skipBad: options.skipBad ?? open?.skipBad }) as OpenOptions;
  return {
    ...valuesOf(SETTINGS, (_, name) => (OF_ONE_CALL.includes(name) ? undefined : options[name])),
    ...(typeof options.data === "string" ? {} : { data: undefined }),
    open: valuesOf(OPEN_OPTIONS, (_, name) => reading[name as keyof OpenOptions]),
  };
}
