/** Predictions with features in float16 beside float32, where the device has `shader-f16`: errors, bytes and time. */
import * as fcn from "@fcn/core";
import * as T from "@fcn/tensor";
import { cells, HEADER, MODELS, measureNet } from "../lib/precision.mjs";
import { markdownTable } from "../lib/table.mjs";

export async function run({ result, isOver, software }) {
  result.rows = [];
  for (const name of software ? MODELS.slice(0, 1) : MODELS) {
    if (isOver()) return;
    result.rows.push((await measureNet(T, fcn, name, [320, 480], software ? 1 : 7)).row);
  }
}

export const lines = ({ rows }) => [markdownTable(HEADER, rows.map(cells))];
