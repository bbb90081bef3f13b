import { elementsOf } from "@fcn/tensor/internal";
import { inferChannels } from "./geometry/channels.js";
import { inferShapes } from "./geometry/shapes.js";
import { kindOf } from "./kinds/index.js";
import type { Graph, Node } from "./spec.js";

/** What a layer costs. */
export interface LayerCost {
  /** Values that an optimiser can change. */
  readonly parameters: number;
  /** Products of a weight and a value that are added up for one image; zero for layers other than convolutions. */
  readonly multiplyAdds: number;
}

/** The cost of each node, by name, for an image of `height` x `width`. Throws if the image is too small. */
export function costsOf(graph: Graph, height: number, width: number): ReadonlyMap<string, LayerCost> {
  const channels = inferChannels(graph);
  const shapes = inferShapes(graph, height, width);
  const pixelsAt = (name = ""): number => {
    const [, h = height, w = width] = shapes.get(name) ?? [];
    return h * w;
  };
  const costOf = ({ name, layer, inputs: [source] }: Node): LayerCost => {
    const [kind, inChannels] = [kindOf(layer), channels.get(source ?? "") ?? 0];
    const buffers = kind.buffers(layer);
    const own = Object.entries(kind.parameters(layer, inChannels)).filter(([part]) => !buffers.includes(part));
    return {
      parameters: own.reduce((sum, [, shape]) => sum + elementsOf(shape), 0),
      multiplyAdds: kind.multiplyAdds?.(layer, inChannels, { from: pixelsAt(source), to: pixelsAt(name) }) ?? 0,
    };
  };
  return new Map(graph.nodes.map((node) => [node.name, costOf(node)]));
}
