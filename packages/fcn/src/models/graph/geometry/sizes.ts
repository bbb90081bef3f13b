import { kindOf, type Layer } from "../kinds/index.js";
import type { Axis } from "../plane/window.js";
import { foldGraph, type Graph } from "../spec.js";

/** Size of a layer's output along one axis, from the sizes of its inputs; below 1 if the input is too small. */
export function outputSize(layer: Layer, axis: Axis, [size = 0, reference]: readonly number[]): number {
  const kind = kindOf(layer);
  if (kind.others === "reference" && reference !== undefined) return reference;
  return kind.size ? kind.size(layer, axis, size) : size;
}

/** Size of every node along one axis for an image of `size`; below 1 if the image is too small. */
export const sizesAlong = (graph: Graph, axis: Axis, size: number): Map<string, number> =>
  foldGraph(graph, size, ({ layer }, inputs) => outputSize(layer, axis, inputs));
