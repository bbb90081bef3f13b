import { product } from "./plan.js";

/** Strides of a row-major array, in elements. */
export const denseStrides = (sizes: readonly number[]): number[] => sizes.map((_, i) => product(sizes.slice(i + 1)));

/**
 * Fewer dimensions for the same elements: those of size 1 are dropped, and neighbours that are contiguous in every
 * operand are joined. Takes and returns sizes from the outermost to the innermost, and the strides of each operand.
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
