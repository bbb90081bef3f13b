import type { Abortable } from "../../async/abort.js";
import { evaluate, type SampleSource } from "../../evaluation/evaluate.js";
import type { ModelMetadata } from "../../models/file/weightsFile.js";
import type { SegmentationNet } from "../../models/segmentationNet.js";
import type { ImageScore, Validation } from "./state/history.js";

const SHOWN = 3;

interface ValidateOptions extends Abortable {
  readonly metadata: ModelMetadata;
  readonly step: number;
  /** Heads with extra labels, each with the labels' name. */
  readonly extra?: readonly (readonly [head: string, map: string])[];
  /** Called for each sample that can no longer be loaded. The others are still scored. */
  readonly onFailure?: (error: Error) => void;
}

/**
 * Scores all heads of a net on all samples in one pass, each sample at its own size, and finds the best and worst ones.
 */
export async function validate(
  model: SegmentationNet,
  samples: SampleSource,
  { metadata, step, extra = [], onFailure, signal }: ValidateOptions,
): Promise<Validation> {
  const images: ImageScore[] = [];
  const { preprocessing, classes } = metadata;
  const { heads, ...scores } = await evaluate(model, samples, {
    preprocessing,
    signal,
    numClasses: classes.length,
    ...(extra.length > 0 && { heads: Object.fromEntries(extra.map(([head, labels]) => [head, { labels }])) }),
    onFailure: onFailure && ((_, error) => onFailure(error)),
    onImage: (index, { meanIU }) => images.push({ index, meanIU }),
  });
  const ranked = images.filter(({ meanIU }) => !Number.isNaN(meanIU)).sort((a, b) => a.meanIU - b.meanIU);
  const worst = ranked.slice(0, Math.min(SHOWN, Math.ceil(ranked.length / 2)));
  const best = ranked.slice(worst.length).slice(-SHOWN).reverse();
  return { step, scores, ...(heads && { heads }), worst, best };
}
