import type { SegmentationScores } from "../../../labels/metrics.js";
import { toCsv } from "../../../report/csv.js";

/** The loss of an interval, and the learning rate at its end. */
export interface Reading {
  readonly step: number;
  readonly loss: number;
  readonly learningRate: number;
}

/** An image of the validation set, by index, and its own mean IU. */
export interface ImageScore {
  readonly index: number;
  readonly meanIU: number;
}

/** One pass over the validation set. */
export interface Validation {
  readonly step: number;
  readonly scores: SegmentationScores;
  /** The loss of training on the validation images; absent if none has a label. */
  readonly loss?: number;
  /** Scores of the heads that learn from extra labels, by head. */
  readonly heads?: Readonly<Record<string, SegmentationScores>>;
  /** The images with the lowest mean IU, worst first. */
  readonly worst: readonly ImageScore[];
  /** The images with the highest mean IU, best first, without any of the worst. */
  readonly best: readonly ImageScore[];
}

/** Everything measured in a run so far, as plain data for a checkpoint. */
export interface History {
  readonly readings: Reading[];
  readonly validations: Validation[];
  /** The validation with the highest mean IU, the earlier one if two are equal. */
  best?: Validation | undefined;
}

/** Adds a validation. Returns whether it is the best so far. */
export function addValidation(history: History, validation: Validation): boolean {
  history.validations.push(validation);
  const { best } = history;
  const isBest = best === undefined || !(validation.scores.meanIU <= best.scores.meanIU);
  if (isBest) history.best = validation;
  return isBest;
}

const COLUMNS = ["pixelAccuracy", "meanAccuracy", "meanIU", "frequencyWeightedIU"] as const;
const LOSS = "validationLoss";

/** The four scores and the loss by name. Those of a head with extra labels have names such as `geo/meanIU`. */
export function namedScores({
  scores,
  loss,
  heads = {},
}: Pick<Validation, "scores" | "loss" | "heads">): Record<string, number> {
  const all = [["", scores] as const, ...Object.entries(heads).map(([head, own]) => [`${head}/`, own] as const)];
  const entries = all.flatMap(([head, own]) => COLUMNS.map((column) => [head + column, own[column]] as const));
  return { ...Object.fromEntries(entries), ...(loss !== undefined && { [LOSS]: loss }) };
}

/** One row per reading of the loss. Rows at which the net was validated also hold the scores. */
export function metricsCsv({ readings, validations }: History): string {
  const byStep = new Map(validations.map((validation) => [validation.step, namedScores(validation)]));
  const columns = [
    ...new Set<string>([...COLUMNS, LOSS, ...[...byStep.values()].flatMap((scores) => Object.keys(scores))]),
  ];
  const rows = readings.map(({ step, loss, learningRate }) => {
    const scores = byStep.get(step);
    return [step, loss, learningRate, ...columns.map((column) => scores?.[column] ?? "")];
  });
  return toCsv(["step", "loss", "learningRate", ...columns], rows);
}
