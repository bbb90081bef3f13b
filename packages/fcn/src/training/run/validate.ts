import { evaluate, type SampleSource } from "../../evaluation/evaluate.js";
import type { SegmentationScores } from "../../metrics.js";
import { headClasses } from "../heads.js";
import type { SegmentationNet } from "../model.js";
import type { ModelMetadata } from "../weightsFile.js";
import type { PictureScore, Validation } from "./history.js";

const SHOWN = 3;

interface ValidateOptions {
  readonly metadata: ModelMetadata;
  readonly step: number;
  /** Heads with labels of their own, each with its label map; they take a pass over the samples each. */
  readonly further?: readonly (readonly [head: string, map: string])[];
  /** Is told of each sample that cannot be loaded any more; the others are scored. */
  readonly onFailure?: (error: Error) => void;
}

/** Scores a net on all samples, each at its own size, and finds those that it labels worst and best. */
export async function validate(
  model: SegmentationNet,
  samples: SampleSource,
  { metadata, step, further = [], onFailure }: ValidateOptions,
): Promise<Validation> {
  const pictures: PictureScore[] = [];
  const { preprocessing, classes } = metadata;
  const common = { preprocessing, onFailure: onFailure && ((_: number, error: Error) => onFailure(error)) };
  const scores = await evaluate(model, samples, {
    ...common,
    numClasses: classes.length,
    onPicture: (index, { meanIU }) => pictures.push({ index, meanIU }),
  });
  const ranked = pictures.filter(({ meanIU }) => !Number.isNaN(meanIU)).sort((a, b) => a.meanIU - b.meanIU);
  const worst = ranked.slice(0, Math.min(SHOWN, Math.ceil(ranked.length / 2)));
  const best = ranked.slice(worst.length).slice(-SHOWN).reverse();
  const heads: Record<string, SegmentationScores> = {};
  for (const [head, labels] of further) {
    heads[head] = await evaluate(model, samples, { ...common, head, labels, numClasses: headClasses(model, head) });
  }
  return { step, scores, ...(further.length > 0 ? { heads } : {}), worst, best };
}
