import type { Augmentation } from "../../data/augment/options.js";
import type { SegmentationDataset } from "../../data/dataset.js";
import { hasMomentum } from "../optimizers.js";
import type { ResolvedOptions } from "../options.js";
import type { ModelMetadata } from "../weightsFile.js";
import { type Configuration, countAndHash } from "./configuration.js";
import type { RunData } from "./data.js";
import { orderOf, type TrainRunOptions } from "./options.js";
import type { StartFile } from "./startFile.js";

interface Parts {
  readonly options: TrainRunOptions;
  readonly data: RunData;
  readonly metadata: ModelMetadata;
  readonly settings: ResolvedOptions;
  readonly augmentation: Augmentation;
  readonly pace: { readonly steps: number; readonly readEvery: number; readonly validateEvery: number };
  readonly weights: StartFile | undefined;
}

/** All that changes a step or what is told of it, and nothing else: neither where files lie nor how many threads decode, nor when a checkpoint is written. */
export function configurationOf(parts: Parts): Configuration {
  const { options, data, metadata, settings, augmentation, pace, weights } = parts;
  const { batchSize, iterSize, learningRate, loss, criterion, weightDecay, multipliers } = settings;
  const { optimizer } = settings;
  // One that the optimiser does not use is left out.
  const momentum = typeof optimizer === "string" && hasMomentum(optimizer) ? settings.momentum : undefined;
  const { heads, headLabels, schedule, warmUp, trainable, freezeBatchNorm, clipNorm, lossSampling } = settings;
  const names = ({ length, name }: SegmentationDataset): string[] => Array.from({ length }, (_, i) => name(i));
  return {
    ...{ model: metadata.model, modelOptions: metadata.options, graph: metadata.graph, classes: metadata.classes },
    ...{ preprocessing: metadata.preprocessing, recipe: options.recipe, optimizer },
    ...{ steps: pace.steps, batchSize, iterSize, learningRate, schedule, warmUp, loss, criterion },
    ...{ momentum, weightDecay, multipliers, heads, headLabels, trainable, freezeBatchNorm, clipNorm, lossSampling },
    ...readingOf(options),
    ...{ classWeights: settings.classWeights, augmentation, order: orderOf(options), seed: settings.seed },
    ...{ readEvery: pace.readEvery, validateEvery: pace.validateEvery, weights },
    ...{
      trainingPictures: countAndHash(names(data.train)),
      validationPictures: countAndHash(data.validation ? names(data.validation) : []),
      leftOut: leftOutOf(data),
    },
  };
}

/** The pictures that cannot be used, by split; they decide which are trained on. */
function leftOutOf({ opened: { leftOut = [] } }: RunData): readonly string[] | undefined {
  return leftOut.length > 0 ? leftOut.map(({ split, name }) => `${split}: ${name}`) : undefined;
}

/** The options of a folder that change pictures or labels, but neither their names nor the classes. */
function readingOf({ data, open = {} }: TrainRunOptions): Configuration {
  if (typeof data !== "string") return {};
  const { d2l, input, overlap, lineWidth, maskSuffix } = open;
  return { d2l, input, overlap, lineWidth, maskSuffix };
}
