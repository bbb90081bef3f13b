/** Features in float16 beside float32, where the device has `shader-f16`: errors or losses, bytes and time. */
import * as fcn from "@fcn/core";
import * as T from "@fcn/tensor";
import { cells, HEADER, MODELS, measureNet } from "../lib/precision.mjs";
import * as training from "../lib/precisionTraining.mjs";
import { markdownTable } from "../lib/table.mjs";

export async function run({ result, isOver, software }) {
  result.rows = [];
  result.trained = [];
  const names = software ? MODELS.slice(0, 1) : MODELS;
  for (const name of names) {
    if (isOver()) return;
    result.rows.push((await measureNet(T, fcn, name, [320, 480], software ? 1 : 7)).row);
  }
  for (const name of software ? [] : training.MODELS) {
    if (isOver()) return;
    result.trained.push(await training.measureTraining(T, fcn, name, [320, 480], 24));
  }
}

export const lines = ({ rows, trained }) => [
  markdownTable(HEADER, rows.map(cells)),
  "",
  ...(trained.length > 0 ? [markdownTable(training.HEADER, trained.map(training.cells))] : []),
];
