import { type Device, io, TensorError } from "@fcn/tensor";
import type { Augmentation } from "../../data/augment/options.js";
import type { SegmentationDataset } from "../../data/dataset.js";
import { IMAGENET_MEAN } from "../../data/layouts/means.js";
import { DataLoader } from "../../data/loader/loader.js";
import type { Preprocessing } from "../../data/preprocessing.js";
import { create, type ModelOptions } from "../../models/index.js";
import { inverseFrequencies } from "../classWeights.js";
import { type ResolvedOptions, resolveTraining } from "../options.js";
import { type ModelMetadata, type PartialMetadata, parsePartialMetadata } from "../weightsFile.js";
import type { Configuration } from "./checkpoint.js";
import type { RunData } from "./data.js";
import { type TrainRunOptions, trainSettings } from "./options.js";
import { loadStartWeights } from "./startWeights.js";

/** Everything a run is made of, before its first step. */
export interface PreparedRun {
  readonly model: ReturnType<typeof create>;
  readonly metadata: ModelMetadata;
  /** As `train` takes them; `data` and `steps` are the run's to fill in. */
  readonly settings: ResolvedOptions;
  readonly augmentation: Augmentation;
  readonly steps: number;
  readonly readEvery: number;
  readonly validateEvery: number;
  readonly checkpointEvery: number;
  readonly configuration: Configuration;
}

/** Builds the net and fixes every setting. */
export async function prepareRun(options: TrainRunOptions, data: RunData, device: Device): Promise<PreparedRun> {
  const { seed = 0, view } = options;
  const source = options.weights === undefined ? {} : await describedNet(options.weights);
  const name = options.model ?? source.model;
  if (name === undefined) throw noModel(options.weights);
  const { opened, train } = data;
  const { channels } = (await firstSample(train)).image;
  const inherited = source.model === undefined || source.model === name ? withoutClasses(source.options) : {};
  const modelOptions: ModelOptions = {
    ...inherited,
    ...(channels === 3 ? {} : { inChannels: channels }),
    ...options.modelOptions,
    numClasses: opened.classes.length,
    seed,
  };
  const model = create(name, device, modelOptions);
  try {
    if (options.weights !== undefined && !options.resume) await start(model, options.weights, view?.line?.bind(view));
    const preprocessing =
      options.preprocessing ?? source.preprocessing ?? opened.preprocessing ?? defaultPreprocessing(channels);
    const { classes, palette } = opened;
    const metadata: ModelMetadata = { model: name, options: modelOptions, classes, palette, preprocessing };
    const { optimizerName, ...given } = trainSettings(options);
    const weights = weightsOf(options, data);
    const base = { model, data: [], preprocessing, numClasses: classes.length, seed, steps: options.steps ?? 1 };
    const settings = resolveTraining({ ...base, ...given, ...(weights ? { classWeights: weights } : {}) });
    const augmentation = augmentationOf(options, data, settings.mirror);
    const pace = await paceOf(options, data, settings);
    const configuration = configurationOf({ options, data, metadata, settings, augmentation, optimizerName, pace });
    return { model, metadata, settings, augmentation, ...pace, configuration };
  } catch (error) {
    model.dispose();
    throw error;
  }
}

async function firstSample(dataset: SegmentationDataset) {
  if (dataset.length > 0) return dataset.load(0);
  throw new TensorError({
    code: "missing-data",
    message: "train: there is no picture to train on",
    fix: "put pictures into images/ and masks of the same name into masks/",
  });
}

async function describedNet(file: string): Promise<PartialMetadata> {
  const strings = await io.openWeights(file, ({ format, metadata }) => (format === "safetensors" ? metadata : {}));
  return parsePartialMetadata(strings);
}

const withoutClasses = ({ numClasses: _, seed: __, ...rest }: Partial<ModelOptions> = {}): Partial<ModelOptions> =>
  rest;

function noModel(weights: string | undefined): TensorError {
  return new TensorError({
    code: "invalid-argument",
    message:
      weights === undefined ? "train: no model is named" : `train: ${weights} does not say which net it belongs to`,
    fix: "name a model (--model), one of models.list(), such as fcn8s-vgg16 or fcn16s-mobilenetv2",
  });
}

async function start(model: PreparedRun["model"], file: string, line = (_: string): void => {}): Promise<void> {
  const { loaded, swapped, missing } = await loadStartWeights(model, file);
  line(`${file}: ${loaded} arrays loaded`);
  if (swapped.length > 0) line(`for other classes, so these start anew: ${swapped.join(", ")}`);
  const some = missing.slice(0, 8).join(", ") + (missing.length > 8 ? ` and ${missing.length - 8} more` : "");
  if (missing.length > 0) line(`not in the file, so these start anew: ${some}`);
}

/** A colour picture gets ImageNet's means; further channels are centred on the middle of 0 to 255. */
function defaultPreprocessing(channels: number): Preprocessing {
  const fill = (own: readonly number[], value: number): number[] =>
    Array.from({ length: channels }, (_, c) => (channels >= 3 ? own[c] : undefined) ?? value);
  return { channelOrder: "rgb", mean: fill(IMAGENET_MEAN.mean, 127.5), std: fill(IMAGENET_MEAN.std, 57) };
}

