import { TensorError } from "@fcn/tensor";
import { cropOffsets } from "./coordinates.js";
import { lcm } from "./rational.js";
import { sizesAlong } from "./sizes.js";
import { type Axis, along, type Graph, type Layer, mainHead, type Node, paddingAlong, windowAlong } from "./spec.js";

/** For each place along an axis, the first and the last pixel of the image that its value depends on. */
interface Intervals {
  readonly low: Float64Array;
  readonly high: Float64Array;
}

/** Layers whose every value depends on the whole picture. */
const GLOBAL: ReadonlySet<Layer["kind"]> = new Set(["groupNorm"]);

/** A graph, or a net that runs one. */
export type GraphOrNet = Graph | { readonly graph: Graph };

function graphIn(op: string, given: GraphOrNet): Graph {
  const graph = (given as { readonly graph?: Graph } | undefined)?.graph ?? (given as Graph | undefined);
  if (graph && Array.isArray(graph.nodes)) return graph;
  throw new TensorError({
    code: "invalid-argument",
    message: `${op}: got neither a graph nor a net that runs one`,
    fix: { code: "pass what models.create answers, or the graph of models.graphOf" },
  });
}

/** Pixels from one value of the coarsest features to the next: the least common multiple along any path, over both axes. */
export function coarsestStride(net: GraphOrNet): number {
  const graph = graphIn("coarsestStride", net);
  const strides = new Map<string, number>();
  let coarsest = 1;
  for (const { name, layer, inputs } of graph.nodes) {
    const source = Math.max(1, ...inputs.map((input) => strides.get(input) ?? 1));
    const steps = ([0, 1] as const).map((axis) => strideFactor(layer, axis, source));
    const stride = Math.max(1, lcm(...(steps as [number, number])));
    strides.set(name, stride);
    coarsest = lcm(coarsest, stride);
  }
  return coarsest;
}

function strideFactor(layer: Layer, axis: Axis, source: number): number {
  switch (layer.kind) {
    case "conv":
    case "maxPool":
    case "avgPool":
      return source * windowAlong(layer, axis).stride;
    case "convTranspose":
      return Math.max(1, Math.floor(source / along(layer.stride, axis, 1)));
    case "resize":
      return "scaleFactor" in layer ? Math.max(1, Math.floor(source / layer.scaleFactor)) : 1;
    default:
      return source;
  }
}

/**
 * How far [vertically, horizontally] a value of the main head looks: a pixel depends on no other pixel that is further away. Infinity for
 * nets that normalise over the whole picture.
 */
export function reachOf(net: GraphOrNet): [number, number] {
  const graph = graphIn("reachOf", net);
  if (graph.nodes.some(({ layer }) => GLOBAL.has(layer.kind))) return [Infinity, Infinity];
  return [reachAlong(graph, 0), reachAlong(graph, 1)];
}

function reachAlong(graph: Graph, axis: Axis): number {
  const stride = coarsestStride(graph);
  // The picture grows until the pixels of its middle no longer see its borders.
  for (let size = 16 * stride; ; size *= 2) {
    const { low, high } = intervalsAt(graph, axis, size);
    const middle = Math.floor(size / 2 / stride) * stride;
    let reach = 0;
    for (let x = middle; x < middle + stride; x++) reach = Math.max(reach, x - low[x]!, high[x]! - x);
    if (reach < middle - stride) return reach;
    if (size > 2 ** 16) return Infinity;
  }
}

function intervalsAt(graph: Graph, axis: Axis, size: number): Intervals {
  const sizes = sizesAlong(graph, axis, size);
  const offsets = cropOffsets(graph, [size, size]);
  const known = new Map<string, Intervals>();
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => known.get(name) as Intervals);
    const from = sizes.get(node.inputs[0] ?? "") ?? size;
    const to = sizes.get(node.name) ?? size;
    known.set(node.name, intervalsOf(node, inputs, { axis, from, to, offset: offsets.get(node.name)?.[axis] ?? 0 }));
  }
  return known.get(mainHead(graph)) as Intervals;
}

interface Place {
  readonly axis: Axis;
  /** Sizes of the first input and of the output. */
  readonly from: number;
  readonly to: number;
  readonly offset: number;
}

function intervalsOf({ layer, inputs: names }: Node, inputs: readonly Intervals[], place: Place): Intervals {
  const { to } = place;
  if (names.length === 0) return build(to, (x) => [x, x]);
  const taps = tapsOf(layer, place);
  if (taps) return throughTaps(inputs[0] as Intervals, place, taps);
  return build(to, (x) => [
    Math.min(...inputs.map(({ low }) => low[x]!)),
    Math.max(...inputs.map(({ high }) => high[x]!)),
  ]);
}

function build(size: number, at: (x: number) => readonly [number, number]): Intervals {
  const intervals = { low: new Float64Array(size), high: new Float64Array(size) };
  for (let x = 0; x < size; x++) [intervals.low[x], intervals.high[x]] = at(x) as [number, number];
  return intervals;
}

/** Places of the input from the first to the last that an output place reads; they may lie in the padding. */
type Taps = (x: number) => readonly [first: number, last: number];

function throughTaps({ low, high }: Intervals, { from, to }: Place, taps: Taps): Intervals {
  const inside = (x: number): number => Math.min(Math.max(x, 0), from - 1);
  return build(to, (x) => {
    const [first, last] = taps(x);
    return [low[inside(first)]!, high[inside(last)]!];
  });
}

/** Undefined for layers that read, at each place, the same place of all their inputs. */
function tapsOf(layer: Layer, { axis, from, to, offset }: Place): Taps | undefined {
  switch (layer.kind) {
    case "conv":
    case "maxPool":
    case "avgPool": {
      const { kernel, stride, dilation } = windowAlong(layer, axis);
      const [before] = paddingAlong(layer, axis, from);
      return (x) => [x * stride - before, x * stride - before + dilation * (kernel - 1)];
    }
    case "convTranspose": {
      const { kernel, stride, dilation } = windowAlong(layer, axis);
      const padding = along(layer.padding, axis, 0);
      const extent = dilation * (kernel - 1);
      return (x) => [Math.ceil((x + padding - extent) / stride), Math.floor((x + padding) / stride)];
    }
    case "resize":
      return resizeTaps(layer, from, to);
    case "crop":
      return (x) => [x + offset, x + offset];
    case "pad": {
      const [before] = paddingAlong(layer, axis);
      return (x) => [x - before, x - before];
    }
    default:
      return undefined;
  }
}

function resizeTaps(layer: Extract<Layer, { kind: "resize" }>, from: number, to: number): Taps {
  if (from === to) return (x) => [x, x];
  const scale = from / to;
  if (layer.mode === "nearest") return (x) => [Math.floor(x * scale), Math.floor(x * scale)];
  const corners = "alignCorners" in layer && layer.alignCorners === true;
  return (x) => {
    const at = corners ? (x * (from - 1)) / Math.max(1, to - 1) : Math.max(0, (x + 0.5) * scale - 0.5);
    return [Math.floor(at), Math.ceil(at)];
  };
}
