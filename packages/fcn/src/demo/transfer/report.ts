import type { DeviceInfo } from "@fcn/tensor";
import { type ChartSeries, lineChart } from "../../report/chart.js";
import { descriptionList, embeddedPng, escapeHtml, htmlPage, htmlTable } from "../../report/html.js";
import { adapterRows } from "../adapter.js";
import { percent, scoreTable } from "../table.js";
import { HELD_BACK, type StartName } from "./recipe.js";
import type { Attempt, StartResult } from "./run.js";
import { type StartSummary, scoreRows, type TransferSummary, transferFinding } from "./summary.js";

const TITLE = "MobileNetV2 FCN-16s from pretrained and from random weights";
const LINE_COLOURS: Readonly<Record<StartName, string>> = { random: "#8a97a5", pretrained: "#d1603d" };

interface TransferReport {
  readonly summary: TransferSummary;
  readonly starts: readonly StartResult[];
  readonly panels: Uint8Array;
  readonly adapter: DeviceInfo;
}

/** The report as one HTML file with pictures and charts inside. */
export function transferReportHtml({ summary, starts, panels, adapter }: TransferReport): string {
  const table = scoreTable(scoreRows(summary), summary.classes);
  const best = starts.map((start) => start.best);
  const body = [
    `<h1>${TITLE}</h1>`,
    `<p>${escapeHtml(transferFinding(summary))}</p>`,
    "<h2>Scores on held-back stamps and photographs</h2>",
    htmlTable(table.header, table.rows),
    `<p class="soft">In per cent. Both nets saw the same samples in the same order for the same number of steps, each at the best of the same learning rates. No stamp and no photograph is on both sides.</p>`,
    "<h2>Pictures</h2>",
    `<figure>${embeddedPng(panels, "Image, truth and the answers of both nets")}</figure>`,
    "<h2>Training</h2>",
    `<div class="charts">${charts(best, summary)}</div>`,
    ...searchSection(summary),
    "<h2>Configuration</h2>",
    descriptionList([...configuration(summary), ...adapterRows(adapter)]),
  ];
  return htmlPage(TITLE, body.join("\n"));
}

function charts(attempts: readonly Attempt[], { baseline, steps }: TransferSummary): string {
  const series = (points: (attempt: Attempt) => [number, number][]): ChartSeries[] =>
    attempts.map((attempt) => ({
      name: `${attempt.start} weights`,
      colour: LINE_COLOURS[attempt.start],
      points: points(attempt),
    }));
  const loss = series(({ training }) => training.losses.map(({ step, loss }) => [step, loss]));
  const scores = series(({ validations }) => validations.map(({ step, evaluation }) => [step, evaluation.meanIU]));
  const constant: ChartSeries = {
    name: "background everywhere",
    colour: "#3d7dd1",
    points: [
      [0, baseline.meanIU],
      [steps, baseline.meanIU],
    ],
    dashed: true,
  };
  return [
    lineChart({ title: "Training loss (cross-entropy)", xLabel: "step", series: loss }),
    lineChart({ title: "Validation mean IU", xLabel: "step", series: [...scores, constant], dots: true }),
  ].join("\n");
}

/** The table of all rates, where more than one was tried. */
function searchSection({ random, pretrained }: TransferSummary): string[] {
  if (random.tried.length < 2) return [];
  const cells = ({ tried }: StartSummary): string[] => tried.map(({ meanIU }) => percent(meanIU));
  const header = ["mean IU at the rate", ...random.tried.map(({ learningRate }) => String(learningRate))];
  const rows = [
    ["random weights", ...cells(random)],
    ["pretrained weights", ...cells(pretrained)],
  ];
  return ["<h2>Search for the learning rate</h2>", htmlTable(header, rows)];
}

function configuration(summary: TransferSummary): [string, string][] {
  const { samples, stamps, photographs, random, pretrained } = summary;
  const sides = (of: { train: number; validation: number }): string =>
    `${of.train} to train, ${of.validation} held back`;
  return [
    ["net", summary.model],
    ["samples", `${sides(samples)}, ${summary.size} x ${summary.size} pixels`],
    ["stamps", `${sides(stamps)} (${percent(HELD_BACK)} % of each class)`],
    ["photographs", sides(photographs)],
    ["steps, batch size", `${summary.steps}, ${summary.batchSize}`],
    [
      "learning rates",
      `${random.learningRate} random, ${pretrained.learningRate} pretrained; falling to 0 (polynomial)`,
    ],
    ["optimiser", "AdamW, weight decay 0.01"],
    ["batch norm", "statistics of the batch from random weights, frozen ones from pretrained weights"],
    ["seed", String(summary.seed)],
    [
      "seconds, validation included",
      `${random.seconds.toFixed(1)} random, ${pretrained.seconds.toFixed(1)} pretrained`,
    ],
    ["seconds in all", summary.seconds.toFixed(1)],
    ["peak GPU memory", `${(summary.peakBytes / 2 ** 20).toFixed(0)} MiB`],
  ];
}
