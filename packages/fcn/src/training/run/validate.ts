import type { SegmentationDataset } from "../../data/dataset.js";
import type { Preprocessing } from "../../data/preprocessing.js";
import type { SegmentationSample } from "../../data/sample.js";
import { predictSamples } from "../../evaluation/evaluate.js";
import { SegmentationMetrics } from "../../metrics.js";
import type { SegmentationNet } from "../model.js";
import type { PictureScore, Validation } from "./history.js";

const SHOWN = 3;

/** Scores a net on a whole data set, picture by picture at its own size; the next one is decoded meanwhile. */
export async function validate(
  model: SegmentationNet,
  dataset: SegmentationDataset,
  { preprocessing, step }: { readonly preprocessing: Preprocessing; readonly step: number },
): Promise<Validation> {
  const all = new SegmentationMetrics(dataset.classes.length);
  const pictures: PictureScore[] = [];
  let next: Promise<SegmentationSample> | undefined = dataset.load(0);
  for (let index = 0; next !== undefined; index++) {
    const sample: SegmentationSample = await next;
    next = index + 1 < dataset.length ? dataset.load(index + 1) : undefined;
    // Its error is thrown when its turn comes.
    next?.catch(() => {});
    const [prediction] = await predictSamples(model, [sample], { preprocessing });
    const own = new SegmentationMetrics(dataset.classes.length).update(prediction as Uint8Array, sample.labels);
    all.merge(own);
    pictures.push({ index, meanIU: own.compute().meanIU });
  }
  const ranked = pictures.filter(({ meanIU }) => !Number.isNaN(meanIU)).sort((a, b) => a.meanIU - b.meanIU);
  const worst = ranked.slice(0, Math.min(SHOWN, Math.ceil(ranked.length / 2)));
  const best = ranked.slice(worst.length).slice(-SHOWN).reverse();
  return { step, scores: all.compute(), worst, best };
}
