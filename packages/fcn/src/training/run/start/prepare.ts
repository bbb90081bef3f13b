import { invalidArgument } from "@fcn/tensor/internal";
import type { Augmentation } from "../../../data/augment/augmentation.js";
import { DataLoader } from "../../../data/loader/loader.js";
import type { LoaderState } from "../../../data/loader/loaderOptions.js";
import type { GraphNet } from "../../../models/index.js";
import { headClasses } from "../../../models/segmentationNet.js";
import { mapFor } from "../../../weights/registry/ofModel.js";
import { balancedWeights } from "../../loss/classWeights.js";
import { checkHeadLabels, extraLabels, ownHeadLabels } from "../../loss/heads.js";
import { resolveTraining } from "../../settings/resolve.js";
import { RUN } from "../../settings/run.js";
import type { TrainRunOptions } from "../../settings/runOptions.js";
import type { ResolvedOptions } from "../../settings/trainOptions.js";
import type { Configuration } from "../configuration.js";
import { largestBatch } from "./autoBatch.js";
import type { RunData } from "./data.js";
import { configurationOf, type RunParts } from "./decided.js";
import { orderOf, trainSettings } from "./defaults.js";
import { type ChosenStart, tellPretrained } from "./pretrained.js";
import { startFile } from "./startFile.js";
import { describeStart, loadStartWeights } from "./startWeights.js";

/** Everything a run is made of, before its first step. */
export interface PreparedRun extends RunParts {
  readonly model: GraphNet;
  readonly checkpointEvery: number;
  readonly configuration: Configuration;
}

/**
 * Fixes every setting, and fills the net with the weights that it starts from. `saved` is the configuration of the
 * checkpoint that the run continues from.
 */
export async function prepareRun(
  { pretrained, file, ...parts }: Pick<PreparedRun, "data" | "metadata" | "model"> & ChosenStart,
  saved: Configuration | undefined,
): Promise<PreparedRun> {
  const { data, metadata, model } = parts;
  const isAuto = parts.options.batchSize === "auto";
  const known = saved?.batchSize as number | undefined;
  const options = isAuto ? { ...parts.options, batchSize: known ?? 1 } : parts.options;
  const { weights, prefix } = options;
  const tell = (text: string): void => options.view?.line?.(text);
  if (file !== undefined && saved === undefined) {
    const headLabels = options.headLabels ?? ownHeadLabels(model);
    const names = pretrained && mapFor(pretrained.entry, metadata.model);
    const report = await loadStartWeights(model, file, { classes: metadata.classes, headLabels, prefix, names });
    const title = pretrained ? tellPretrained(pretrained.entry.name, options) : `${weights}`;
    for (const line of describeStart(title, metadata.classes, report)) tell(line);
  }
  const { numClasses, seed = 0 } = metadata.options;
  const classWeights = weightsOf(options, data);
  const resolved = resolveTraining({
    ...{ model, data: [], preprocessing: metadata.preprocessing, steps: options.steps ?? 1, numClasses, seed },
    ...trainSettings(options),
    ...(classWeights ? { classWeights } : {}),
  });
  checkExtraLabels(resolved, data);
  const augmentation = augmentationOf(options, data, resolved.mirror);
  const batchSize =
    isAuto && known === undefined
      ? await largestBatch({ ...parts, settings: resolved, augmentation })
      : batchSizeOf(resolved, data, tell);
  const { steps, readEvery, ...pace } = paceOf(options, data, { ...resolved, batchSize }, saved);
  const settings = { ...resolved, batchSize, steps, readEvery };
  if (settings.warmUp >= steps) {
    tell(
      `the warm-up of ${settings.warmUp} steps does not end within the run of ${steps}: the learning rate never reaches its full value`,
    );
  }
  const run = { ...parts, settings, augmentation, ...pace };
  return { ...run, configuration: configurationOf(run, await startFile({ options, file, pretrained }, saved)) };
}

/** Throws if a head learns from extra labels that the data lack, or whose number of classes differs from the head's. */
function checkExtraLabels({ model, heads, headLabels }: ResolvedOptions, { opened, sample }: RunData): void {
  const maps = extraLabels(heads, headLabels);
  checkHeadLabels(model, [sample], maps);
  for (const [head, map] of maps) {
    const known = opened.more?.[map]?.classes;
    const scored = headClasses(model, head);
    if (known === undefined || scored === undefined || known.length === scored) continue;
    throw invalidArgument(
      `train: head "${head}" scores ${scored} classes, but the extra labels "${map}" have ${known.length}: ${known.join(", ")}`,
      {
        code: "give the net as many classes for that head (geometricClasses), or leave the option out",
        command: `give the net as many classes for that head (--model-option geometricClasses=${known.length}), or leave the option out`,
      },
    );
  }
}

