import { inferChannels } from "./geometry/channels.js";
import { kindOf } from "./kinds/index.js";
import type { Shapes } from "./kinds/kind.js";
import type { Graph } from "./spec.js";

/** The shapes of all parameters and buffers of a graph's net, by name, without building it. */
export function parameterShapes(graph: Graph): Shapes {
  const channels = inferChannels(graph);
  const entries = graph.nodes.flatMap(({ name, layer, inputs }) => {
    const own = kindOf(layer).parameters(layer, channels.get(inputs[0] ?? "") ?? 0);
    return Object.entries(own).map(([part, shape]) => [`${name}.${part}`, shape] as const);
  });
  return Object.fromEntries(entries);
}
