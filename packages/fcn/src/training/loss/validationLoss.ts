import type { MeasuredStrip, ScoreMeasure } from "../../evaluation/counting.js";
import { VOID_LABEL } from "../../labels/sample.js";
import { type HeadSettings, weightsOf } from "./headLoss.js";
import { batchLoss, isPixelSum, type Loss, takesLogits } from "./loss.js";
import { divisorOf, type Reduction } from "./reduction.js";

/** The settings of training on which its loss depends. */
export interface ValidationLossSettings extends HeadSettings {
  readonly loss: Loss;
  readonly reduction: Reduction;
  readonly batchSize: number;
  readonly accumulationSteps: number;
}

/** The loss of a strip on its way from the device, and how much it counts. */
interface Part {
  readonly value: Promise<number>;
  readonly weight: number;
}

/**
 * The loss of training over images that are only looked at: the same loss, weights of classes and heads, and void. The
 * losses of all pixels count alike where `reduction` is `mean` and the loss is a sum over pixels; otherwise the images
 * do, each reduced by itself, times the images of a step where training adds up images. An image that is predicted in
 * several strips counts as that many images.
 */
export class ValidationLoss implements ScoreMeasure {
  readonly heads: readonly string[];
  readonly takesLogits: boolean;
  readonly #parts = new Map<string, Part[]>();

  constructor(private readonly settings: ValidationLossSettings) {
    this.heads = Object.keys(settings.heads);
    this.takesLogits = takesLogits(settings.loss);
  }

  async add({ head, scores, labels, pixels }: MeasuredStrip): Promise<void> {
    const { loss, reduction, headLabels, batchSize, accumulationSteps } = this.settings;
    const classWeights = weightsOf(head, headLabels, this.settings.classWeights);
    let weight = 0;
    for (const label of labels) if (label !== VOID_LABEL) weight += classWeights?.[label] ?? 1;
    if (weight === 0) return;
    const isPooled = reduction === "mean" && isPixelSum(loss);
    const images = reduction === "sum" || reduction === "imageMeans" ? batchSize * accumulationSteps : 1;
    const divisor = isPooled ? 1 : divisorOf(reduction, { images: 1, pixels, weight }) / images;
    const found = await batchLoss(loss, scores, { labels }, { reduction, divisor, batches: 1, classWeights });
    const value = found.item();
    // Whoever asks for the loss awaits this. Until then, a rejection must not count as unhandled.
    value.catch(() => undefined);
    const parts = this.#parts.get(head) ?? [];
    parts.push({ value, weight: isPooled ? weight : 1 });
    this.#parts.set(head, parts);
  }

  /** The loss of all that was added, or undefined if none of it has a label. */
  async compute(): Promise<number | undefined> {
    let loss: number | undefined;
    for (const [head, share] of Object.entries(this.settings.heads)) {
      let [sum, count] = [0, 0];
      for (const { value, weight } of this.#parts.get(head) ?? []) {
        sum += await value;
        count += weight;
      }
      if (count > 0) loss = (loss ?? 0) + (share * sum) / count;
    }
    return loss;
  }
}
