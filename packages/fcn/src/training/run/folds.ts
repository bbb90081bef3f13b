import { TensorError } from "@fcn/tensor";
import { checkValue, invalidArgument, nodeModule } from "@fcn/tensor/internal";
import { open } from "../../data/open/open.js";
import { createRandom, shuffledIndices } from "../../data/random.js";
import { joined, type OpenedData, subset } from "../../data/samples/dataset.js";
import { makeFolder, writeWholeFile } from "../../files/write.js";
import { SegmentationMetrics, type SegmentationScores } from "../../labels/metrics.js";
import { tunedDevice } from "../../measure/tunedDevice.js";
import { htmlTable } from "../../report/html/page.js";
import { scoreTable } from "../../report/table.js";
import { bothWays } from "../remedies.js";
import { FOLDS } from "../settings/run.js";
import type { TrainFoldsOptions, TrainRunOptions, TrainRunView } from "../settings/runOptions.js";
import { compareRuns } from "./compare.js";
import { trainRun } from "./run.js";
import { plainOptions } from "./start/effective.js";
import { checkpoints } from "./state/checkpoint.js";
import { checkOut } from "./state/folder.js";
import {
  type FoldScores,
  type FoldsSummary,
  RUN_FILES,
  type TrainFoldsResult,
  type TrainRunResult,
} from "./state/result.js";
import { throwIfStopped, unlessStopped } from "./stop.js";

const { join } = nodeModule("trainFolds", "node:path");

const SUMMARY = "folds.json";

export async function trainFolds(options: TrainFoldsOptions): Promise<TrainFoldsResult> {
  const { folds: count, out, resume = false, signal, view, preview, ...shared } = options;
  const begin = performance.now();
  checkValue("train", "folds", count, FOLDS.folds.rule);
  checkOut(out);
  if ((await checkpoints(join(out, RUN_FILES.checkpoint))).length > 0) throw otherRun(out);
  const opened = await unlessStopped(openAll(options), signal);
  const parts = divided(opened, count, options.seed ?? 0);
  throwIfStopped(signal);
  using own = options.device ? undefined : await tunedDevice(options);
  const device = options.device ?? own;
  await makeFolder("train", out);
  const results: TrainRunResult[] = [];
  for (const [i, data] of parts.entries()) {
    const batchSize = results[0]?.configuration.batchSize as number | undefined;
    const result = await trainRun({
      ...{ ...shared, data, resume, out: join(out, `fold-${i + 1}`) },
      ...(device && { device }),
      ...(signal && { signal }),
      ...(view && { view: named(view, i + 1, count) }),
      ...(batchSize !== undefined && { batchSize }),
      ...(i === 0 && preview !== undefined && { preview }),
    });
    results.push(result);
    if (i === 0) await writeConfig(options, result);
    if (result.stopped) break;
  }
  const stopped = results.some((result) => result.stopped);
  const summary = stopped ? undefined : summaryOf(results);
  const seconds = (performance.now() - begin) / 1000;
  const told = { out, folds: results, seconds, stopped };
  return summary ? { ...told, summary, files: await writeSummary(out, results, summary) } : { ...told, files: [] };
}

const otherRun = (out: string): TensorError =>
  new TensorError({
    code: "run-exists",
    message: `train: ${out} holds the checkpoint of a run, so that folds would stand beside it`,
    fix: bothWays((say) => `name another folder (${say("out", "--out")})`),
  });

/** The data of a cross-validation, opened as its options say. */
export async function openAll({
  data,
  open: how,
  skipBad,
  workers,
  view,
  signal,
}: TrainRunOptions): Promise<OpenedData> {
  if (typeof data !== "string") return data;
  return open(data, {
    ...how,
    skipBad: skipBad ?? how?.skipBad ?? false,
    ...(workers === undefined ? {} : { workers }),
    ...(signal && { signal }),
    onProgress: (done, total) => view?.checking?.(done, total),
  });
}

