import { invalidArgument } from "@fcn/tensor/internal";
import { kindOf } from "../kinds/index.js";
import { foldGraph, type Graph, type Node } from "../spec.js";

/**
 * The channels of every node, which do not depend on sizes. Throws `invalid-argument` if a node's inputs do not fit.
 */
export const inferChannels = (graph: Graph): Map<string, number> =>
  foldGraph(graph, 0, (node, inputs) => kindOf(node.layer).channels(node.layer, inputs, refuse(node)));

const refuse =
  ({ name, layer }: Node) =>
  (problem: string, fix: string): never => {
    throw invalidArgument(`${layer.kind} ${name}: ${problem}`, fix);
  };
