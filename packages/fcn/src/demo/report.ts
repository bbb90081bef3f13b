import type { DeviceInfo } from "@fcn/tensor";
import { adapterRows } from "../report/adapter.js";
import { type ChartSeries, lineChart } from "../report/html/chart.js";
import { descriptionList, embeddedPng, escapeHtml, htmlPage, htmlTable } from "../report/html/page.js";
import { type ScoreRow, scoreTable } from "../report/table.js";
import type { StageResult } from "../training/staged.js";
import { COAST_COLUMNS, coastFinding, type DemoScores } from "./scores.js";

/** Everything the report shows. */
export interface DemoReport {
  readonly adapter: DeviceInfo;
  readonly classes: readonly string[];
  readonly baseline: ScoreRow<DemoScores>;
  readonly rows: readonly ScoreRow<DemoScores>[];
  readonly stages: readonly StageResult[];
  readonly panels: Uint8Array;
  readonly predicted: Uint8Array;
  readonly reloaded: string;
  /** Name and value of each setting. */
  readonly configuration: readonly (readonly [string, string])[];
}

const STAGE_COLOURS = ["#d1603d", "#3d7dd1", "#2f9e6e"];

/** The report as one HTML file that contains its charts and images. */
export function demoReportHtml(report: DemoReport): string {
  const table = scoreTable([report.baseline, ...report.rows], report.classes, COAST_COLUMNS);
  const body = [
    "<h1>FCN-32s, 16s and 8s on the Blue Marble</h1>",
    `<p>${escapeHtml(coastFinding(report.rows.map((row) => row.scores.coastAccuracy)))}</p>`,
    "<h2>Scores on held-back longitudes</h2>",
    htmlTable(table.header, table.rows),
    `<p class="soft">In per cent. The first row returns the commonest class everywhere. Coast: pixels within 4 pixels of a boundary between water and land; coast acc counts water as water and either kind of land as land, coast mean IU all classes. Void pixels do not count.</p>`,
    "<h2>Images</h2>",
    `<figure>${embeddedPng(report.panels, "Image, truth and the predictions of the three nets on coast tiles")}</figure>`,
    "<h2>Training</h2>",
    `<div class="charts">${charts(report)}</div>`,
    "<h2>Read back from the file</h2>",
    `<figure>${embeddedPng(report.predicted, "A held-back tile predicted by the net from its weights file")}<figcaption>${escapeHtml(report.reloaded)}</figcaption></figure>`,
    "<h2>Configuration</h2>",
    descriptionList([...report.configuration, ...adapterRows(report.adapter)]),
  ];
  return htmlPage("FCN-32s, 16s and 8s on the Blue Marble", body.join("\n"));
}

function charts({ stages, baseline }: DemoReport): string {
  const offsets = stages.map((_, i) => stages.slice(0, i).reduce((sum, { stage }) => sum + stage.steps, 0));
  const total = stages.reduce((sum, { stage }) => sum + stage.steps, 0);
  const series = (points: (result: StageResult, offset: number) => [number, number][]): ChartSeries[] =>
    stages.map((result, i) => ({
      name: result.stage.modelName,
      colour: STAGE_COLOURS[i % STAGE_COLOURS.length] as string,
      points: points(result, offsets[i] as number),
    }));
  const loss = series(({ training }, offset) => training.losses.map(({ step, loss }) => [offset + step, loss]));
  const scores = series(({ validations }, offset) =>
    validations.map(({ step, evaluation }) => [offset + step, evaluation.meanIU]),
  );
  const { meanIU } = baseline.scores;
  const constant: ChartSeries = {
    name: "one class everywhere",
    colour: "#8a97a5",
    points: [
      [0, meanIU],
      [total, meanIU],
    ],
    dashed: true,
  };
  return [
    lineChart({ title: "Training loss (cross-entropy)", xLabel: "step", series: loss }),
    lineChart({ title: "Validation mean IU", xLabel: "step", series: [...scores, constant], dots: true }),
  ].join("\n");
}
