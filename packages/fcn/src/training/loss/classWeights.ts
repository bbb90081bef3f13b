import { checkValue, invalidArgument } from "@fcn/tensor/internal";
import { countLabels } from "../../data/samples/tiles.js";
import type { SegmentationSample } from "../../labels/sample.js";
import { oneOf } from "../../options/rules.js";

/**
 * How class weights follow from the data:
 *
 * - `inverse`: inverse frequency, labelled pixels / (classes that occur x pixels of the class). The mean weight of a
 * labelled pixel is 1.
 * - `median`: median frequency balancing (Eigen and Fergus 2015). A class's frequency is its share of the labelled
 * pixels in the images where it occurs; its weight is the median of all frequencies divided by its own.
 */
export type ClassBalancing = "inverse" | "median";

/**
 * One weight per class; a class without pixels gets 0. Void pixels do not count. Throws `invalid-argument` if no pixel
 * is labelled.
 */
export function classWeights(
  samples: readonly SegmentationSample[],
  numClasses: number,
  balancing: ClassBalancing,
): number[] {
  const histogram = new Array<number>(numClasses).fill(0);
  const presentPixels = [...histogram];
  for (const sample of samples) {
    const counts = countLabels([sample], numClasses);
    const labelled = counts.reduce((sum, count) => sum + count, 0);
    for (let label = 0; label < numClasses; label++) {
      histogram[label]! += counts[label]!;
      if (counts[label]! > 0) presentPixels[label]! += labelled;
    }
  }
  return balancedWeights(balancing, { histogram, presentPixels });
}

/** The counts, by class, from which class weights follow. */
export interface LabelCounts {
  readonly histogram: readonly number[];
  /** Labelled pixels of the images in which the class occurs. */
  readonly presentPixels: readonly number[];
}

const WEIGHTS: Readonly<Record<ClassBalancing, (counts: LabelCounts) => number[]>> = {
  inverse: ({ histogram }) => {
    const labelled = histogram.reduce((sum, count) => sum + count, 0);
    const present = histogram.filter((count) => count > 0).length;
    return histogram.map((count) => (count > 0 ? labelled / (present * count) : 0));
  },
  median: ({ histogram, presentPixels }) => {
    const frequencies = histogram.map((count, c) => (count > 0 ? count / (presentPixels[c] as number) : 0));
    const middle = median(frequencies.filter((frequency) => frequency > 0));
    return frequencies.map((frequency) => (frequency > 0 ? middle / frequency : 0));
  },
};

export const classBalancings = (): ClassBalancing[] => Object.keys(WEIGHTS) as ClassBalancing[];

/**
 * The {@link classWeights} of pixels that are already counted. Throws `invalid-argument` if no pixel is labelled, or
 * for an unknown rule.
 */
export function balancedWeights(balancing: ClassBalancing, counts: LabelCounts): number[] {
  checkValue("classWeights", "balancing", balancing, oneOf(classBalancings()));
  if (counts.histogram.some((count) => count > 0)) return WEIGHTS[balancing](counts);
  throw invalidArgument("classWeights: there are 0 labelled pixels", "pass samples with labelled pixels");
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] as number) + upper) / 2;
}
