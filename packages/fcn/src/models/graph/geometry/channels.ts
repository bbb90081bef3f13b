import { invalidArgument } from "@fcn/tensor/internal";
import { kindOf } from "../kinds/index.js";
import { foldGraph, type Graph, type Node } from "../spec.js";

/**
 * Channels of every node. Sizes play no part in them. Throws `invalid-argument` where those of a node's inputs do not
 * fit.
 */
export const inferChannels = (graph: Graph): Map<string, number> =>
  foldGraph(graph, 0, (node, inputs) => kindOf(node.layer).channels(node.layer, inputs, refuse(node)));

const refuse =
  ({ name, layer }: Node) =>
  (problem: string, fix: string): never => {
    throw invalidArgument(`${layer.kind} ${name}: ${problem}`, fix);
  };
