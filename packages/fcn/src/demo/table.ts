import type { DemoScores } from "./scores.js";

export interface ScoreRow {
  readonly name: string;
  readonly scores: DemoScores;
}

export interface ScoreTable {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The scores in per cent, one row a net. */
export function scoreTable(rows: readonly ScoreRow[], classes: readonly string[]): ScoreTable {
  const header = [
    "net",
    "pixel acc",
    "mean acc",
    "mean IU",
    "fw IU",
    ...classes.map((name) => `${name} IU`),
    "coast acc",
    "coast mean IU",
  ];
  return {
    header,
    rows: rows.map(({ name, scores }) => [
      name,
      ...[scores.pixelAccuracy, scores.meanAccuracy, scores.meanIU, scores.frequencyWeightedIU].map(percent),
      ...scores.perClassIU.map(percent),
      percent(scores.coastAccuracy),
      percent(scores.coastMeanIU),
    ]),
  };
}

export function percent(value: number): string {
  return Number.isNaN(value) ? "-" : (100 * value).toFixed(1);
}

/** The table as aligned text; the first column flush left. */
export function formatTable({ header, rows }: ScoreTable): string {
  const lines = [header, ...rows];
  const widths = header.map((_, c) => Math.max(...lines.map((line) => (line[c] ?? "").length)));
  return lines
    .map((line) =>
      line.map((cell, c) => (c === 0 ? cell.padEnd(widths[c] ?? 0) : cell.padStart(widths[c] ?? 0))).join("  "),
    )
    .join("\n");
}
