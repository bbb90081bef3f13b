import { countLabels } from "../data/samples/tiles.js";
import { type Evaluation, scorePredictions } from "../evaluation/evaluate.js";
import type { BoundaryOptions, BoundaryScores } from "../evaluation/scoreboard.js";
import type { SegmentationSample } from "../labels/sample.js";
import type { ScoreColumn, Shares } from "../report/table.js";
import { COAST } from "./recipe.js";

/** One row of the demo's table. All values are shares from 0 to 1. */
export interface DemoScores extends Shares {
  /** Share of pixels near the coast on the right side of it: water as water, land as either kind of land. */
  readonly coastAccuracy: number;
  /** Mean IU of all classes over the pixels near the coast. */
  readonly coastMeanIU: number;
}

export const COAST_COLUMNS: readonly ScoreColumn<DemoScores>[] = [
  ["coast acc", (scores) => scores.coastAccuracy],
  ["coast mean IU", (scores) => scores.coastMeanIU],
];

/** @param evaluation with the pixels near the coast scored too */
export function demoScores(evaluation: Evaluation): DemoScores {
  const near = evaluation.boundary?.[0] as BoundaryScores;
  const { pixelAccuracy, meanAccuracy, meanIU, frequencyWeightedIU, perClassIU } = evaluation;
  const coastAccuracy = sideAccuracy(near.confusion, COAST.side);
  return {
    pixelAccuracy,
    meanAccuracy,
    meanIU,
    frequencyWeightedIU,
    perClassIU,
    coastAccuracy,
    coastMeanIU: near.meanIU,
  };
}

/** Share of pixels whose predicted class lies on the same side as their true class. */
export function sideAccuracy(confusion: readonly (readonly number[])[], side: (label: number) => number): number {
  const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
  const right = confusion.map((row, truth) => row.filter((_, predicted) => side(truth) === side(predicted)));
  return sum(right.flat()) / sum(confusion.flat());
}

/** The prediction that ignores the image: everywhere the most common class of the training samples. */
export function majorityBaseline(
  train: readonly SegmentationSample[],
  validation: readonly SegmentationSample[],
  options: { readonly numClasses: number; readonly boundary?: BoundaryOptions },
): { readonly label: number; readonly evaluation: Evaluation } {
  const counts = countLabels(train, options.numClasses);
  const label = counts.indexOf(Math.max(...counts));
  const constant = validation.map((sample) => new Uint8Array(sample.labels.length).fill(label));
  return { label, evaluation: scorePredictions(constant, validation, options) };
}

/** What the run says about the paper's finding that finer strides draw better boundaries. */
export function coastFinding(coarseToFine: readonly number[]): string {
  const figures = coarseToFine.map((value) => `${(100 * value).toFixed(1)} %`).join(", ");
  const rises = coarseToFine.every((value, i) => i === 0 || value > (coarseToFine[i - 1] as number));
  const finding = rises
    ? "Finer strides drew better coasts, as in the paper"
    : "The paper's order did not show in this run";
  return `${finding}: ${figures} of the pixels near a coast are on the right side of it.`;
}
