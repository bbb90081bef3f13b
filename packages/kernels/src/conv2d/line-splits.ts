import type { ImagePart } from "../bindingParts.js";
import type { Capabilities } from "../plan.js";

/** The most memory that the slices of a split reduction may take, in bytes. */
export const SCRATCH_CAP = 32 * 1024 * 1024;

/** How a weight gradient, a sum over all output lines, is split. */
export interface LineSplits {
  /** Splits of the lines of each part; each split writes a slice. */
  readonly perPart: number;
  /** Whether the parts add to the same result, because so many slices would be too large. */
  readonly accumulate: boolean;
  /** Slices that a second pass sums; 1 where there is no second pass. */
  readonly slices: number;
  /** What the first pass writes. */
  readonly target: "slices" | "dw";
}

/** Splits for a gradient of `elements` elements over `parts` of the lines, `wanted` of each to keep the device busy. */
export function lineSplits(
  parts: readonly ImagePart[],
  elements: number,
  wanted: number,
  caps: Capabilities,
): LineSplits {
  const lines = Math.max(...parts.map(({ steps: { begin, end } }) => end - begin));
  const cap = Math.floor(Math.min(SCRATCH_CAP, caps.bindingLimit) / (elements * 4));
  const perPart = Math.max(1, Math.min(wanted, lines, Math.floor(cap / parts.length)));
  const accumulate = parts.length > cap;
  const slices = accumulate ? 1 : perPart * parts.length;
  return { perPart, accumulate, slices, target: slices > 1 ? "slices" : "dw" };
}
