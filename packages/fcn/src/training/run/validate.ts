import type { Abortable } from "../../async/abort.js";
import { evaluateMeasured, type SampleSource } from "../../evaluation/evaluate.js";
import type { SegmentationScores } from "../../labels/metrics.js";
import type { ModelMetadata } from "../../models/file/weightsFile.js";
import type { SegmentationNet } from "../../models/segmentationNet.js";
import { ValidationLoss, type ValidationLossSettings } from "../loss/validationLoss.js";
import type { ImageScore, Validation } from "./state/history.js";

const SHOWN = 3;

interface ValidateOptions extends Abortable {
  readonly metadata: ModelMetadata;
  readonly step: number;
  /** Heads with extra labels, each with the labels' name. */
  readonly extra?: readonly (readonly [head: string, map: string])[];
  /** Called for each sample that can no longer be loaded. The others are still scored. */
  readonly onFailure?: (error: Error) => void;
  /** Those of the training, whose loss is to be computed. */
  readonly settings?: ValidationLossSettings;
}

/**
 * Scores all heads of a net on all samples in one pass, each sample at its own size, and finds the best and worst ones.
 * With `settings`, the loss comes from the same pass.
 */
export async function validate(
  model: SegmentationNet,
  samples: SampleSource,
  { metadata, step, extra = [], onFailure, settings, signal }: ValidateOptions,
): Promise<Validation> {
  const images: ImageScore[] = [];
  const { preprocessing, classes } = metadata;
  const measure = settings && new ValidationLoss(settings);
  const options = {
    preprocessing,
    signal,
    numClasses: classes.length,
    ...(extra.length > 0 && { heads: Object.fromEntries(extra.map(([head, labels]) => [head, { labels }])) }),
    onFailure: onFailure && ((_: number, error: Error) => onFailure(error)),
    onImage: (index: number, { meanIU }: SegmentationScores) => void images.push({ index, meanIU }),
  };
  const { heads, ...scores } = await evaluateMeasured(model, samples, options, { measure });
  const loss = await measure?.compute();
  const ranked = images.filter(({ meanIU }) => !Number.isNaN(meanIU)).sort((a, b) => a.meanIU - b.meanIU);
  const worst = ranked.slice(0, Math.min(SHOWN, Math.ceil(ranked.length / 2)));
  const best = ranked.slice(worst.length).slice(-SHOWN).reverse();
  return { step, scores, ...(loss !== undefined && { loss }), ...(heads && { heads }), worst, best };
}
