import {
  add,
  clamp,
  crossEntropy,
  type Device,
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
  upsampledCrossEntropy,
} from "@fcn/tensor";
import { defect, rules } from "@fcn/tensor/internal";
import type { HostBatch } from "../../data/samples/batches.js";
import { VOID_LABEL } from "../../labels/sample.js";
import type { HeadScores } from "../../models/graph/tails.js";
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

/** The labels [N, H, W] that a loss compares logits with, and the shape of the logits. */
export interface LossCase {
  readonly labels: Int32Array;
  readonly shape: readonly number[];
}

/** Values of the host for the device. */
export interface HostTensor {
  readonly data: Int32Array | Float32Array | readonly number[];
  readonly shape: readonly number[];
  readonly dtype?: "int32";
}

export const toTensor = (device: Device, { data, shape, dtype }: HostTensor): Tensor =>
  device.tensor(data, shape, dtype ? { dtype } : {});

type Of<K extends LossName> = Extract<LossSettings, { readonly kind: K }>;

/** A loss in two parts, so that its work on the device is the same for all labels of one shape. */
interface LossKind<K extends LossName> {
  /** Whether it reads the logits of all pixels, not only their cross-entropy. */
  readonly takesLogits: boolean;
  /** All that depends on the labels and on the step. */
  readonly targets: (of: LossCase, options: LossOptions, loss: Of<K>) => HostTensor[];
  /** The loss of one batch, a scalar, from `targets` on the device. `batches` is their number in a step. */
  readonly compute: (scores: HeadScores, targets: readonly Tensor[], loss: Of<K>, batches: number) => Tensor;
  /** The labels that count and the divisor of their sum, where both depend on the costs of the pixels. */
  readonly select?: (costs: ArrayLike<number>, of: LossCase, options: LossOptions, loss: Of<K>) => Selected;
}

type Selected = Pick<LossCase, "labels"> & Pick<LossOptions, "divisor">;

/** Labels, the factor on the sum over the pixels, and the weights of the classes if there are any. */
const pixelTargets = (
  { labels, shape: [n = 0, , ...space] }: LossCase,
  factor: number,
  weights?: readonly number[],
) => [
  { data: labels, shape: [n, ...space], dtype: "int32" } as const,
  { data: [factor], shape: [] },
  ...(weights ? [{ data: weights, shape: [weights.length] }] : []),
];

const summed = (scores: HeadScores, [labels, factor, weight]: readonly Tensor[]): Tensor =>
  mul(pixelLoss(scores, labels as Tensor, "sum", weight), factor as Tensor);

const crossEntropyKind = {
  takesLogits: false,
  targets: (of: LossCase, { divisor, classWeights }: LossOptions) => pixelTargets(of, 1 / divisor, classWeights),
  compute: summed,
};

const LOSSES: { readonly [K in LossName]: LossKind<K> } = {
  crossEntropy: crossEntropyKind,
  focal: {
    ...crossEntropyKind,
    compute: (scores, [labels, factor, weight], { gamma = 2 }) => {
      const plain = pixelLoss(scores, labels as Tensor, "none");
      const weighted = weight ? pixelLoss(scores, labels as Tensor, "none", weight) : plain;
      // Rounding may put p slightly above 1.
      const miss = clamp(sub(1, exp(neg(plain))), { min: 0 });
      return mul(sum(mul(pow(miss, gamma), weighted)), factor as Tensor);
    },
  },
  dice: {
    takesLogits: true,
    targets: (of, { divisor, classWeights }, { crossEntropy: share = 0 }) => [
      ...overlapTargets(of, classWeights),
      ...(share === 0 ? [] : pixelTargets(of, share / divisor, classWeights)),
    ],
    compute: (scores, [truth, labelled, weights, ...rest], { smooth = 1, crossEntropy: share = 0 }, batches) => {
      const loss = div(diceLoss(logitsOf(scores), [truth, labelled, weights] as Tensor[], smooth), batches);
      return share === 0 ? loss : add(loss, summed(scores, rest));
    },
  },
  ohem: {
    ...crossEntropyKind,
    select: (costs, of, { reduction, divisor, batches, classWeights }, loss) => {
      const labels = hardLabels(costs, of.labels, loss);
      const weightOf = (label: number): number => (label === VOID_LABEL ? 0 : (classWeights?.[label] ?? 1));
      const total = labels.reduce((so, label) => so + weightOf(label), 0);
      // A mean is over the kept pixels of this batch instead of all labelled pixels of the step.
      return { labels, divisor: reduction === "mean" ? (total || 1) * batches : divisor };
    },
  },
};

