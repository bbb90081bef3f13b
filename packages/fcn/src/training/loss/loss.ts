import {
  add,
  clamp,
  crossEntropy,
  div,
  exp,
  mul,
  neg,
  noGrad,
  pow,
  type Rule,
  softmax,
  sub,
  sum,
  type Tensor,
} from "@fcn/tensor";
import { rules } from "@fcn/tensor/internal";
import type { HostBatch } from "../../data/samples/batches.js";
import { VOID_LABEL } from "../../labels/sample.js";
import type { Reduction } from "./reduction.js";

/**
 * The loss that training lowers. Void pixels never count. p is the probability of a pixel's true class.
 *
 * - `crossEntropy`: -log p.
 * - `focal`: -(1 - p)^gamma log p, which gives little weight to pixels that are already right (Lin et al. 2017). Summed
 * like cross-entropy.
 * - `dice`: the mean over the classes of 1 - (2 sum(q t) + smooth) / (sum(q) + sum(t) + smooth), over the pixels of the
 * batch, with the probabilities q and the truth t (Milletari et al. 2016). `crossEntropy` adds that multiple of the
 * cross-entropy. The loss is already a share, so `reduction` does not divide it; accumulated batches have equal weight.
 * - `ohem`: cross-entropy of the hard pixels only: those with p below `threshold`, and at least the `minKept` hardest
 * of the batch (Shrivastava et al. 2016). `reduction: "mean"` is the mean over the kept pixels; accumulated batches
 * have equal weight. Each batch waits for the GPU.
 */
export type Loss = LossName | LossSettings;

/** A loss with its settings. Defaults: gamma 2, smooth 1, crossEntropy 0, threshold 0.7, minKept 0. */
export type LossSettings =
  | { readonly kind: "crossEntropy" }
  | { readonly kind: "focal"; readonly gamma?: number }
  | { readonly kind: "dice"; readonly smooth?: number; readonly crossEntropy?: number }
  | { readonly kind: "ohem"; readonly threshold?: number; readonly minKept?: number };

/** The name of a loss. */
export type LossName = LossSettings["kind"];

export interface LossOptions {
  readonly reduction: Reduction;
  /** The number by which a sum over pixels is divided. */
  readonly divisor: number;
  /** Number of batches in the step. */
  readonly batches: number;
  readonly classWeights?: readonly number[] | undefined;
}

type Of<K extends LossName> = Extract<LossSettings, { readonly kind: K }>;
type Compute<K extends LossName> = (
  loss: Of<K>,
  logits: Tensor,
  batch: HostBatch,
  options: LossOptions,
) => Tensor | Promise<Tensor>;

const LOSSES: { readonly [K in LossName]: Compute<K> } = {
  crossEntropy: (_, logits, batch, { divisor, classWeights }) =>
    div(pixelLoss(logits, batch.labels, "sum", classWeights), divisor),
  focal: ({ gamma = 2 }, logits, batch, { divisor, classWeights }) => {
    const plain = pixelLoss(logits, batch.labels, "none");
    const weighted = classWeights ? pixelLoss(logits, batch.labels, "none", classWeights) : plain;
    // Rounding may put p slightly above 1.
    const miss = clamp(sub(1, exp(neg(plain))), { min: 0 });
    return div(sum(mul(pow(miss, gamma), weighted)), divisor);
  },
  dice: ({ smooth = 1, crossEntropy: share = 0 }, logits, batch, { divisor, batches, classWeights }) => {
    const loss = div(diceLoss(logits, batch, smooth, classWeights), batches);
    if (share === 0) return loss;
    return add(loss, mul(pixelLoss(logits, batch.labels, "sum", classWeights), share / divisor));
  },
  ohem: async (loss, logits, batch, { reduction, divisor, batches, classWeights }) => {
    const costs = noGrad(() => pixelLoss(logits, batch.labels, "none"));
    const labels = hardLabels(await costs.data(), batch.labels, loss);
    const weightOf = (label: number): number => (label === VOID_LABEL ? 0 : (classWeights?.[label] ?? 1));
    const total = (of: Int32Array): number => of.reduce((so, label) => so + weightOf(label), 0);
    // A mean is over the kept pixels of this batch instead of all labelled pixels of the step.
    const by = reduction === "mean" ? (total(labels) || 1) * batches : divisor;
    return div(pixelLoss(logits, labels, "sum", classWeights), by);
  },
};

export const lossNames = (): LossName[] => Object.keys(LOSSES) as LossName[];

