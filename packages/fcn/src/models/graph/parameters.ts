import { inferChannels } from "./geometry/shapes.js";
import { along, type Graph, type Layer } from "./spec.js";

type Shapes = Record<string, readonly number[]>;

/** The shapes of all parameters and buffers of the net of a graph, by name, without making it. */
export function parameterShapes(graph: Graph): Readonly<Shapes> {
  const channels = inferChannels(graph);
  const entries = graph.nodes.flatMap(({ name, layer, inputs }) => {
    const own = shapesOf(layer, channels.get(inputs[0] ?? "") ?? 0);
    return Object.entries(own).map(([part, shape]) => [`${name}.${part}`, shape] as const);
  });
  return Object.fromEntries(entries);
}

function shapesOf(layer: Layer, inputs: number): Shapes {
  switch (layer.kind) {
    case "conv": {
      const { outChannels, groups = 1, kernelSize, bias = true } = layer;
      const window = [along(kernelSize, 0, 1), along(kernelSize, 1, 1)];
      return { weight: [outChannels, inputs / groups, ...window], ...(bias ? { bias: [outChannels] } : {}) };
    }
    case "convTranspose": {
      const { outChannels, groups = 1, kernelSize, bias = false, init } = layer;
      // Bilinear kernels are square.
      const window = [along(kernelSize, 0, 1), along(kernelSize, init === "default" ? 1 : 0, 1)];
      return { weight: [inputs, outChannels / groups, ...window], ...(bias ? { bias: [outChannels] } : {}) };
    }
    case "batchNorm":
      return { weight: [inputs], bias: [inputs], running_mean: [inputs], running_var: [inputs] };
    case "groupNorm":
      return { weight: [inputs], bias: [inputs] };
    default:
      return {};
  }
}
