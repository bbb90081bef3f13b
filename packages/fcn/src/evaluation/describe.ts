import { formatTable, percent, type ScoreRow, type ScoreTable, scoreTable } from "../report/table.js";
import type { Evaluation } from "./evaluate.js";

export interface DescribedEvaluation extends Evaluation {
  readonly data: string;
  readonly split: string;
  readonly images: number;
  /** One of each for a single net. */
  readonly weights: string | readonly string[];
  readonly model: string | readonly string[];
  readonly classes: readonly string[];
  readonly adapter: { readonly description: string };
  readonly seconds: number;
}

/** The scores as text for people. */
export function describeEvaluation(evaluation: DescribedEvaluation): string {
  const { data, split, images, weights, model, adapter, seconds } = evaluation;
  const list = (names: string | readonly string[]): string => [names].flat().join(", ");
  const title = `${list(model)} (${list(weights)}) on ${data}, ${split}: ${images} ${images === 1 ? "image" : "images"}`;
  const time = `${seconds.toFixed(1)} s, ${(images / seconds).toPrecision(3)} images/s, on ${adapter.description}`;
  return `${[title, "", ...tables(evaluation).flatMap((table) => [table, ""]), RULE, time].join("\n")}\n`;
}

const RULE = "All in per cent. Void is not counted. Classes that occur nowhere (-) are left out of the means.";

function tables({ classes, boundary = [], sizes = [], ...scores }: DescribedEvaluation): string[] {
  const pixels = scores.confusion.map((row) => row.reduce((sum, count) => sum + count, 0));
  const total = pixels.reduce((sum, count) => sum + count, 0);
  const perClass = {
    header: ["class", "IU", "accuracy", "part of the pixels"],
    rows: classes.map((name, i) => [
      `${i} ${name}`,
      ...[scores.perClassIU[i], scores.perClassAccuracy[i], pixels[i]! / total].map((value) =>
        percent(value as number),
      ),
    ]),
  };
  const bySize = {
    header: ["size of objects", "mean IU", "objects"],
    rows: sizes.map(({ name, from, below, meanIU, objects }) => {
      const range = Number.isFinite(below) ? `${from} to ${below - 1} px` : `${from} px and more`;
      return [`${name}, ${range}`, percent(meanIU), String(objects)];
    }),
  };
  const all = fourScores("all pixels", [{ name: "", scores }]);
  const bands = boundary.map((scores) => ({ name: `within ${scores.radius} px`, scores }));
  const near = boundary.length > 0 ? [fourScores("near boundaries", bands)] : [];
  return [all, perClass, ...near, ...(sizes.length > 0 ? [bySize] : [])].map(formatTable);
}

/** A table of the four scores, under a title of the first column. */
function fourScores(title: string, scores: readonly ScoreRow[]): ScoreTable {
  const { header, rows } = scoreTable(scores, []);
  return { header: [title, ...header.slice(1)], rows };
}
