import { evaluate, type SampleSource } from "../../evaluation/evaluate.js";
import type { SegmentationNet } from "../model.js";
import type { ModelMetadata } from "../weightsFile.js";
import type { PictureScore, Validation } from "./history.js";

const SHOWN = 3;

interface ValidateOptions {
  readonly metadata: ModelMetadata;
  readonly step: number;
  /** Is told of each sample that cannot be loaded any more; the others are scored. */
  readonly onFailure?: (error: Error) => void;
}

/** Scores a net on all samples, each at its own size, and finds those that it labels worst and best. */
export async function validate(
  model: SegmentationNet,
  samples: SampleSource,
  { metadata, step, onFailure }: ValidateOptions,
): Promise<Validation> {
  const pictures: PictureScore[] = [];
  const { preprocessing, classes } = metadata;
  const scores = await evaluate(model, samples, {
    preprocessing,
    numClasses: classes.length,
    onFailure: onFailure && ((_, error) => onFailure(error)),
    onPicture: (index, { meanIU }) => pictures.push({ index, meanIU }),
  });
  const ranked = pictures.filter(({ meanIU }) => !Number.isNaN(meanIU)).sort((a, b) => a.meanIU - b.meanIU);
  const worst = ranked.slice(0, Math.min(SHOWN, Math.ceil(ranked.length / 2)));
  const best = ranked.slice(worst.length).slice(-SHOWN).reverse();
  return { step, scores, worst, best };
}