/** The data of each fold: its part of the images to validate on, all others to train on. */
export function divided(opened: OpenedData, count: number, seed: number): OpenedData[] {
  const datasets = [opened.splits.train, opened.splits.val].filter((dataset) => dataset !== undefined);
  const length = datasets.reduce((sum, dataset) => sum + dataset.length, 0);
  if (length < count) {
    throw invalidArgument(
      `train: ${count} folds of ${length} images to train and validate on`,
      bothWays((say) => `ask for at most ${length} (${say("folds", "--folds")})`),
    );
  }
  const all = joined(datasets);
  const places = shuffledIndices(length, createRandom(seed));
  const foldOf = new Map(places.map((index, i) => [index, i % count]));
  return Array.from({ length: count }, (_, fold) => {
    const indices = Array.from({ length }, (_, index) => index);
    const [train, val] = [
      indices.filter((index) => foldOf.get(index) !== fold),
      indices.filter((index) => foldOf.get(index) === fold),
    ];
    return { ...opened, splits: { train: subset(all, train), val: subset(all, val) } };
  });
}

/** Says which fold it is that trains. */
const named = (view: TrainRunView, fold: number, count: number): TrainRunView => ({
  ...view,
  start: (model, ...rest) => view.start?.(`fold ${fold} of ${count}, ${model}`, ...rest),
});

/** The options of all folds, with the batch that the first one found. */
async function writeConfig(options: TrainFoldsOptions, { configuration }: TrainRunResult): Promise<void> {
  const found = options.batchSize === "auto" ? { batchSize: configuration.batchSize } : {};
  const plain = { ...plainOptions({ ...options, ...found }), folds: options.folds };
  await writeWholeFile("train", join(options.out, RUN_FILES.config), `${JSON.stringify(plain, undefined, 2)}\n`);
}

const COLUMNS = ["pixelAccuracy", "meanAccuracy", "meanIU", "frequencyWeightedIU"] as const;

/** The mean of values and their standard deviation as a sample, without those that are NaN. */
export function meanAndSpread(values: readonly number[]): readonly [mean: number, spread: number] {
  const present = values.filter((value) => !Number.isNaN(value));
  const mean = present.reduce((sum, value) => sum + value, 0) / present.length;
  const square = present.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return [mean, Math.sqrt(square / (present.length - 1))];
}

function summaryOf(results: readonly TrainRunResult[]): FoldsSummary {
  const all = results.map(({ best }) => best?.scores as SegmentationScores);
  const classes = results[0]?.classes ?? [];
  const metrics = new SegmentationMetrics(classes.length);
  for (const { confusion } of all) metrics.addConfusion(confusion.flat());
  const four = COLUMNS.map((name) => [name, meanAndSpread(all.map((scores) => scores[name]))] as const);
  const perClass = classes.map((_, label) =>
    meanAndSpread(all.map(({ perClassIU }) => perClassIU[label] ?? Number.NaN)),
  );
  const pick = (at: 0 | 1) =>
    ({
      ...Object.fromEntries(four.map(([name, pair]) => [name, pair[at]])),
      perClassIU: perClass.map((pair) => pair[at]),
    }) as unknown as FoldScores;
  return { mean: pick(0), spread: pick(1), pooled: metrics.compute() };
}

async function writeSummary(out: string, results: readonly TrainRunResult[], summary: FoldsSummary): Promise<string[]> {
  const { mean, spread, pooled } = summary;
  const rows = [
    { name: "mean", scores: mean },
    { name: "standard deviation", scores: spread },
    { name: "all pixels", scores: pooled },
  ];
  const { header, rows: cells } = scoreTable(rows, results[0]?.classes ?? []);
  const { html } = await compareRuns(
    results.map((result) => result.out),
    {
      title: `${results[0]?.model} in ${results.length} folds`,
      sections: [
        "<h2>Scores over the folds</h2>",
        htmlTable(["", ...header.slice(1)], cells),
        `<p class="soft">In per cent, of the best weights of each fold on its own part of the images; "all pixels" counts the pixels of all folds together.</p>`,
      ],
    },
  );
  const folds = results.map(({ out: folder, best }) => ({ folder, step: best?.step, scores: best?.scores }));
  const [report, json] = [join(out, RUN_FILES.report), join(out, SUMMARY)];
  await writeWholeFile("train", report, html);
  await writeWholeFile("train", json, `${JSON.stringify({ folds, ...summary }, undefined, 2)}\n`);
  return [report, json, join(out, RUN_FILES.config)];
}
