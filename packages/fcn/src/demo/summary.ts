import { join } from "node:path";
import type { Device, DeviceInfo } from "@fcn/tensor";
import type { Evaluation } from "../evaluation/evaluate.js";
import { writeWholeFile } from "../files/write.js";
import { adapterName } from "../report/adapter.js";
import { toCsv } from "../report/csv.js";
import type { ScoreRow } from "../report/table.js";
import type { StageResult } from "../training/staged.js";
import { EARTH_CLASSES } from "./earth/labels.js";
import type { EarthSamples } from "./earth/split.js";
import { type DemoOptions, type DemoRecipe, weightsFile } from "./recipe.js";
import { demoReportHtml } from "./report.js";
import { type DemoScores, demoScores } from "./scores.js";

/** The results of a run, as `--json` prints them. */
export type DemoSummary = ReturnType<typeof summarise>;

interface SummaryParts {
  readonly options: DemoOptions;
  readonly device: Device;
  readonly recipe: DemoRecipe;
  readonly samples: EarthSamples;
  readonly stages: readonly StageResult[];
  readonly baseline: { readonly label: number; readonly evaluation: Evaluation };
  readonly reload: { readonly file: string; readonly tile: string };
  readonly seconds: number;
}

export function summarise(parts: SummaryParts) {
  const { options, device, recipe, samples, stages, baseline, reload } = parts;
  const { software } = device.info;
  return {
    adapter: { description: adapterName(device.info), software },
    backbone: options.backbone,
    steps: options.steps,
    batchSize: recipe.batchSize,
    seed: options.seed,
    classes: EARTH_CLASSES,
    tiles: { train: samples.train.length, validation: samples.validation.length },
    baseline: { class: EARTH_CLASSES[baseline.label] ?? "", ...demoScores(baseline.evaluation) },
    stages: stages.map(stageSummary),
    reloaded: { file: reload.file, tile: reload.tile, identicalLabels: true },
    /** The most bytes allocated on the GPU at once. */
    peakBytes: device.memory().peakBytes,
    seconds: parts.seconds,
    files: [
      ...stages.map(({ stage }) => weightsFile(stage)),
      ...["panels.png", "predicted.png", "metrics.csv", "report.html"],
    ].map((file) => join(options.out, file)),
  };
}

function stageSummary({ stage, training: { learningRate, seconds, losses }, evaluation }: StageResult) {
  return {
    model: stage.modelName,
    ...{ learningRate, seconds, loss: losses.at(-1)?.loss ?? Number.NaN },
    ...demoScores(evaluation),
  };
}

/** The rows of the score table, the baseline first. */
export function scoreRows(summary: DemoSummary): [ScoreRow<DemoScores>, ...ScoreRow<DemoScores>[]] {
  const rows = summary.stages.map((stage) => ({ name: stage.model, scores: stage }));
  return [{ name: `all ${summary.baseline.class}`, scores: summary.baseline }, ...rows];
}

export interface ReportParts {
  readonly stages: readonly StageResult[];
  readonly panels: Uint8Array;
  readonly predicted: Uint8Array;
  readonly adapter: DeviceInfo;
  readonly out: string;
}

/** Writes the images, metrics.csv and report.html. */
export async function writeReports(summary: DemoSummary, parts: ReportParts): Promise<void> {
  const { stages, panels, predicted, adapter, out } = parts;
  const [baseline, ...rows] = scoreRows(summary);
  const { file, tile } = summary.reloaded;
  const reloaded = `Tile ${tile}, predicted by the net in ${file}: the same labels, pixel by pixel, as the net in memory gave.`;
  const configuration = configurationRows(summary);
  const { classes } = summary;
  const report = { adapter, classes, baseline, rows, stages, panels, predicted, reloaded, configuration };
  const files = {
    "panels.png": panels,
    "predicted.png": predicted,
    "metrics.csv": metricsCsv(stages),
    "report.html": demoReportHtml(report),
  };
  for (const [name, content] of Object.entries(files)) await writeWholeFile("demo", join(out, name), content);
}

function configurationRows(summary: DemoSummary): [string, string][] {
  const { stages, tiles } = summary;
  return [
    ["backbone", summary.backbone],
    ["steps a stage", String(summary.steps)],
    ["batch size", String(summary.batchSize)],
    [
      "learning rates",
      `${stages.map((stage) => stage.learningRate).join(", ")}, falling to 0 in each stage (polynomial)`,
    ],
    ["optimiser", "SGD, momentum 0.9, weight decay 0.0005"],
    ["seed", String(summary.seed)],
    ["tiles", `${tiles.train} to train, ${tiles.validation} held back (90W to 45W and 45E to 90E)`],
    ["seconds a stage, validation included", stages.map((stage) => stage.seconds.toFixed(1)).join(", ")],
    ["seconds in all", summary.seconds.toFixed(1)],
    ["peak GPU memory, allocated", `${(summary.peakBytes / 2 ** 20).toFixed(0)} MiB`],
  ];
}

const METRICS = ["pixelAccuracy", "meanAccuracy", "meanIU", "frequencyWeightedIU", "coastAccuracy"] as const;

/** One row per reading of the loss. Rows at which the net was validated also hold the scores. */
function metricsCsv(stages: readonly StageResult[]): string {
  const rows = stages.flatMap(({ stage, training, validations }) =>
    training.losses.map(({ step, loss }) => {
      const found = validations.find((validation) => validation.step === step);
      const scores = found ? demoScores(found.evaluation) : undefined;
      return [stage.modelName, step, loss, ...METRICS.map((name) => scores?.[name] ?? "")];
    }),
  );
  return toCsv(["model", "step", "loss", ...METRICS], rows);
}
