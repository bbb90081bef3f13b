import { invalidArgument } from "@fcn/tensor/internal";
import { kindOf } from "../kinds/index.js";
import { foldGraph, type Graph, mainHead } from "../spec.js";

/**
 * The channels of every node, which do not depend on sizes. Throws `invalid-argument` if a layer has a fault, such as
 * inputs that do not fit.
 */
export const inferChannels = (graph: Graph): Map<string, number> =>
  foldGraph(graph, 0, ({ name, layer }, inputs) => {
    const { fault, channels } = kindOf(layer);
    const [problem, fix = ""] = fault?.(layer, inputs) ?? [];
    if (problem !== undefined) throw invalidArgument(`${layer.kind} ${name}: ${problem}`, fix);
    return channels(layer, inputs);
  });

/** The number of classes that the node of a head scores; by default that of the main head. */
export const classesOf = (graph: Graph, node = mainHead(graph)): number | undefined => inferChannels(graph).get(node);
