import type { SegmentationDataset } from "../../data/samples/dataset.js";
import { predictSamples } from "../../evaluation/evaluate.js";
import { cssColour, VOID_COLOUR } from "../../labels/colours.js";
import type { ModelMetadata } from "../../models/file/weightsFile.js";
import { adapterRows } from "../../report/adapter.js";
import { barChart } from "../../report/html/bars.js";
import { lineChart } from "../../report/html/chart.js";
import { confusionTable } from "../../report/html/confusion.js";
import { descriptionList, embeddedPng, escapeHtml, htmlPage, htmlTable } from "../../report/html/page.js";
import { type LabelRow, renderLabelGrid } from "../../report/images/labelGrid.js";
import { percent, scoreTable } from "../../report/table.js";
import type { PreparedRun } from "./start/prepare.js";
import type { History, ImageScore, Validation } from "./state/history.js";
import type { TrainRunResult } from "./state/result.js";

interface ReportedRun extends PreparedRun {
  readonly history: History;
}

const COLOURS = { loss: "#d1603d", validation: "#2e8b57", rate: "#8a97a5", meanIU: "#3d7dd1" } as const;

/**
 * The report of a run, whose net holds the best weights, as one HTML file that contains its charts and images. Leaves
 * out images that can no longer be loaded.
 */
export async function runReport(result: TrainRunResult, run: ReportedRun): Promise<string> {
  const { history, data, metadata } = run;
  const title = `${metadata.model} on ${data.opened.root}`;
  const body = [
    `<h1>${escapeHtml(title)}</h1>`,
    `<p>${escapeHtml(summaryLine(result))}</p>`,
    ...(history.best ? [...scoreSections(history.best, metadata), ...headSections(history.best, run)] : []),
    "<h2>Training</h2>",
    `<div class="charts">${charts(history, metadata)}</div>`,
    ...(history.best && data.validation ? await imageSections(history.best, data.validation, run) : []),
    ...leftOutSection(result),
    "<h2>Configuration</h2>",
    descriptionList([...configurationRows(result), ...adapterRows(result.adapter)]),
  ];
  return htmlPage(title, body.join("\n"));
}

function summaryLine({ steps, done, best, seconds, resumedFrom, loss, configuration }: TrainRunResult): string {
  const made = done < steps ? `${done} of ${steps} steps` : `${steps} steps`;
  const found = best
    ? `The best weights are those of step ${best.step}: mean IU ${percent(best.scores.meanIU)} %.`
    : "";
  const time = `${resumedFrom > 0 ? `The last part, from step ${resumedFrom} on,` : "The run"} took ${Math.round(seconds)} s.`;
  const { ema } = configuration;
  const averaged = ema === undefined ? "" : ` Weights are moving averages with a decay of ${ema}.`;
  return `${made}, last loss ${loss.toPrecision(4)}. ${found}${averaged} ${time}`;
}

function leftOutSection({ leftOut }: TrainRunResult): string[] {
  if (leftOut.length === 0) return [];
  const rows = leftOut.map(({ split, name, text, commandText = text }) => [split, name, commandText]);
  return [`<h2>Images that were left out (${leftOut.length})</h2>`, htmlTable(["split", "image", "why"], rows)];
}

function scoreSections({ step, scores }: Validation, { classes, palette }: ModelMetadata): string[] {
  const { header, rows } = scoreTable([{ name: `step ${step}`, scores }], []);
  const bars = classes.map((name, label) => ({
    name,
    value: scores.perClassIU[label] ?? Number.NaN,
    colour: cssColour(palette[label] ?? VOID_COLOUR),
  }));
  return [
    "<h2>Scores on the validation images</h2>",
    htmlTable(header, rows),
    `<p class="soft">In per cent, of all pixels with a label. A class that neither occurs nor is predicted does not count.</p>`,
    barChart("Intersection over union by class", bars),
    "<h2>Confusion</h2>",
    confusionTable(classes, scores.confusion),
    `<p class="soft">Of the pixels of a class (row), the per cent that the net took for each class (column).</p>`,
  ];
}

/** The scores of heads with extra labels, and of their classes. */
function headSections({ step, heads = {} }: Validation, { data, settings }: ReportedRun): string[] {
  return Object.entries(heads).flatMap(([head, scores]) => {
    const labels = settings.headLabels[head] ?? "";
    const classes = data.opened.more?.[labels]?.classes ?? scores.perClassIU.map((_, label) => `${label}`);
    const { header, rows } = scoreTable([{ name: `step ${step}`, scores }], classes);
    return [
      `<h2>Scores of the head ${escapeHtml(head)}</h2>`,
      htmlTable(header, rows),
      confusionTable(classes, scores.confusion),
    ];
  });
}

