import { add, mul, type Tensor } from "@fcn/tensor";
import type { HostBatch } from "../../data/samples/batches.js";
import { VOID_LABEL } from "../../labels/sample.js";
import { type HeadLabels, type HeadWeights, labelsOf, noHead } from "./heads.js";
import { batchLoss, type Loss, type LossOptions } from "./loss.js";
import type { LossCounts } from "./reduction.js";

/**
 * What the batches of a step hold for a head: images, labelled pixels, and these weighted by class. Pixels per image
 * may differ by batch, so they are left out.
 */
interface HeadCounts extends Omit<LossCounts, "pixels"> {
  readonly labelled: number;
}

/** Settings of the losses of all heads. */
export interface HeadSettings {
  readonly heads: HeadWeights;
  readonly headLabels: HeadLabels;
  /** For the heads that learn from `labels`. */
  readonly classWeights?: readonly number[] | undefined;
}

/** Counts the batches of a step by head. Each head counts its own labels. */
export function countHeads(
  batches: readonly Pick<HostBatch, "labels" | "more" | "shape">[],
  { heads, headLabels, classWeights }: HeadSettings,
): Record<string, HeadCounts> {
  const images = batches.reduce((sum, { shape }) => sum + shape[0], 0);
  const counts = Object.keys(heads).map((head) => {
    const weights = weightsOf(head, headLabels, classWeights);
    let [labelled, weight] = [0, 0];
    for (const batch of batches) {
      for (const label of labelsOf(head, batch, headLabels)) {
        if (label === VOID_LABEL) continue;
        labelled++;
        weight += weights?.[label] ?? 1;
      }
    }
    return [head, { images, labelled, weight }] as const;
  });
  return Object.fromEntries(counts);
}

/** Class weights apply only to heads that learn from `labels`, because extra labels have other classes. */
const weightsOf = (head: string, headLabels: HeadLabels, weights: readonly number[] | undefined) =>
  Object.hasOwn(headLabels, head) ? undefined : weights;

export interface HeadLossOptions extends HeadSettings, Omit<LossOptions, "divisor" | "classWeights"> {
  /** The number by which each head's sum over pixels is divided. */
  readonly divisors: Readonly<Record<string, number>>;
  readonly loss: Loss;
}

/** The weighted sum of the heads' losses, a scalar. `outputs` holds the logits by head. */
export async function headLoss(
  outputs: Readonly<Record<string, Tensor>>,
  batch: HostBatch,
  { heads, headLabels, loss, divisors, classWeights, ...options }: HeadLossOptions,
): Promise<Tensor> {
  const losses: Tensor[] = [];
  for (const [head, weight] of Object.entries(heads)) {
    const logits = outputs[head];
    if (logits === undefined) throw noHead("heads", head, Object.keys(outputs));
    const labelled = { ...batch, labels: labelsOf(head, batch, headLabels) };
    const own = await batchLoss(loss, logits, labelled, {
      ...options,
      divisor: divisors[head] as number,
      classWeights: weightsOf(head, headLabels, classWeights),
    });
    losses.push(weight === 1 ? own : mul(own, weight));
  }
  return losses.reduce((a, b) => add(a, b));
}
