import type { Tensor } from "@fcn/tensor";
import { reworded } from "@fcn/tensor/internal";
import { paddedBy, scoresCroppedBy } from "../models/fitted.js";
import { type Fit, fitOf } from "../models/graph/geometry/fit.js";
import { GraphNet } from "../models/graph/net.js";
import type { Graph } from "../models/graph/spec.js";
import type { HeadScores } from "../models/graph/tails.js";
import { isOneValue, normsAverages } from "../models/oneValue.js";
import { type SegmentationNet, scoresOf } from "../models/segmentationNet.js";
import { bothWays } from "./remedies.js";

/** How images go through a net so that the named heads score all their pixels. */
export interface Fitting {
  readonly heads: readonly string[];
  readonly fit: (height: number, width: number) => Fit;
}

/** How images go through a net. A module of your own gets them as they are. */
export function fittingOf(op: string, model: SegmentationNet, heads: readonly string[]): Fitting {
  const none = [0, 0] as const;
  const asIs: Fit = { padding: [none, none], offsets: heads.map(() => none) };
  if (!(model instanceof GraphNet)) return { heads, fit: () => asIs };
  const fit = fitOf(model.graph as Graph, heads);
  return { heads, fit: (height, width) => fit(height, width, op) };
}

/**
 * The scores of a training pass by head, with those of `heads` at the pixels of the images. They are the logits if
 * `asLogits`, or if the net upsamples them by itself. A single head is `out`.
 */
export function headsOf(
  model: SegmentationNet,
  images: Tensor,
  { heads, fit }: Fitting,
  asLogits: boolean,
): Record<string, HeadScores> {
  const [, , height = 0, width = 0] = images.shape;
  const found = fit(height, width);
  const input = paddedBy(found, images);
  const entries = Object.entries(forward(model, input, asLogits)).map(([head, scores]): [string, HeadScores] => {
    const place = heads.indexOf(head);
    if (place < 0) return [head, scores];
    return [head, scoresCroppedBy("train", found, place, { model, scores, input, size: [height, width] })];
  });
  return Object.fromEntries(entries);
}

/** Batch norm knows nothing of batches or training options, so this replaces the advice in its error. */
function forward(model: SegmentationNet, images: Tensor, asLogits: boolean): Record<string, HeadScores> {
  try {
    return scoresOf(model, images, asLogits);
  } catch (error) {
    if (!isOneValue(error)) throw error;
    throw reworded(error, {
      message: `train: ${error.message}`,
      fix: bothWays((say) => {
        const more = `use larger batches (${say("batchSize", "--batch")}; at most the number of training images)`;
        const windows = normsAverages(model, images) ? "" : ` or larger windows (${say("crop", "--crop")})`;
        const freeze = say("freezeBatchNorm", "--freeze-batch-norm");
        return `${more}${windows}, or keep the statistics of batch norm (${freeze})`;
      }),
    });
  }
}
