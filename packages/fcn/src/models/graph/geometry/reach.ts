import { invalidArgument } from "@fcn/tensor/internal";
import { kindOf, type Layer } from "../kinds/index.js";
import type { Taps } from "../kinds/kind.js";
import { lcm } from "../plane/rational.js";
import { type Axis, onBothAxes } from "../plane/window.js";
import { foldGraph, type Graph, mainHead } from "../spec.js";
import { cropOffsets } from "./coordinates.js";
import { sizesAlong } from "./sizes.js";

/** For each place along an axis, the first and last pixel of the image on which its value depends. */
type Intervals = readonly (readonly [low: number, high: number])[];

/** A graph, or a net that runs one. */
export type GraphOrNet = Graph | { readonly graph: Graph };

function graphIn(op: string, given: GraphOrNet): Graph {
  const graph = (given as { readonly graph?: Graph } | undefined)?.graph ?? (given as Graph | undefined);
  if (graph && Array.isArray(graph.nodes)) return graph;
  throw invalidArgument(`${op}: got neither a graph nor a net that runs one`, {
    code: "pass what models.create returns, or the graph of models.graphOf",
  });
}

/**
 * Pixels between neighbouring values of the coarsest features: the least common multiple of all strides on both axes.
 */
export function coarsestStride(net: GraphOrNet): number {
  return [...stridesOf(graphIn("coarsestStride", net)).values()].reduce(lcm);
}

/** Pixels between neighbouring values of each node: the least common multiple of both axes. */
export const stridesOf = (graph: Graph): ReadonlyMap<string, number> =>
  foldGraph(graph, 1, ({ layer }, inputs) => lcm(...onBothAxes((axis) => strideOf(layer, axis, inputs))));

/** Whole pixels between neighbouring values of a layer, given those of its inputs. */
function strideOf(layer: Layer, axis: Axis, inputs: readonly number[]): number {
  const source = Math.max(...inputs);
  const map = kindOf(layer).map(layer, axis, 1);
  return map === "reference"
    ? (inputs[1] ?? source)
    : Math.max(1, Math.floor((source * map.scale.den) / map.scale.num));
}

/**
 * How far [vertically, horizontally] the main head looks: a pixel's scores depend on no pixel further away than this.
 * Infinity for nets that normalise or average over the whole image.
 */
export function reachOf(net: GraphOrNet): [number, number] {
  const graph = graphIn("reachOf", net);
  if (graph.nodes.some(({ layer }) => kindOf(layer).isGlobal)) return [Infinity, Infinity];
  return [reachAlong(graph, 0), reachAlong(graph, 1)];
}

function reachAlong(graph: Graph, axis: Axis): number {
  const stride = coarsestStride(graph);
  // The image grows until its middle pixels no longer see its borders.
  for (let size = 16 * stride; ; size *= 2) {
    const intervals = intervalsAt(graph, axis, size);
    const middle = Math.floor(size / 2 / stride) * stride;
    let reach = 0;
    for (let x = middle; x < middle + stride; x++) {
      const [low, high] = intervals[x]!;
      reach = Math.max(reach, x - low, high - x);
    }
    if (reach < middle - stride) return reach;
    if (size > 2 ** 16) return Infinity;
  }
}

function intervalsAt(graph: Graph, axis: Axis, size: number): Intervals {
  const sizes = sizesAlong(graph, axis, size);
  const offsets = cropOffsets(graph, [size, size]);
  const image = along(size, (x) => [x, x]);
  const known = foldGraph(graph, image, ({ name, layer }, inputs) => {
    const [source, to] = [inputs[0]!, sizes.get(name) as number];
    const taps = kindOf(layer).taps?.(layer, { axis, from: source.length, to, offset: offsets.get(name)?.[axis] ?? 0 });
    return taps ? throughTaps(source, to, taps) : union(inputs, to);
  });
  return known.get(mainHead(graph)) as Intervals;
}

const along = (size: number, at: (x: number) => Intervals[number]): Intervals =>
  Array.from({ length: size }, (_, x) => at(x));

const union = (inputs: readonly Intervals[], size: number): Intervals =>
  along(size, (x) => [Math.min(...inputs.map((own) => own[x]![0])), Math.max(...inputs.map((own) => own[x]![1]))]);

/** Places that a tap reads in the padding count as the border's. */
function throughTaps(source: Intervals, size: number, taps: Taps): Intervals {
  const inside = (x: number): Intervals[number] => source[Math.min(Math.max(x, 0), source.length - 1)]!;
  return along(size, (x) => {
    const [first, last] = taps(x);
    return [inside(first)[0], inside(last)[1]];
  });
}
