import { optim } from "@fcn/tensor";
import type { SegmentationNet } from "../../models/segmentationNet.js";

export type Average = optim.ExponentialMovingAverage;

/**
 * The moving average of a net's weights and of its running statistics, or undefined without a decay. `saved` is what
 * `stateDict` gave.
 */
export function averageOf(
  model: SegmentationNet,
  decay: number | undefined,
  saved?: optim.SavedState,
): Average | undefined {
  if (decay === undefined) return undefined;
  const floats = Object.values(model.stateDict()).filter(({ dtype }) => dtype === "float32");
  const average = new optim.ExponentialMovingAverage(floats, { decay });
  if (saved) average.loadStateDict(saved);
  return average;
}

/**
 * What the average keeps at a step, which counts from 1: at first less than the decay, (1 + step) / (10 + step), so
 * that the initial values fade (`num_updates` of tf.train.ExponentialMovingAverage).
 */
export const decayAt = (decay: number, step: number): number => Math.min(decay, (1 + step) / (10 + step));

/** Does some work while the net holds its average, if there is one, in place of the weights that learn. */
export async function byAverage<T>(average: Average | undefined, work: () => Promise<T>): Promise<T> {
  average?.swap();
  try {
    return await work();
  } finally {
    average?.swap();
  }
}