function weightsOf({ classWeights }: TrainRunOptions, { report }: RunData): readonly number[] | undefined {
  if (typeof classWeights !== "string") return classWeights;
  const counts = report?.splits.train;
  if (counts) return balancedWeights(classWeights, counts);
  throw invalidArgument(
    `train: classWeights ${JSON.stringify(classWeights)} needs a folder, whose classes are counted while it is checked`,
    { code: "pass classWeights(samples, numClasses, ...) for samples in memory" },
  );
}

const LARGEST_WHOLE = 480;

function augmentationOf(
  { crop, recipe, augmentation, view }: TrainRunOptions,
  { report }: RunData,
  mirror: boolean,
): Augmentation {
  const largest = Math.max(0, ...(report?.splits.train?.largest ?? []));
  const needsCrop = crop === undefined && recipe === undefined && largest > LARGEST_WHOLE;
  if (needsCrop) {
    view?.line?.(
      `images are up to ${largest} pixels long, so the net is trained on windows of ${LARGEST_WHOLE} x ${LARGEST_WHOLE} (--crop)`,
    );
  }
  const window = crop ?? (needsCrop ? ([LARGEST_WHOLE, LARGEST_WHOLE] as const) : undefined);
  return { ...augmentation, mirror, ...(window ? { crop: window } : {}) };
}

/** At most the number of images, so that no batch holds an image twice unless they are drawn with replacement. */
function batchSizeOf({ batchSize }: ResolvedOptions, { train }: RunData, tell: (text: string) => void): number {
  const count = train.length;
  if (batchSize <= count) return batchSize;
  tell(
    `there ${count === 1 ? "is 1 training image" : `are ${count} training images`}: batches of ${count} instead of ${batchSize}`,
  );
  return count;
}

/** The steps of a run, and the numbers of steps between its readings, validations and checkpoints. */
interface Pace extends Pick<PreparedRun, "validateEvery" | "checkpointEvery"> {
  readonly steps: number;
  readonly readEvery: number;
}

/** Steps in one pass over the training images. */
export const stepsPerEpoch = (
  { train }: Pick<RunData, "train">,
  { batchSize, accumulationSteps }: Pick<ResolvedOptions, "batchSize" | "accumulationSteps">,
): number => train.length / (batchSize * accumulationSteps);

function paceOf(
  options: TrainRunOptions,
  { train }: RunData,
  { batchSize, accumulationSteps }: ResolvedOptions,
  saved: Configuration | undefined,
): Pace {
  const before = (saved ?? {}) as Partial<Pace>;
  // Batches continue from one pass into the next, so that all are full and no image is left out.
  const perEpoch = stepsPerEpoch({ train }, { batchSize, accumulationSteps });
  const { epochs = RUN.epochs.fallback } = options;
  if (options.steps !== undefined && options.epochs !== undefined) {
    throw invalidArgument(
      `train: steps ${options.steps} and epochs ${options.epochs} cannot be used together`,
      "give one of them",
    );
  }
  const planned = options.steps ?? (options.epochs === undefined ? before.steps : undefined);
  const steps = planned ?? Math.ceil((epochs * train.length) / (batchSize * accumulationSteps));
  // A longer run keeps the intervals of readings and validations that it began with.
  const kept: Partial<Pace> = steps > (before.steps ?? steps) ? before : {};
  const epoch = Math.min(steps, Math.ceil(Math.max(perEpoch, steps / 20)));
  const readEvery = options.readEvery ?? kept.readEvery ?? Math.min(10, options.validateEvery ?? epoch);
  // By default, validation coincides with a reading, so that no mean is over fewer steps.
  const validateEvery = options.validateEvery ?? kept.validateEvery ?? Math.ceil(epoch / readEvery) * readEvery;
  return { steps, readEvery, validateEvery, checkpointEvery: options.checkpointEvery ?? validateEvery };
}

/** The loader of the training images. */
export function makeLoader(
  { options, data, settings, augmentation, metadata }: PreparedRun,
  state: LoaderState | undefined,
): DataLoader {
  return new DataLoader(data.train, {
    batchSize: settings.batchSize,
    preprocessing: metadata.preprocessing,
    seed: settings.seed,
    augmentation,
    fillLast: true,
    order: orderOf(options),
    onFailure: ({ message }) => options.view?.line?.(`left out: ${message}`),
    ...(options.workers === undefined ? {} : { workers: options.workers }),
    ...(state ? { state } : {}),
  });
}