function charts({ readings, validations }: History, classes: Pick<ModelMetadata, "classes" | "palette">): string {
  type Points = readonly (readonly [number, number])[];
  const chart = (title: string, name: string, colour: string, points: Points, dots = false): string =>
    lineChart({ title, xLabel: "step", series: [{ name, colour, points }], dots });
  const loss = readings.map(({ step, loss }) => [step, loss] as const);
  const validated = validations.flatMap(({ step, loss }) => (loss === undefined ? [] : [[step, loss] as const]));
  const isValidated = validated.length > 1;
  const rate = readings.map(({ step, learningRate }) => [step, learningRate] as const);
  const scores = validations.map(({ step, scores }) => [step, scores.meanIU] as const);
  return [
    lineChart({
      ...{ title: isValidated ? "Training and validation loss" : "Training loss", xLabel: "step" },
      series: [
        { name: "training", colour: COLOURS.loss, points: loss },
        ...(isValidated ? [{ name: "validation", colour: COLOURS.validation, points: validated }] : []),
      ],
    }),
    ...(scores.length > 0 ? [chart("Validation", "mean IU", COLOURS.meanIU, scores, true)] : []),
    ...(validations.length > 1 ? [classChart(validations, classes)] : []),
    chart("Learning rate", "rate", COLOURS.rate, rate),
  ].join("\n");
}

/** Lines that can still be told apart. */
const MOST_LINES = 12;

/** The intersection over union of each class over time; of many classes, those with the most pixels. */
function classChart(
  validations: readonly Validation[],
  { classes, palette }: Pick<ModelMetadata, "classes" | "palette">,
): string {
  const { confusion } = (validations.at(-1) as Validation).scores;
  const pixelsOf = (label: number): number => confusion[label]?.reduce((sum, count) => sum + count, 0) ?? 0;
  const labels = classes.map((_, label) => label).sort((a, b) => pixelsOf(b) - pixelsOf(a));
  const series = labels.slice(0, MOST_LINES).map((label) => ({
    name: classes[label] as string,
    colour: cssColour(palette[label] ?? VOID_COLOUR),
    points: validations
      .map(({ step, scores }) => [step, scores.perClassIU[label] ?? Number.NaN] as const)
      .filter(([, value]) => !Number.isNaN(value)),
  }));
  const shown = series.filter(({ points }) => points.length > 0);
  if (shown.length === 0) return "";
  return lineChart({ title: "Intersection over union by class", xLabel: "step", series: shown, dots: true });
}

async function imageSections(
  { worst, best }: Validation,
  dataset: SegmentationDataset,
  run: ReportedRun,
): Promise<string[]> {
  const sections: string[] = [];
  for (const [title, images] of Object.entries({ "Worst images": worst, "Best images": best })) {
    const png = images.length > 0 ? await panels(title, images, dataset, run) : undefined;
    if (png === undefined) continue;
    const figure = embeddedPng(png, `${title}: image, truth, prediction, overlay`);
    sections.push(`<h2>${title}</h2>`, `<figure>${figure}</figure>`);
  }
  return sections;
}

/** Undefined if no image can be loaded. */
async function panels(
  title: string,
  images: readonly ImageScore[],
  dataset: SegmentationDataset,
  { model, metadata, options: { view, signal } }: ReportedRun,
): Promise<Uint8Array | undefined> {
  const { classes, palette: colours, preprocessing } = metadata;
  const onFailure = ({ message }: Error): void => view?.line?.(`left out of the report: ${message}`);
  let shown = 0;
  async function* rows(): AsyncGenerator<LabelRow> {
    for (const { index, meanIU } of images) {
      signal?.throwIfAborted();
      const sample = await dataset.load(index).catch(onFailure);
      if (!sample) continue;
      shown++;
      const predictions = await predictSamples(model, [sample], { preprocessing });
      yield { title: `${sample.name}, mean IU ${percent(meanIU)}%`, sample, predictions };
    }
  }
  const columns = [{ title: "Prediction" }];
  const png = await renderLabelGrid({ title, classes, colours, columns, rows: rows(), overlay: true });
  return shown > 0 ? png : undefined;
}

function configurationRows({ configuration, done, seconds, stepping, waited }: TrainRunResult): [string, string][] {
  const rows = Object.entries(configuration).filter(([, value]) => value !== undefined);
  const times = [seconds, stepping, waited].map((time) => time.toFixed(1)).join(", ");
  return [
    ...rows.map(([name, value]): [string, string] => [name, typeof value === "string" ? value : JSON.stringify(value)]),
    ["steps made", String(done)],
    ["seconds, of them steps, of them waiting for images", times],
  ];
}
