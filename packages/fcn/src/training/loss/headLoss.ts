import { add, mul, type Tensor } from "@fcn/tensor";
import type { HostBatch } from "../../data/samples/batches.js";
import { VOID_LABEL } from "../../labels/sample.js";
import type { HeadScores } from "../../models/graph/tails.js";
import { type HeadLabels, type HeadWeights, labelsOf, noHead } from "./heads.js";
import { batchLoss, type HostTensor, type Loss, type LossOptions, lossOf, lossTargets } from "./loss.js";
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
export const weightsOf = (head: string, headLabels: HeadLabels, weights: readonly number[] | undefined) =>
  Object.hasOwn(headLabels, head) ? undefined : weights;

export interface HeadLossOptions extends HeadSettings, Omit<LossOptions, "divisor" | "classWeights"> {
  /** The number by which each head's sum over pixels is divided. */
  readonly divisors: Readonly<Record<string, number>>;
  readonly loss: Loss;
}

type Outputs = Readonly<Record<string, HeadScores>>;

/** The weighted sum of the heads' losses, a scalar. `outputs` holds the scores by head. */
export async function headLoss(outputs: Outputs, batch: HostBatch, options: HeadLossOptions): Promise<Tensor> {
  const losses: Tensor[] = [];
  for (const head of Object.keys(options.heads)) {
    const { labels, of } = lossOfHead(head, batch, options);
    losses.push(await batchLoss(options.loss, scoresOf(outputs, head), { labels }, of));
  }
  return weightedSum(losses, options);
}

/** What {@link headLossOf} takes besides the scores, by head. `shapeOf` gives the shape of a head's logits. */
export const headTargets = (
  batch: HostBatch,
  shapeOf: (head: string) => readonly number[],
  options: HeadLossOptions,
): HostTensor[][] =>
  Object.keys(options.heads).map((head) => {
    const { labels, of } = lossOfHead(head, batch, options);
    return lossTargets(options.loss, { labels, shape: shapeOf(head) }, of);
  });

/** As {@link headLoss}, from targets on the device. */
export function headLossOf(
  outputs: Outputs,
  targets: readonly (readonly Tensor[])[],
  options: Pick<HeadLossOptions, "heads" | "loss" | "batches">,
): Tensor {
  const { heads, loss, batches } = options;
  const losses = Object.keys(heads).map((head, h) => lossOf(loss, scoresOf(outputs, head), targets[h] ?? [], batches));
  return weightedSum(losses, options);
}

/** The labels of a head, and the options of its loss. */
function lossOfHead(head: string, batch: HostBatch, options: HeadLossOptions) {
  const { headLabels, divisors, classWeights, ...shared } = options;
  const of = { ...shared, divisor: divisors[head] as number, classWeights: weightsOf(head, headLabels, classWeights) };
  return { labels: labelsOf(head, batch, headLabels), of };
}

function scoresOf(outputs: Outputs, head: string): HeadScores {
  const scores = outputs[head];
  if (scores === undefined) throw noHead("heads", head, Object.keys(outputs));
  return scores;
}

const weightedSum = (losses: readonly Tensor[], { heads }: Pick<HeadLossOptions, "heads">): Tensor =>
  Object.values(heads)
    .map((weight, h) => (weight === 1 ? (losses[h] as Tensor) : mul(losses[h] as Tensor, weight)))
    .reduce((a, b) => add(a, b));