function weightsOf({ classWeights }: TrainRunOptions, { report }: RunData): readonly number[] | undefined {
  if (classWeights !== "inverse") return classWeights;
  const counts = report?.splits.train?.histogram;
  if (counts) return inverseFrequencies(counts);
  throw new TensorError({
    code: "invalid-argument",
    message: 'train: classWeights "inverse" needs a folder, whose classes are counted while it is checked',
    fix: "pass classWeights(samples, numClasses, ...) for samples in memory",
  });
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
      `pictures are up to ${largest} pixels long: trained on windows of ${LARGEST_WHOLE} x ${LARGEST_WHOLE} (--crop)`,
    );
  }
  const window = crop ?? (needsCrop ? ([LARGEST_WHOLE, LARGEST_WHOLE] as const) : undefined);
  return { ...augmentation, mirror, ...(window ? { crop: window } : {}) };
}

type Pace = Pick<PreparedRun, "steps" | "readEvery" | "validateEvery" | "checkpointEvery">;

const DEFAULT_EPOCHS = 20;

async function paceOf(
  options: TrainRunOptions,
  { train }: RunData,
  { batchSize, iterSize }: ResolvedOptions,
): Promise<Pace> {
  const perEpoch = Math.max(1, epochBatches(train, batchSize) / iterSize);
  const { epochs = DEFAULT_EPOCHS } = options;
  checkWhole({ ...pick(options, "steps", "epochs", "readEvery", "validateEvery", "checkpointEvery") });
  if (options.steps !== undefined && options.epochs !== undefined) {
    throw new TensorError({
      code: "invalid-argument",
      message: `train: steps ${options.steps} and epochs ${options.epochs} exclude each other`,
      fix: "give one of them",
    });
  }
  const steps = options.steps ?? Math.ceil(epochs * perEpoch);
  const wished = options.validateEvery ?? Math.min(steps, Math.ceil(Math.max(perEpoch, steps / 20)));
  const readEvery = options.readEvery ?? Math.min(10, wished, options.checkpointEvery ?? wished);
  const onReadings = (every: number): number => Math.ceil(every / readEvery) * readEvery;
  const validateEvery = onReadings(wished);
  return { steps, readEvery, validateEvery, checkpointEvery: onReadings(options.checkpointEvery ?? validateEvery) };
}

/** A last batch that is not full is left out, unless there is no other. */
export const dropsLast = (dataset: SegmentationDataset, batchSize: number): boolean => dataset.length >= batchSize;

const epochBatches = (dataset: SegmentationDataset, batchSize: number): number =>
  Math.max(1, Math.floor(dataset.length / batchSize));

function pick<T, K extends keyof T>(from: T, ...names: readonly K[]): Partial<Pick<T, K>> {
  return Object.fromEntries(names.map((name) => [name, from[name]])) as Partial<Pick<T, K>>;
}

function checkWhole(values: Readonly<Record<string, number | undefined>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || (Number.isInteger(value) && value >= 1)) continue;
    throw new TensorError({
      code: "invalid-argument",
      message: `train: ${name} is ${value}, but must be a whole number from 1 on`,
      fix: `correct ${name}`,
    });
  }
}

interface Parts {
  readonly options: TrainRunOptions;
  readonly data: RunData;
  readonly metadata: ModelMetadata;
  readonly settings: ResolvedOptions;
  readonly augmentation: Augmentation;
  readonly optimizerName: string;
  readonly pace: Pace;
}

/** All that changes a step, and nothing else: neither where files lie nor how many threads decode. */
function configurationOf({
  options,
  data,
  metadata,
  settings,
  augmentation,
  optimizerName,
  pace,
}: Parts): Configuration {
  const { batchSize, iterSize, learningRate, loss, criterion, momentum, weightDecay, multipliers, heads } = settings;
  const { schedule, warmUp, trainable, freezeBatchNorm, clipNorm, lossSampling, classWeights } = settings;
  const names = ({ length, name }: SegmentationDataset): string[] => Array.from({ length }, (_, i) => name(i));
  return {
    ...{ model: metadata.model, modelOptions: metadata.options, classes: metadata.classes },
    ...{ preprocessing: metadata.preprocessing, recipe: options.recipe, optimizer: optimizerName },
    ...{
      steps: pace.steps,
      batchSize,
      iterSize,
      learningRate,
      schedule,
      warmUp,
      loss,
      criterion,
      momentum,
      weightDecay,
    },
    ...{ multipliers, heads, trainable, freezeBatchNorm, clipNorm, lossSampling, classWeights, augmentation },
    ...{ seed: settings.seed, validateEvery: pace.validateEvery, weights: options.weights },
    ...{
      trainingPictures: summary(names(data.train)),
      validationPictures: summary(data.validation ? names(data.validation) : []),
    },
  };
}

/** The number of names and a 32-bit hash of them (FNV-1a). */
function summary(names: readonly string[]): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(names.join("\n"))) hash = Math.imul(hash ^ byte, 0x01000193);
  return `${names.length} (${(hash >>> 0).toString(16)})`;
}

/** The loader of the training pictures. */
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
    dropLast: dropsLast(train, settings.batchSize),
    onFailure: ({ message }) => options.view?.line?.(`left out: ${message}`),
    ...(options.workers === undefined ? {} : { workers: options.workers }),
    ...(state ? { state } : {}),
  });
}
