import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createDevice, type Device, type io } from "@fcn/tensor";
import { type CompositeSource, composeSamples } from "../../data/composite/compose.js";
import { type CompositeSplit, splitComposite } from "../../data/composite/split.js";
import type { SegmentationSample } from "../../data/sample.js";
import { predictSamples } from "../../evaluation/evaluate.js";
import { create } from "../../models/index.js";
import { trainValidated, type ValidatedTraining } from "../../training/validated.js";
import { type ModelMetadata, saveModel } from "../../training/weightsFile.js";
import type { DemoView } from "../run.js";
import { majorityBaseline } from "../scores.js";
import { writeReports } from "./files.js";
import * as recipe from "./recipe.js";
import { loadStamps, loadTrunk } from "./sources.js";
import { summarise, type TransferSummary } from "./summary.js";

const PANEL_SAMPLES = 6;
const VALIDATIONS = 4;
const EVALUATION = { batchSize: 8 };

/** One training run of one start at one rate. */
export interface Attempt extends ValidatedTraining {
  readonly start: recipe.StartName;
  readonly learningRate: number;
}

/** The best attempt of a start, and what it says about the samples of the picture. */
export interface StartResult {
  readonly best: Attempt;
  readonly attempts: readonly Attempt[];
  readonly predictions: readonly Uint8Array[];
}

/** Everything one run holds on to. */
interface Run {
  readonly options: recipe.TransferOptions;
  readonly view: DemoView;
  readonly device: Device;
  readonly classes: readonly string[];
  readonly trunk: Readonly<Record<string, io.HostArray>>;
  readonly train: readonly SegmentationSample[];
  readonly validation: readonly SegmentationSample[];
  readonly shown: readonly SegmentationSample[];
}

/**
 * Fine-tunes MobileNetV2 as FCN-16s on composite samples, from pretrained and from random weights, with the same seed, steps and search for a
 * learning rate; scores both on stamps and photographs that neither has seen; writes weights, pictures and a report into `options.out`.
 */
export async function runTransfer(options: recipe.TransferOptions, view: DemoView): Promise<TransferSummary> {
  const begin = performance.now();
  await mkdir(options.out, { recursive: true });
  const source = await loadStamps(options);
  const split = splitComposite(source, { validation: recipe.HELD_BACK, seed: options.seed });
  view.line(describeSplit(split));
  const trunk = await loadTrunk(options);
  const samples = compose(split, options);
  const device = await createDevice();
  try {
    const shown = mostVaried(samples.validation, PANEL_SAMPLES);
    const run: Run = { options, view, device, classes: source.classes, trunk, ...samples, shown };
    const starts: StartResult[] = [];
    for (const start of recipe.STARTS) starts.push(await runStart(run, start));
    const { evaluation } = majorityBaseline(run.train, run.validation, { numClasses: run.classes.length });
    const seconds = (performance.now() - begin) / 1000;
    const summary = summarise({ ...run, split, starts, baseline: evaluation, seconds });
    await writeReports(summary, { starts, shown, adapter: device.info, out: options.out });
    return summary;
  } finally {
    device.destroy();
  }
}

function compose(
  split: CompositeSplit,
  { samples, validation, seed }: recipe.TransferOptions,
): Pick<Run, "train" | "validation"> {
  const make = (source: CompositeSource, count: number, offset: number): SegmentationSample[] =>
    composeSamples(source, count, { size: recipe.SAMPLE_SIZE, seed: seed + offset });
  return { train: make(split.train, samples, 0), validation: make(split.validation, validation, 1) };
}

/** Samples with the most classes, in their order. */
function mostVaried(samples: readonly SegmentationSample[], count: number): SegmentationSample[] {
  const variety = new Map(samples.map((sample) => [sample, new Set(sample.labels).size]));
  const chosen = [...samples].sort((a, b) => (variety.get(b) ?? 0) - (variety.get(a) ?? 0)).slice(0, count);
  return samples.filter((sample) => chosen.includes(sample));
}

/** Trains one start at its rate, or at every candidate, and keeps the best by mean IU. */
async function runStart(run: Run, start: recipe.StartName): Promise<StartResult> {
  const attempts: Attempt[] = [];
  let kept: { best: Attempt; predictions: readonly Uint8Array[] } | undefined;
  for (const rate of run.options.search ? recipe.CANDIDATE_RATES : [recipe.RATES[start]]) {
    const net = buildNet(run, start);
    try {
      const attempt = await trainNet(run, net, start, rate);
      attempts.push(attempt);
      if (kept !== undefined && attempt.evaluation.meanIU <= kept.best.evaluation.meanIU) continue;
      await saveModel(join(run.options.out, `${start}.safetensors`), net, metadataOf(run));
      const predictions = await predictSamples(net, run.shown, { preprocessing: recipe.PREPROCESSING });
      kept = { best: attempt, predictions };
    } finally {
      net.dispose();
    }
  }
  return { ...(kept as NonNullable<typeof kept>), attempts };
}

function buildNet({ options, device, classes, trunk }: Run, start: recipe.StartName): ReturnType<typeof create> {
  const net = create(recipe.MODEL, device, recipe.modelOptions(classes.length, options.seed));
  if (start === "pretrained") net.loadStateDict(trunk, { strict: false });
  return net;
}

async function trainNet(
  { options, view, classes, train, validation }: Run,
  model: ReturnType<typeof create>,
  start: recipe.StartName,
  learningRate: number,
): Promise<Attempt> {
  const { steps, seed } = options;
  view.stages.start(`${start} weights, rate ${learningRate}`, steps);
  const result = await trainValidated({
    ...recipe.trainingOf(start),
    model,
    data: train,
    validation,
    evaluation: EVALUATION,
    validations: VALIDATIONS,
    preprocessing: recipe.PREPROCESSING,
    numClasses: classes.length,
    batchSize: recipe.BATCH_SIZE,
    steps,
    learningRate,
    seed,
    readEvery: Math.max(1, Math.min(10, Math.floor(steps / VALIDATIONS))),
    onProgress: (progress) => view.stages.progress(progress),
    onValidation: (step, { meanIU }) => view.stages.validation(step, meanIU),
  });
  view.stages.end();
  return { ...result, start, learningRate };
}

function metadataOf({ options, classes }: Run): ModelMetadata {
  return {
    model: recipe.MODEL,
    options: recipe.modelOptions(classes.length, options.seed),
    classes,
    palette: recipe.COLOURS,
    preprocessing: recipe.PREPROCESSING,
  };
}

function describeSplit({ train, validation }: CompositeSplit): string {
  const count = (source: CompositeSource, label: number): number =>
    source.cutouts.filter((cutout) => cutout.label === label).length;
  const classes = train.classes.slice(1).map((name, i) => `${name} ${count(train, i + 1)}/${count(validation, i + 1)}`);
  const photos = `photographs ${train.backgrounds.length}/${validation.backgrounds.length}`;
  return `stamps to train on/held back: ${classes.join(", ")}; ${photos}`;
}
