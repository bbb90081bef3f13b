import type { TensorError } from "@fcn/tensor";
import { fileError } from "../files/errors.js";
import type { Paint } from "./raster.js";

/**
 * COCO's run lengths, column by column: alternating runs of 0 and 1, starting with 0, as a list of numbers or packed
 * into a string.
 */
export interface RunLengths {
  readonly size: readonly [number, number];
  readonly counts: readonly number[] | string;
}

/** Paints the pixels in runs of 1. Throws a TensorError that names `place` unless the runs fill the size exactly. */
export function paintRuns(place: string, { size, counts }: RunLengths, paint: Paint): void {
  const [height, width] = size;
  const runs = typeof counts === "string" ? unpackCounts(place, counts) : counts;
  const total = runs.reduce((sum, run) => sum + run, 0);
  if (total !== height * width || runs.some((run) => !Number.isInteger(run) || run < 0)) {
    throw damagedRuns(place, `they cover ${total} pixels, but the size is ${height}x${width}`);
  }
  let at = 0;
  runs.forEach((run, i) => {
    if (i % 2 === 1) {
      for (let pixel = at; pixel < at + run; pixel++) {
        const column = Math.floor(pixel / height);
        paint(pixel % height, column, column + 1);
      }
    }
    at += run;
  });
}

/**
 * Unpacks COCO's string of run lengths. Each character holds 5 bits, lowest first, as an offset from "0" (48), plus 32
 * if more follow. The highest bit of the last group is the sign. From the fourth on, a number is relative to the one
 * two places before it.
 */
export function unpackCounts(place: string, text: string): number[] {
  const counts: number[] = [];
  for (let at = 0; at < text.length; ) {
    let value = 0;
    let shift = 0;
    for (let more = true; more; shift += 5) {
      const code = text.charCodeAt(at++) - 48;
      if (!(code >= 0 && code < 64) || shift > 30)
        throw damagedRuns(place, `"${text.slice(0, 20)}" is not packed as COCO does`);
      value += (code & 31) * 2 ** shift;
      more = (code & 32) !== 0;
      if (!more && code & 16) value -= 2 ** (shift + 5);
    }
    counts.push(counts.length > 2 ? value + (counts.at(-2) as number) : value);
  }
  return counts;
}

function damagedRuns(place: string, problem: string): TensorError {
  const what = `the run lengths of a mask are damaged: ${problem}`;
  return fileError("corrupt-file", place, what, "export the annotations again");
}
