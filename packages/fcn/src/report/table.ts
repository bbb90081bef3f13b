import type { SegmentationScores } from "../labels/metrics.js";

/** The four scores of the FCN paper and the IU of each class, as shares from 0 to 1. */
export type Shares = Readonly<
  Pick<SegmentationScores, "pixelAccuracy" | "meanAccuracy" | "meanIU" | "frequencyWeightedIU">
> & { readonly perClassIU: readonly number[] };

export interface ScoreRow<S extends Shares = Shares> {
  readonly name: string;
  readonly scores: S;
}

export type ScoreColumn<S> = readonly [header: string, value: (scores: S) => number];

const COLUMNS: readonly ScoreColumn<Shares>[] = [
  ["pixel acc", (scores) => scores.pixelAccuracy],
  ["mean acc", (scores) => scores.meanAccuracy],
  ["mean IU", (scores) => scores.meanIU],
  ["fw IU", (scores) => scores.frequencyWeightedIU],
];

export interface ScoreTable {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Tabulates the scores in per cent with a row per net: the four, the IU of each class, and the columns of `extra`. */
export function scoreTable<S extends Shares>(
  rows: readonly ScoreRow<S>[],
  classes: readonly string[],
  extra: readonly ScoreColumn<S>[] = [],
): ScoreTable {
  const perClass = classes.map(
    (name, label): ScoreColumn<Shares> => [`${name} IU`, ({ perClassIU }) => perClassIU[label] ?? Number.NaN],
  );
  const columns: readonly ScoreColumn<S>[] = [...COLUMNS, ...perClass, ...extra];
  return {
    header: ["net", ...columns.map(([header]) => header)],
    rows: rows.map(({ name, scores }) => [name, ...columns.map(([, value]) => percent(value(scores)))]),
  };
}

export function percent(value: number): string {
  return Number.isNaN(value) ? "-" : (100 * value).toFixed(1);
}

/** Formats the table as aligned text, with the first column left-aligned. */
export function formatTable({ header, rows }: ScoreTable): string {
  const lines = [header, ...rows];
  const widths = header.map((_, c) => Math.max(...lines.map((line) => (line[c] ?? "").length)));
  return lines
    .map((line) =>
      line.map((cell, c) => (c === 0 ? cell.padEnd(widths[c] ?? 0) : cell.padStart(widths[c] ?? 0))).join("  "),
    )
    .join("\n");
}
