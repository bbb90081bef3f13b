import { type Fix, TensorError } from "@fcn/tensor";
import { invalidArgument } from "@fcn/tensor/internal";
import { checkSample, type SegmentationSample } from "../../labels/sample.js";
import { headClasses, netGraph, type SegmentationNet } from "../../models/segmentationNet.js";
import { bothWays } from "../remedies.js";

/** The weight of each trained head's loss. */
export type HeadWeights = Readonly<Record<string, number>>;

/**
 * For a head that learns from extra labels of the samples (`more`), their name. The other heads learn from `labels`.
 */
export type HeadLabels = Readonly<Record<string, string>>;

/**
 * The given heads that the net has, because fcn_resnet50 may lack its auxiliary one. A net that has none of them trains
 * all of its own with equal weight, as the nets for SIFT Flow do.
 */
export function ownHeads(heads: HeadWeights, model: SegmentationNet): HeadWeights {
  const graph = netGraph(model);
  if (graph === undefined) return heads;
  const own = Object.entries(heads).filter(([head]) => Object.hasOwn(graph.outputs, head));
  return Object.fromEntries(own.length > 0 ? own : Object.keys(graph.outputs).map((head) => [head, 1]));
}

/** The extra labels of heads that the net itself names. */
export const ownHeadLabels = (model: SegmentationNet): HeadLabels => netGraph(model)?.headLabels ?? {};

interface HeadChoice {
  readonly heads: HeadWeights;
  readonly headLabels: HeadLabels;
  /** Number of classes in `labels`. */
  readonly numClasses: number;
}

/** Throws if the option names a head that the net lacks. */
export function checkHeadNames(
  option: HeadOption,
  given: Readonly<Record<string, unknown>>,
  model: SegmentationNet,
): void {
  const own = Object.keys(netGraph(model)?.outputs ?? given);
  const stray = Object.keys(given).find((head) => !own.includes(head));
  if (stray !== undefined) throw noHead(option, stray, own);
}

/** Throws if a head scores fewer classes than the labels that it learns from have. */
export function checkHeadClasses(model: SegmentationNet, { heads, headLabels, numClasses }: HeadChoice): void {
  const small = Object.keys(heads).find((head) => {
    return !Object.hasOwn(headLabels, head) && (headClasses(model, head) ?? numClasses) < numClasses;
  });
  if (small === undefined) return;
  throw invalidArgument(
    `train: head "${small}" scores ${headClasses(model, small)} classes, but the labels have ${numClasses}`,
    {
      code: `make the net with numClasses ${numClasses}, or name the extra labels that this head learns from: { headLabels: { ${small}: ... } }`,
      command: "name the heads that learn from these labels in --heads, such as out=1, or choose a net with one head",
    },
  );
}

type HeadOption = "heads" | "headLabels";

const NAME_HEADS: Readonly<Record<HeadOption, Fix>> = {
  heads: bothWays((say) => {
    const example = say("{ out: 1, aux: 0.5 }", "--heads out=1,aux=0.5");
    return `name heads of the net, each with the weight of its loss: ${example}`;
  }),
  headLabels: { code: 'name heads of the net, each with its extra labels: { geo: "geometric" }' },
};

/** The error for an option that names a head that the net lacks. */
export const noHead = (option: HeadOption, head: string, own: readonly string[]): TensorError =>
  invalidArgument(
    `train: ${option} names ${JSON.stringify(head)}, but the net has ${own.join(", ")}`,
    NAME_HEADS[option],
  );

/** The extra labels that heads learn from, each with its head. */
export function extraLabels(heads: HeadWeights, headLabels: HeadLabels): [head: string, map: string][] {
  return Object.entries(headLabels).filter(([head]) => Object.hasOwn(heads, head));
}

/** The labels that a head learns from. Throws if the batch or the sample lacks them. */
export function labelsOf<Labels>(
  head: string,
  { labels, more = {} }: { readonly labels: Labels; readonly more?: Readonly<Record<string, Labels>> },
  headLabels: HeadLabels,
): Labels {
  const map = Object.hasOwn(headLabels, head) ? headLabels[head] : undefined;
  if (map === undefined) return labels;
  if (Object.hasOwn(more, map)) return more[map] as Labels;
  const present = Object.keys(more)
    .map((name) => JSON.stringify(name))
    .join(", ");
  const heads = Object.keys(headLabels).join(", ");
  throw new TensorError({
    code: "missing-labels",
    message: `train: head "${head}" learns from the extra labels "${map}", which the samples lack; their extra labels are ${present || "none"}`,
    fix: {
      code: `add them to the samples (sample.more), name others in headLabels, leave ${heads} out of the option heads, or choose a net with one head`,
      command: `name the heads to train in --heads, without ${heads}, or choose a net with one head`,
    },
  });
}

/**
 * Throws if a sample lacks the extra labels that a head learns from, or if they hold a label that the head does not
 * score.
 */
export function checkHeadLabels(
  model: SegmentationNet,
  samples: readonly SegmentationSample[],
  maps: readonly (readonly [head: string, map: string])[],
): void {
  for (const [head, map] of maps) {
    for (const sample of samples) {
      labelsOf(head, sample, { [head]: map });
      checkSample("train", sample, headClasses(model, head) ?? 255, map);
    }
  }
}
