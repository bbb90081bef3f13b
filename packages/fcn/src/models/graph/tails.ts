import type { Tensor, Upsampling } from "@fcn/tensor";
import { kindOf } from "./kinds/index.js";
import type { Graph, Node } from "./spec.js";
import { nodeNamed } from "./subgraph.js";

/**
 * What a head gives: its logits, or coarse scores and the bilinear upsampling (with the crop after it) that makes
 * logits of them.
 */
export interface HeadScores {
  readonly values: Tensor;
  readonly upsampling?: Upsampling | undefined;
}

/** How a head ends: an upsampling of the scores, and the crop after it if there is one. */
export interface Tail {
  /** The node of the scores. */
  readonly scores: string;
  readonly upsampling: Node;
  readonly crop: Node | undefined;
}

/** The tails of the heads that end with what may be bilinear upsampling, of which nothing else reads the result. */
export function tailsOf(graph: Graph): ReadonlyMap<string, Tail> {
  const readersOf = ({ name }: Node): number =>
    [...graph.nodes.flatMap(({ inputs }) => inputs), ...Object.values(graph.outputs)].filter((read) => read === name)
      .length;
  const tails = Object.entries(graph.outputs).map(([head, name]): readonly [string, Tail] | undefined => {
    const end = nodeNamed(graph, name, "tailsOf");
    const crop = end.layer.kind === "crop" ? end : undefined;
    const upsampling = crop ? nodeNamed(graph, crop.inputs[0] as string, "tailsOf") : end;
    const [scores] = upsampling.inputs;
    const isUpsampling = scores !== undefined && kindOf(upsampling.layer).upsampling !== undefined;
    const isReadOnce = readersOf(end) === 1 && readersOf(upsampling) === 1;
    return isUpsampling && isReadOnce ? [head, { scores, upsampling, crop }] : undefined;
  });
  return new Map(tails.filter((tail) => tail !== undefined));
}
