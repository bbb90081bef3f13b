import type { Augmentation } from "../../../data/augment/augmentation.js";
import { readingOf } from "../../../data/open/openOptions.js";
import type { SegmentationDataset } from "../../../data/samples/dataset.js";
import type { ModelMetadata } from "../../../models/file/weightsFile.js";
import { type Deciding, valuesOf } from "../../../options/option.js";
import { OPTIMIZERS } from "../../optimizer/optimizers.js";
import { type RUN, SETTINGS } from "../../settings/run.js";
import type { TrainRunOptions } from "../../settings/runOptions.js";
import type { TRAINING } from "../../settings/training.js";
import type { ResolvedOptions } from "../../settings/trainOptions.js";
import { type Configuration, countAndHash } from "../configuration.js";
import type { RunData } from "./data.js";
import { orderOf } from "./defaults.js";
import type { StartFile } from "./startFile.js";

/** What decides the course of a run. */
export interface RunParts {
  readonly options: TrainRunOptions;
  readonly data: RunData;
  readonly metadata: ModelMetadata;
  /** As `train` takes them. The run fills in `data`. */
  readonly settings: ResolvedOptions;
  readonly augmentation: Augmentation;
  readonly validateEvery: number;
}

/**
 * Everything that changes a step or what is reported of it, and nothing else: not where files lie, how many threads
 * decode, or when checkpoints are written.
 */
export function configurationOf(
  { options, data, metadata, settings, augmentation, validateEvery }: RunParts,
  weights: StartFile | undefined,
): Configuration {
  const { model, options: modelOptions, preprocessing, graph, classes } = metadata;
  const { optimizer, momentum } = settings;
  const values: Record<Deciding<typeof RUN>, unknown> & Partial<Record<Deciding<typeof TRAINING>, unknown>> = {
    ...settings,
    ...{ model, modelOptions, preprocessing, recipe: options.recipe, validateEvery },
    // Momentum that the optimiser does not use is left out.
    momentum: typeof optimizer === "string" && OPTIMIZERS[optimizer].hasMomentum ? momentum : undefined,
    ...{ augmentation, order: orderOf(options), weights },
  };
  const names = ({ length, name }: SegmentationDataset): string[] => Array.from({ length }, (_, i) => name(i));
  return {
    ...{ graph, classes },
    ...valuesOf(SETTINGS, ({ decides }, name) =>
      decides === undefined ? values[name as keyof typeof values] : undefined,
    ),
    ...(typeof options.data === "string" ? readingOf(options.open ?? {}) : {}),
    trainingImages: countAndHash(names(data.train)),
    validationImages: countAndHash(data.validation ? names(data.validation) : []),
    leftOut: leftOutOf(data),
  };
}

/** The unusable images by split. They belong to the configuration because they decide which images are trained on. */
function leftOutOf({ opened: { leftOut = [] } }: RunData): readonly string[] | undefined {
  return leftOut.length > 0 ? leftOut.map(({ split, name }) => `${split}: ${name}`) : undefined;
}
