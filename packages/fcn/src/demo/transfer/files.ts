import { join } from "node:path";
import type { DeviceInfo } from "@fcn/tensor";
import type { SegmentationSample } from "../../data/sample.js";
import { toCsv } from "../../report/csv.js";
import { writeWholeFile } from "../../report/writeFile.js";
import { renderLabelGrid } from "../labelGrid.js";
import { percent } from "../table.js";
import { COLOURS } from "./recipe.js";
import { transferReportHtml } from "./report.js";
import type { Attempt, StartResult } from "./run.js";
import type { TransferSummary } from "./summary.js";

interface ReportParts {
  readonly starts: readonly StartResult[];
  readonly shown: readonly SegmentationSample[];
  readonly adapter: DeviceInfo;
  readonly out: string;
}

/** Writes the pictures, metrics.csv and report.html. */
export async function writeReports(
  summary: TransferSummary,
  { starts, shown, adapter, out }: ReportParts,
): Promise<void> {
  const panels = await renderLabelGrid({
    title: "Held-back stamps on held-back photographs",
    classes: summary.classes,
    colours: COLOURS,
    columns: starts.map(({ best }) => ({
      title: best.start === "random" ? "From random weights" : "From pretrained",
      subtitle: `mean IU ${percent(best.evaluation.meanIU)}%`,
    })),
    rows: shown.map((sample, i) => ({
      sample,
      predictions: starts.map(({ predictions }) => predictions[i] as Uint8Array),
    })),
  });
  const attempts = starts.flatMap((start) => start.attempts);
  await writeWholeFile(join(out, "panels.png"), panels);
  await writeWholeFile(join(out, "metrics.csv"), metricsCsv(attempts));
  await writeWholeFile(join(out, "report.html"), transferReportHtml({ summary, starts, panels, adapter }));
}

/** One row a reading of the loss; the scores stand in the rows where the net was validated. */
function metricsCsv(attempts: readonly Attempt[]): string {
  const header = [
    "start",
    "learningRate",
    "step",
    "loss",
    "pixelAccuracy",
    "meanAccuracy",
    "meanIU",
    "frequencyWeightedIU",
  ];
  const rows = attempts.flatMap(({ start, learningRate, training, validations }) =>
    training.losses.map(({ step, loss }) => {
      const found = validations.find((validation) => validation.step === step)?.evaluation;
      const scores = [found?.pixelAccuracy, found?.meanAccuracy, found?.meanIU, found?.frequencyWeightedIU];
      return [start, learningRate, step, loss, ...scores.map((value) => value ?? "")];
    }),
  );
  return toCsv(header, rows);
}
