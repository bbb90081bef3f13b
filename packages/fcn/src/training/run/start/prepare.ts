import { type Device, TensorError } from "@fcn/tensor";
import { invalidArgument } from "@fcn/tensor/internal";
import type { Augmentation } from "../../../data/augment/options.js";
import { DataLoader } from "../../../data/loader/loader.js";
import type { SegmentationDataset } from "../../../data/samples/dataset.js";
import type { SegmentationSample } from "../../../labels/sample.js";
import { buildNet, type ModelMetadata } from "../../../models/file/weightsFile.js";
import type { GraphNet } from "../../../models/index.js";
import { headClasses } from "../../../models/segmentationNet.js";
import { checkGiven } from "../../../options/option.js";
import { balancedWeights } from "../../loss/classWeights.js";
import { checkHeadLabels, extraLabels, ownHeadLabels } from "../../loss/heads.js";
import type { ResolvedOptions } from "../../settings/options.js";
import { resolveTraining } from "../../settings/resolve.js";
import { RUN, SETTINGS } from "../../settings/run.js";
import type { TrainRunOptions } from "../../settings/runOptions.js";
import type { Configuration } from "../configuration.js";
import type { RunData } from "./data.js";
import { configurationOf } from "./decided.js";
import { chooseNet } from "./net.js";
import { orderOf, trainSettings } from "./options.js";
import { startFile } from "./startFile.js";
import { describeStart, loadStartWeights } from "./startWeights.js";

/** Everything a run is made of, before its first step. */
export interface PreparedRun {
  readonly model: GraphNet;
  readonly metadata: ModelMetadata;
  /** As `train` takes them. The run fills in `data` and `steps`. */
  readonly settings: ResolvedOptions;
  readonly augmentation: Augmentation;
  readonly steps: number;
  readonly readEvery: number;
  readonly validateEvery: number;
  readonly checkpointEvery: number;
  readonly configuration: Configuration;
}

/**
 * Builds the net and fixes every setting. `saved` is the configuration of the checkpoint that the run continues from.
 */
export async function prepareRun(
  options: TrainRunOptions,
  data: RunData,
  device: Device,
  saved: Configuration | undefined,
): Promise<PreparedRun> {
  const { weights: file, view } = options;
  checkGiven("train", SETTINGS, options);
  const sample = await firstSample(data.train);
  const metadata = await chooseNet(options, data, { channels: sample.image.channels, saved });
  const model = buildNet(metadata, device);
  try {
    if (file !== undefined && saved === undefined) {
      const headLabels = options.headLabels ?? ownHeadLabels(model);
      const report = await loadStartWeights(model, file, {
        classes: metadata.classes,
        headLabels,
        prefix: options.prefix,
      });
      for (const line of describeStart(file, metadata.classes, report)) view?.line?.(line);
    }
    const { preprocessing, options: modelOptions } = metadata;
    const given = trainSettings(options);
    const weights = weightsOf(options, data);
    const base = { model, data: [], preprocessing, steps: options.steps ?? 1 };
    const { numClasses, seed = 0 } = modelOptions;
    const resolved = resolveTraining({
      ...{ ...base, numClasses, seed },
      ...given,
      ...(weights ? { classWeights: weights } : {}),
    });
    const settings = { ...resolved, batchSize: batchSizeOf(resolved, data, view?.line?.bind(view)) };
    checkExtraLabels(settings, data, sample);
    const augmentation = augmentationOf(options, data, settings.mirror);
    const pace = await paceOf(options, data, { settings, saved });
    if (settings.warmUp >= pace.steps) {
      view?.line?.(
        `the warm-up of ${settings.warmUp} steps is not over when the run of ${pace.steps} ends: it never reaches its learning rate`,
      );
    }
    const parts = { options, data, metadata, settings, augmentation, pace, weights: await startFile(file, saved) };
    return { model, metadata, settings, augmentation, ...pace, configuration: configurationOf(parts) };
  } catch (error) {
    model.dispose();
    throw error;
  }
}

async function firstSample(dataset: SegmentationDataset): Promise<SegmentationSample> {
  if (dataset.length > 0) return dataset.load(0);
  throw new TensorError({
    code: "missing-data",
    message: "train: there is no image to train on",
    fix: "put images into images/ and masks of the same name into masks/",
  });
}

/** Throws if a head learns from extra labels that the data lack, or whose number of classes differs from the head's. */
function checkExtraLabels(
  { model, heads, headLabels }: ResolvedOptions,
  { opened }: RunData,
  sample: SegmentationSample,
): void {
  const maps = extraLabels(heads, headLabels);
  checkHeadLabels(model, [sample], maps);
  for (const [head, map] of maps) {
    const known = opened.more?.[map]?.classes;
    const scored = headClasses(model, head);
    if (known === undefined || scored === undefined || known.length === scored) continue;
    throw invalidArgument(
      `train: head "${head}" scores ${scored} classes, but the label map "${map}" has ${known.length}: ${known.join(", ")}`,
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
      `images are up to ${largest} pixels long: trained on windows of ${LARGEST_WHOLE} x ${LARGEST_WHOLE} (--crop)`,
    );
  }
  const window = crop ?? (needsCrop ? ([LARGEST_WHOLE, LARGEST_WHOLE] as const) : undefined);
  return { ...augmentation, mirror, ...(window ? { crop: window } : {}) };
}

/** At most the number of images, so that no batch holds an image twice unless they are drawn with replacement. */
function batchSizeOf({ batchSize }: ResolvedOptions, { train }: RunData, line = (_: string): void => {}): number {
  const count = train.length;
  if (batchSize <= count) return batchSize;
  line(
    `there ${count === 1 ? "is 1 training image" : `are ${count} training images`}: batches of ${count} in place of ${batchSize}`,
  );
  return count;
}

type Pace = Pick<PreparedRun, "steps" | "readEvery" | "validateEvery" | "checkpointEvery">;

async function paceOf(
  options: TrainRunOptions,
  { train }: RunData,
  {
    settings: { batchSize, accumulationSteps },
    saved,
  }: { settings: ResolvedOptions; saved: Configuration | undefined },
): Promise<Pace> {
  const before = (saved ?? {}) as Partial<Pace>;
  // Batches continue from one pass into the next, so that all are full and no image is left out.
  const perEpoch = train.length / (batchSize * accumulationSteps);
  const { epochs = RUN.epochs.fallback } = options;
  if (options.steps !== undefined && options.epochs !== undefined) {
    throw invalidArgument(
      `train: steps ${options.steps} and epochs ${options.epochs} exclude each other`,
      "give one of them",
    );
  }
  const isOpen = options.steps === undefined && options.epochs === undefined;
  const planned = options.steps ?? (isOpen ? before.steps : undefined);
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
  options: TrainRunOptions,
  { train }: RunData,
  { settings, augmentation, metadata }: PreparedRun,
  state: DataLoader["state"] | undefined,
): DataLoader {
  return new DataLoader(train, {
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
