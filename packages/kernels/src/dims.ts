import { product } from "./plan.js";

/** Strides of a row-major array, in elements. */
export const denseStrides = (sizes: readonly number[]): number[] => sizes.map((_, i) => product(sizes.slice(i + 1)));

/**
 * Fewer dims for the same walk: those of size 1 dropped, neighbours that are one run in every operand joined. Sizes from the
 * outermost to the innermost, and strides of each operand along them.
 */
export function mergeDims(
  sizes: readonly number[],
  strides: readonly (readonly number[])[],
): { sizes: number[]; strides: number[][] } {
  const merged: number[] = [];
  const steps: number[][] = strides.map(() => []);
  for (const [i, size] of sizes.entries()) {
    if (size === 1) continue;
    const last = merged.length - 1;
    const joins = last >= 0 && strides.every((own, k) => steps[k]![last] === own[i]! * size);
    if (joins) merged[last]! *= size;
    else merged.push(size);
    for (const [k, own] of strides.entries()) steps[k]![merged.length - 1] = own[i]!;
  }
  return { sizes: merged, strides: steps };
}
