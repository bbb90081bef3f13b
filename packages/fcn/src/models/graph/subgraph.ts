import { invalidArgument } from "@fcn/tensor/internal";
import type { Graph, Node } from "./spec.js";

/** The node called `name`. Throws `invalid-argument` if there is none. */
export function nodeNamed(graph: Graph, name: string, op: string): Node {
  const found = graph.nodes.find((node) => node.name === name);
  if (found !== undefined) return found;
  throw invalidArgument(
    `${op}: the graph ${graph.name} has no node called ${JSON.stringify(name)}`,
    `use one of: ${graph.nodes.map((node) => node.name).join(", ")}`,
  );
}

/**
 * The part of a graph that the node `output` depends on, with `output` as its only head: `subgraph(graph, "score_fr")`
 * gives an FCN's coarse scores without upsampling. Names, and so the state dict, stay the same. Throws
 * `invalid-argument` for an unknown name.
 */
export function subgraph(graph: Graph, output: string): Graph {
  const wanted = new Set([nodeNamed(graph, output, "subgraph").name]);
  for (const node of [...graph.nodes].reverse()) {
    if (wanted.has(node.name)) for (const input of node.inputs) wanted.add(input);
  }
  return { name: graph.name, nodes: graph.nodes.filter(({ name }) => wanted.has(name)), outputs: { out: output } };
}
