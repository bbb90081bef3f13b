import { kindOf } from "./kinds/index.js";
import type { Graph } from "./spec.js";

/**
 * Names, in graph order, of the convolutions that give class scores: only upsampling, crops and fusion come between
 * them and a head. For an FCN-8s these are score_fr, score_pool4 and score_pool3; for torchvision's FCNs, classifier.4
 * and aux_classifier.4.
 */
export function scoreLayers(graph: Graph): string[] {
  const heads = new Set(Object.values(graph.outputs));
  const towardsHead = new Set<string>();
  const scores: string[] = [];
  for (const { name, layer, inputs } of [...graph.nodes].reverse()) {
    if (!heads.has(name) && !towardsHead.has(name)) continue;
    const role = kindOf(layer).scores;
    if (role === "makes") scores.unshift(name);
    else if (role === "passes") for (const input of inputs) towardsHead.add(input);
  }
  return scores;
}

/** The transposed convolutions that upsample the scores of {@link scoreLayers}. */
export function scoreUpsampling(graph: Graph): ReadonlySet<string> {
  const carriesScores = new Set(scoreLayers(graph));
  const found = new Set<string>();
  for (const { name, layer, inputs } of graph.nodes) {
    if (!inputs.some((input) => carriesScores.has(input))) continue;
    carriesScores.add(name);
    if (layer.kind === "convTranspose") found.add(name);
  }
  return found;
}
