import type { Abortable } from "../../async/abort.js";
import type { SegmentationDataset } from "../../data/samples/dataset.js";
import { predictSamples } from "../../evaluation/evaluate.js";
import { cssColour, VOID_COLOUR } from "../../labels/colours.js";
import type { ModelMetadata } from "../../models/file/weightsFile.js";
import type { SegmentationNet } from "../../models/segmentationNet.js";
import { adapterRows } from "../../report/adapter.js";
import { barChart } from "../../report/html/bars.js";
import { type ChartSeries, lineChart } from "../../report/html/chart.js";
import { confusionTable } from "../../report/html/confusion.js";
import { descriptionList, embeddedPng, escapeHtml, htmlPage, htmlTable } from "../../report/html/page.js";
import { type LabelRow, renderLabelGrid } from "../../report/images/labelGrid.js";
import { percent, scoreTable } from "../../report/table.js";
import type { HeadLabels } from "../heads.js";
import type { RunData } from "./data.js";
import type { History, ImageScore, Validation } from "./history.js";
import type { TrainRunResult } from "./result.js";

interface ReportParts extends Abortable {
  readonly history: History;
  /** Holds the best weights. */
  readonly model: SegmentationNet;
  readonly data: RunData;
  readonly metadata: ModelMetadata;
  readonly headLabels: HeadLabels;
  /** Called for each image that can no longer be loaded. The report leaves it out. */
  readonly onFailure: (error: Error) => void;
}

const COLOURS = { loss: "#d1603d", rate: "#8a97a5", meanIU: "#3d7dd1" } as const;

/** The report of a run as one HTML file that contains its charts and images. */
export async function runReport(result: TrainRunResult, parts: ReportParts): Promise<string> {
  const { history, data, metadata } = parts;
  const title = `${metadata.model} on ${data.opened.root}`;
  const body = [
    `<h1>${escapeHtml(title)}</h1>`,
    `<p>${escapeHtml(summaryLine(result))}</p>`,
    ...(history.best ? [...scoreSections(history.best, metadata), ...headSections(history.best, parts)] : []),
    "<h2>Training</h2>",
    `<div class="charts">${charts(history)}</div>`,
    ...(history.best && data.validation ? await imageSections(history.best, data.validation, parts) : []),
    ...leftOutSection(result),
    "<h2>Configuration</h2>",
    descriptionList([...configurationRows(result), ...adapterRows(result.adapter)]),
  ];
  return htmlPage(title, body.join("\n"));
}

function summaryLine({ steps, best, seconds, resumedFrom, loss }: TrainRunResult): string {
  const found = best
    ? `The best weights are those of step ${best.step}: mean IU ${percent(best.scores.meanIU)} %.`
    : "";
  const time = `${resumedFrom > 0 ? `The last part, from step ${resumedFrom} on,` : "The run"} took ${Math.round(seconds)} s.`;
  return `${steps} steps, last loss ${loss.toPrecision(4)}. ${found} ${time}`;
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
function headSections({ step, heads = {} }: Validation, { data, headLabels }: ReportParts): string[] {
  return Object.entries(heads).flatMap(([head, scores]) => {
    const classes =
      data.opened.more?.[headLabels[head] ?? ""]?.classes ?? scores.perClassIU.map((_, label) => `${label}`);
    const { header, rows } = scoreTable([{ name: `step ${step}`, scores }], classes);
    return [
      `<h2>Scores of the head ${escapeHtml(head)}</h2>`,
      htmlTable(header, rows),
      confusionTable(classes, scores.confusion),
    ];
  });
}

function charts({ readings, validations }: History): string {
  const series = (name: string, colour: string, points: (readonly [number, number])[]): ChartSeries[] => [
    { name, colour, points },
  ];
  const loss = readings.map(({ step, loss }) => [step, loss] as const);
  const rate = readings.map(({ step, learningRate }) => [step, learningRate] as const);
  const scores = validations.map(({ step, scores }) => [step, scores.meanIU] as const);
  return [
    lineChart({ title: "Training loss", xLabel: "step", series: series("loss", COLOURS.loss, loss) }),
    ...(scores.length > 0
      ? [
          lineChart({
            title: "Validation",
            xLabel: "step",
            series: series("mean IU", COLOURS.meanIU, scores),
            dots: true,
          }),
        ]
      : []),
    lineChart({ title: "Learning rate", xLabel: "step", series: series("rate", COLOURS.rate, rate) }),
  ].join("\n");
}

async function imageSections(
  { worst, best }: Validation,
  dataset: SegmentationDataset,
  parts: ReportParts,
): Promise<string[]> {
  const sections: string[] = [];
  for (const [title, images] of [["Worst images", worst] as const, ["Best images", best] as const]) {
    if (images.length === 0) continue;
    const png = await panels(title, images, dataset, parts);
    if (png === undefined) continue;
    sections.push(
      `<h2>${title}</h2>`,
      `<figure>${embeddedPng(png, `${title}: image, truth, prediction, overlay`)}</figure>`,
    );
  }
  return sections;
}

/** Undefined if no image can be loaded. */
async function panels(
  title: string,
  images: readonly ImageScore[],
  dataset: SegmentationDataset,
  { model, metadata, onFailure, signal }: ReportParts,
): Promise<Uint8Array | undefined> {
  const { classes, palette: colours, preprocessing } = metadata;
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
  const text = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
  const rows = Object.entries(configuration).filter(([, value]) => value !== undefined);
  return [
    ...rows.map(([name, value]): [string, string] => [name, text(value)]),
    ["steps made", String(done)],
    [
      "seconds, of them steps, of them waiting for images",
      [seconds, stepping, waited].map((x) => x.toFixed(1)).join(", "),
    ],
  ];
}