/** The loss of one batch, a scalar. `logits` is [N, C, H, W]; the labels of the batch are on the host. */
export async function batchLoss(loss: Loss, logits: Tensor, batch: HostBatch, options: LossOptions): Promise<Tensor> {
  const chosen = typeof loss === "string" ? { kind: loss } : loss;
  return (LOSSES[chosen.kind] as Compute<LossName>)(chosen as never, logits, batch, options);
}

const SETTINGS: ReadonlyMap<string, Rule<number>> = new Map([
  // Between 0 and 1 the slope of (1 - p)^gamma has no bound.
  ["gamma", rules.number("0 or a number of at least 1", (gamma) => gamma === 0 || rules.from(1).holds(gamma))],
  ["smooth", rules.from(0)],
  ["crossEntropy", rules.from(0)],
  ["threshold", rules.probability],
  ["minKept", rules.whole(0)],
]);

/** The option rule for {@link Loss}. */
export const lossRule: Rule<Loss> = rules.rule(
  `one of: ${lossNames().join(", ")}; or { kind } with its settings: gamma is 0 or at least 1, smooth and crossEntropy are at least 0, threshold is from 0 to 1, minKept is a whole number of at least 0`,
  (loss) => {
    const { kind, ...settings } = (typeof loss === "object" ? { ...loss } : { kind: loss }) as Record<string, unknown>;
    const areGood = Object.entries(settings).every(
      ([name, value]) => value === undefined || SETTINGS.get(name)?.holds(value),
    );
    return areGood && lossNames().includes(kind as LossName);
  },
);

function pixelLoss(
  logits: Tensor,
  labels: Int32Array,
  reduction: "sum" | "none",
  classWeights?: readonly number[],
): Tensor {
  const [n = 0, , ...space] = logits.shape;
  const target = logits.device.tensor(labels, [n, ...space], { dtype: "int32" });
  const weight = classWeights ? logits.device.tensor(classWeights) : undefined;
  return crossEntropy(logits, target, { ignoreIndex: VOID_LABEL, weight, reduction });
}

function diceLoss(logits: Tensor, batch: HostBatch, smooth: number, classWeights?: readonly number[]): Tensor {
  const { device, shape } = logits;
  const [n = 0, classes = 0, h = 0, w = 0] = shape;
  const { truth, labelled } = oneHot(batch.labels, n, classes, h * w);
  const t = device.tensor(truth, shape);
  const q = mul(softmax(logits, { dim: 1 }), device.tensor(labelled, [n, 1, h, w]));
  const over = { dim: [0, 2, 3] };
  const overlap = add(mul(sum(mul(q, t), over), 2), smooth);
  const all = add(add(sum(q, over), sum(t, over)), smooth);
  // A class that neither occurs nor is predicted counts as right. The small term avoids 0 / 0.
  const distance = sub(1, div(overlap, add(all, 1e-7)));
  const weights = classWeights ?? new Array<number>(classes).fill(1);
  const total = weights.reduce((so, weight) => so + weight, 0) || 1;
  return sum(mul(distance, device.tensor(weights.map((weight) => weight / total))));
}

/** The truth as [N, C, P] zeros and ones, and a mask [N, P] of the labelled pixels. */
function oneHot(
  labels: Int32Array,
  n: number,
  classes: number,
  pixels: number,
): { truth: Float32Array; labelled: Float32Array } {
  const truth = new Float32Array(n * classes * pixels);
  const labelled = new Float32Array(n * pixels);
  labels.forEach((label, i) => {
    if (label === VOID_LABEL) return;
    labelled[i] = 1;
    truth[(Math.floor(i / pixels) * classes + label) * pixels + (i % pixels)] = 1;
  });
  return { truth, labelled };
}

/** The labels with easy pixels made void. `costs` are the cross-entropies of the pixels. */
function hardLabels(
  costs: ArrayLike<number>,
  labels: Int32Array,
  { threshold = 0.7, minKept = 0 }: Of<"ohem">,
): Int32Array {
  // Void pixels cost nothing, so that they come first.
  const sorted = Float64Array.from(costs).sort();
  const least = sorted.at(-Math.min(minKept, sorted.length)) ?? Number.POSITIVE_INFINITY;
  const hard = -Math.log(threshold);
  // Pixels whose cost is NaN are kept, so that a diverged net is noticed.
  const isEasy = (cost: number): boolean => cost <= hard && (minKept === 0 || cost < least);
  return labels.map((label, i) => (isEasy(costs[i] as number) ? VOID_LABEL : label));
}