export const lossNames = (): LossName[] => Object.keys(LOSSES) as LossName[];

const settingsOf = (loss: Loss): LossSettings => (typeof loss === "string" ? { kind: loss } : loss);
const kindOf = ({ kind }: LossSettings) => LOSSES[kind] as LossKind<LossName>;

/** Whether the pixels that count depend on the logits, so that each batch waits for the GPU. */
export const waitsForLogits = (loss: Loss): boolean => kindOf(settingsOf(loss)).select !== undefined;

/** Whether the scores that {@link lossOf} takes must be logits of full size. */
export const takesLogits = (loss: Loss): boolean => kindOf(settingsOf(loss)).takesLogits;

/** Whether it is a sum over the pixels of what each has by itself, divided as `reduction` says. */
export const isPixelSum = (loss: Loss): boolean => !takesLogits(loss) && !waitsForLogits(loss);

/** What {@link lossOf} takes besides the scores. */
export const lossTargets = (loss: Loss, of: LossCase, options: LossOptions): HostTensor[] =>
  kindOf(settingsOf(loss)).targets(of, options, settingsOf(loss) as never);

/** The loss of one batch, a scalar. */
export const lossOf = (loss: Loss, scores: HeadScores, targets: readonly Tensor[], batches: number): Tensor =>
  kindOf(settingsOf(loss)).compute(scores, targets, settingsOf(loss) as never, batches);

/** The loss of one batch, a scalar, from labels on the host. */
export async function batchLoss(
  loss: Loss,
  scores: HeadScores,
  { labels }: Pick<HostBatch, "labels">,
  options: LossOptions,
): Promise<Tensor> {
  const { values, upsampling } = scores;
  const { device } = values;
  const shape = upsampling ? [...values.shape.slice(0, 2), ...upsampling.size] : values.shape;
  const settings = settingsOf(loss);
  const { select } = kindOf(settings);
  let [of, by]: [LossCase, LossOptions] = [{ labels, shape }, options];
  if (select) {
    const [target] = pixelTargets(of, 1);
    const costs = noGrad(() => pixelLoss(scores, toTensor(device, target as HostTensor), "none"));
    const chosen = select(await costs.data(), of, options, settings as never);
    [of, by] = [
      { labels: chosen.labels, shape },
      { ...options, divisor: chosen.divisor },
    ];
  }
  const targets = lossTargets(loss, of, by).map((target) => toTensor(device, target));
  return lossOf(loss, scores, targets, options.batches);
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
  { values, upsampling }: HeadScores,
  labels: Tensor,
  reduction: "sum" | "none",
  weight?: Tensor,
): Tensor {
  const options = { ignoreIndex: VOID_LABEL, weight, reduction };
  return upsampling
    ? upsampledCrossEntropy(values, labels, upsampling, options)
    : crossEntropy(values, labels, options);
}

function logitsOf({ values, upsampling }: HeadScores): Tensor {
  if (upsampling) throw defect("a loss on logits got scores that are not upsampled");
  return values;
}

/** The truth, the mask of the labelled pixels, and the share of each class. */
function overlapTargets({ labels, shape }: LossCase, classWeights?: readonly number[]): HostTensor[] {
  const [n = 0, classes = 0, h = 0, w = 0] = shape;
  const { truth, labelled } = oneHot(labels, n, classes, h * w);
  const weights = classWeights ?? new Array<number>(classes).fill(1);
  const total = weights.reduce((so, weight) => so + weight, 0) || 1;
  return [
    { data: truth, shape },
    { data: labelled, shape: [n, 1, h, w] },
    { data: weights.map((weight) => weight / total), shape: [weights.length] },
  ];
}

function diceLoss(logits: Tensor, [t, labelled, shares]: readonly Tensor[], smooth: number): Tensor {
  const q = mul(softmax(logits, { dim: 1 }), labelled as Tensor);
  const over = { dim: [0, 2, 3] };
  const overlap = add(mul(sum(mul(q, t as Tensor), over), 2), smooth);
  const all = add(add(sum(q, over), sum(t as Tensor, over)), smooth);
  // A class that neither occurs nor is predicted counts as right. The small term avoids 0 / 0.
  const distance = sub(1, div(overlap, add(all, 1e-7)));
  return sum(mul(distance, shares as Tensor));
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
