import { TensorError } from "@fcn/tensor";
import { invalidArgument } from "@fcn/tensor/internal";
import type { HostBatch } from "../../data/samples/batches.js";
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

/** Throws if `heads` names a head that the net lacks. */
export function checkHeadNames(heads: HeadWeights, model: SegmentationNet): void {
  const own = Object.keys(netGraph(model)?.outputs ?? heads);
  const unknown = Object.keys(heads).find((head) => !own.includes(head));
  if (unknown !== undefined) throw noHead(unknown, own);
}

/** Throws if `headLabels` names a head that the net lacks. */
export function checkLabelledHeads(headLabels: HeadLabels, model: SegmentationNet): void {
  const own = Object.keys(netGraph(model)?.outputs ?? headLabels);
  const stray = Object.keys(headLabels).find((head) => !own.includes(head));
  if (stray === undefined) return;
  throw invalidArgument(`train: headLabels names ${JSON.stringify(stray)}, but the net has ${own.join(", ")}`, {
    code: 'name heads of the net, each with its label map: { geo: "geometric" }',
  });
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
      code: `make the net with numClasses ${numClasses}, or name the label map that this head learns from: { headLabels: { ${small}: ... } }`,
      command: "name the heads that learn from these labels in --heads, such as out=1, or choose a net with one head",
    },
  );
}

/** The error for an option that names a head that the net lacks. */
export function noHead(head: string, own: readonly string[]): TensorError {
  return invalidArgument(
    `train: heads names ${JSON.stringify(head)}, but the net has ${own.join(", ")}`,
    bothWays((say) => {
      return `name heads of the net, each with the weight of its loss: ${say("{ out: 1, aux: 0.5 }", "--heads out=1,aux=0.5")}`;
    }),
  );
}

/** The extra labels that heads learn from, each with its head. */
export function extraLabels(heads: HeadWeights, headLabels: HeadLabels): [head: string, map: string][] {
  return Object.entries(headLabels).filter(([head]) => Object.hasOwn(heads, head));
}

/** The labels that a head learns from. Throws if the batch lacks them. */
export function labelsOf(head: string, batch: Pick<HostBatch, "labels" | "more">, headLabels: HeadLabels): Int32Array {
  const map = Object.hasOwn(headLabels, head) ? headLabels[head] : undefined;
  if (map === undefined) return batch.labels;
  const labels = batch.more && Object.hasOwn(batch.more, map) ? batch.more[map] : undefined;
  if (labels === undefined) throw noMap(head, map, Object.keys(batch.more ?? {}), Object.keys(headLabels));
  return labels;
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
      const { more = {} } = sample;
      if (!Object.hasOwn(more, map)) throw noMap(head, map, Object.keys(more), [head]);
      checkSample("train", sample, headClasses(model, head) ?? 255, map);
    }
  }
}

function noMap(head: string, map: string, has: readonly string[], heads: readonly string[]): TensorError {
  const list = has.map((name) => JSON.stringify(name)).join(", ") || "none";
  return new TensorError({
    code: "missing-labels",
    message: `train: head "${head}" learns from the label map "${map}", which the samples lack; of further maps they have ${list}`,
    fix: {
      code: `bring that map along (sample.more), name another in headLabels, train without it by heads (leaving out ${heads.join(", ")}), or choose a net with one head`,
      command: `name the heads to train in --heads, without ${heads.join(", ")}, or choose a net with one head`,
    },
  });
}
