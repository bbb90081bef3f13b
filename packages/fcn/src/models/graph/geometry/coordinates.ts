import { invalidArgument } from "@fcn/tensor/internal";
import { kindOf, type Layer } from "../kinds/index.js";
import { type CoordinateMap, composeMaps, cutMap, formatMap, identityMap, mapsEqual } from "../plane/coordinateMap.js";
import { type Axis, onBothAxes } from "../plane/window.js";
import { foldGraph, type Graph, type Node } from "../spec.js";
import { sizesAlong } from "./sizes.js";

export * from "../plane/coordinateMap.js";
export type { Rational } from "../plane/rational.js";
export type { Axis } from "../plane/window.js";

/**
 * The map of one layer from its first input to its output, before any crop. A window of extent e = dilation (kernel -
 * 1) + 1 has scale 1/stride and shift (padding - (e - 1)/2) / stride, where only the padding before the first pixel
 * counts; the map of its transpose is the inverse. `size` is the input's, which only padding "same" needs.
 */
export function layerMap(layer: Layer, axis: Axis, size?: number): CoordinateMap {
  const map = kindOf(layer).map(layer, axis, size);
  return map === "reference" ? identityMap : map;
}

/**
 * The coordinate map of every node from the graph's input, along one axis. `size` is the image's, needed only if a
 * layer has padding "same". Throws `invalid-argument` if the inputs of a node do not lie at the same places, or if a
 * crop has no valid offset.
 */
export function coordinateMaps(graph: Graph, axis: Axis, size?: number): Map<string, CoordinateMap> {
  const sizes = size === undefined ? undefined : sizesAlong(graph, axis, size);
  return foldGraph(graph, identityMap, (node, inputs) => nodeMap(node, inputs, axis, sizes?.get(node.inputs[0] ?? "")));
}

function nodeMap(node: Node, inputs: readonly CoordinateMap[], axis: Axis, size?: number): CoordinateMap {
  const { name, layer } = node;
  const kind = kindOf(layer);
  const [first = identityMap, second] = inputs;
  const map = kind.map(layer, axis, size);
  if (map === "reference") return second ?? first;
  if (kind.others === "alongside") checkPlaces(node, inputs, first);
  const own = composeMaps(map, first);
  return kind.offset && second ? cutMap(own, kind.offset(layer, own, second, name)) : own;
}

function checkPlaces(node: Node, inputs: readonly CoordinateMap[], first: CoordinateMap): void {
  const stray = inputs.findIndex((map) => !mapsEqual(map, first));
  if (stray < 0) return;
  throw invalidArgument(
    `${node.layer.kind} ${node.name}: its inputs lie at different places of the image: ${node.inputs[0]} at ${formatMap(first)}, ${node.inputs[stray]} at ${formatMap(inputs[stray] ?? first)}`,
    "crop or resize one to the other first",
  );
}

/**
 * The offset [top, left] of every crop in a graph, by node name. `image` is [height, width], needed only if a layer has
 * padding "same". Throws `invalid-argument` if a crop has no valid offset.
 */
export function cropOffsets(graph: Graph, image?: readonly [number, number]): Map<string, readonly [number, number]> {
  const maps = onBothAxes((axis) => coordinateMaps(graph, axis, image?.[axis]));
  const offsets = new Map<string, readonly [number, number]>();
  for (const { name, layer, inputs } of graph.nodes) {
    const { offset } = kindOf(layer);
    const [source = "", reference = source] = inputs;
    if (offset === undefined) continue;
    const [top, left] = maps.map((known) =>
      offset(layer, known.get(source) as CoordinateMap, known.get(reference) as CoordinateMap, name),
    );
    offsets.set(name, [top as number, left as number]);
  }
  return offsets;
}
