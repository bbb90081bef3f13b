import { add, mul, type Tensor } from "@fcn/tensor";
import type { HostBatch } from "../data/samples/batches.js";
import { VOID_LABEL } from "../labels/sample.js";
import { type HeadLabels, type HeadWeights, labelsOf, noHead } from "./heads.js";
import { batchLoss, type Loss, type LossOptions } from "./loss.js";
import type { LossCounts } from "./reduction.js";

/**
 * The images and labelled pixels in the batches of a step. Pixels per image may differ by batch, so they are left out.
 */
export function countLoss(
  batches: readonly Pick<HostBatch, "labels" | "shape">[],
  classWeights?: readonly number[],
): Omit<LossCounts, "pixels"> {
  let [images, labelled] = [0, 0];
  for (const { labels, shape } of batches) {
    images += shape[0];
    for (const label of labels) if (label !== VOID_LABEL) labelled += classWeights?.[label] ?? 1;
  }
  return { images, labelled };
}

/** Settings of the losses of all heads. */
export interface HeadSettings {
  readonly heads: HeadWeights;
  readonly headLabels: HeadLabels;
  /** For the heads that learn from `labels`. */
  readonly classWeights?: readonly number[] | undefined;
}

/** The images and labelled pixels in the batches of a step, by head. Each head counts its own labels. */
export function countHeads(
  batches: readonly Pick<HostBatch, "labels" | "more" | "shape">[],
  { heads, headLabels, classWeights }: HeadSettings,
): Record<string, Omit<LossCounts, "pixels">> {
  const counts = Object.keys(heads).map((head) => {
    const own = batches.map((batch) => ({ shape: batch.shape, labels: labelsOf(head, batch, headLabels) }));
    return [head, countLoss(own, weightsOf(head, headLabels, classWeights))] as const;
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

/** The weighted sum of the heads' losses, a scalar. The head of a net with only one is `out`. */
export async function headLoss(
  output: Tensor | Readonly<Record<string, Tensor>>,
  batch: HostBatch,
  { heads, headLabels, loss, divisors, classWeights, ...options }: HeadLossOptions,
): Promise<Tensor> {
  const byName = ("shape" in output ? { out: output } : output) as Readonly<Record<string, Tensor>>;
  const losses: Tensor[] = [];
  for (const [head, weight] of Object.entries(heads)) {
    const logits = byName[head];
    if (logits === undefined) throw noHead(head, Object.keys(byName));
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
