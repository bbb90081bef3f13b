import { TensorError } from "@fcn/tensor";
import { add, div, equals, format, mul, neg, type Rational, rational, sub } from "../plane/rational.js";
import { sizesAlong } from "./sizes.js";
import { type Axis, type Graph, type Layer, type Node, paddingAlong, windowAlong } from "../spec.js";

export type { Rational } from "../plane/rational.js";
export type { Axis } from "../spec.js";

/**
 * Where the pixels of a layer lie in the image: input coordinate x falls on layer coordinate `scale * x + shift`, along one axis.
 * Exact fractions. Source: Caffe's `coord_map.py`.
 */
export interface CoordinateMap {
  readonly scale: Rational;
  readonly shift: Rational;
}

export const identityMap: CoordinateMap = { scale: rational(1), shift: rational(0) };

const mapOf = (scale: Rational, shift: Rational): CoordinateMap => ({ scale, shift });

/** First `inner`, then `outer`. */
export function composeMaps(outer: CoordinateMap, inner: CoordinateMap): CoordinateMap {
  return mapOf(mul(outer.scale, inner.scale), add(mul(outer.scale, inner.shift), outer.shift));
}

export function inverseMap(map: CoordinateMap): CoordinateMap {
  return mapOf(div(rational(1), map.scale), neg(div(map.shift, map.scale)));
}

export const mapsEqual = (a: CoordinateMap, b: CoordinateMap): boolean =>
  equals(a.scale, b.scale) && equals(a.shift, b.shift);

/** `1/32 x - 25/64` */
export function formatMap(map: CoordinateMap): string {
  const shift = map.shift.num < 0 ? `- ${format(neg(map.shift))}` : `+ ${format(map.shift)}`;
  return `${format(map.scale)} x ${shift}`;
}

/**
 * The map of one layer from its first input to its output, before any crop: a window of extent e = dilation (kernel - 1) + 1 has
 * scale 1/stride and shift (padding - (e - 1)/2) / stride, where the padding is that before the first pixel; its transpose is the inverse
 * of that. `size` is the size of the input, which only the padding "same" needs.
 */
export function layerMap(layer: Layer, axis: Axis, size?: number): CoordinateMap {
  switch (layer.kind) {
    case "conv":
    case "maxPool":
    case "avgPool":
      return windowMap(windowAlong(layer, axis), paddingAlong(layer, axis, size)[0]);
    case "convTranspose":
      return inverseMap(windowMap(windowAlong(layer, axis), paddingAlong(layer, axis)[0]));
    case "pad":
      return mapOf(rational(1), rational(paddingAlong(layer, axis)[0]));
    case "resize":
      // Pixel areas coincide: y + 1/2 = factor (x + 1/2).
      return "scaleFactor" in layer
        ? mapOf(rational(layer.scaleFactor), rational(layer.scaleFactor - 1, 2))
        : identityMap;
    default:
      return identityMap;
  }
}

function windowMap(w: { kernel: number; stride: number; dilation: number }, before: number): CoordinateMap {
  return mapOf(rational(1, w.stride), rational(2 * before - w.dilation * (w.kernel - 1), 2 * w.stride));
}

/**
 * The offset at which `source` must be cut so that its pixels fall on those of `reference`. Needs the same scale in both and
 * an integer offset of at least 0.
 */
export function cropOffset(source: CoordinateMap, reference: CoordinateMap, where: string): number {
  const scale = div(source.scale, reference.scale);
  const offset = sub(source.shift, reference.shift);
  if (!equals(scale, rational(1))) {
    throw cropError(where, `the scale is ${format(scale)}, but it must be 1`, "upsample by the factor that is missing");
  }
  if (offset.den !== 1) {
    const remedy = "change a kernel size by one or a padding so that the centres meet";
    throw cropError(where, `the offset is ${format(offset)}, but it must be an integer`, remedy);
  }
  if (offset.num < 0) {
    const remedy = `raise the padding of the first convolution by at least ${-offset.num}, or lower that of the upsampling`;
    throw cropError(where, `the offset is ${offset.num}, but it must not be negative`, remedy);
  }
  return offset.num;
}

function cropError(where: string, problem: string, fix: string): TensorError {
  return new TensorError({ code: "invalid-argument", message: `crop ${where}: ${problem}`, fix });
}

/**
 * The coordinate map of every node from the graph's input, along one axis. `size` is that of the image, needed where a layer has the
 * padding "same".
 */
export function coordinateMaps(graph: Graph, axis: Axis, size?: number): Map<string, CoordinateMap> {
  const maps = new Map<string, CoordinateMap>();
  const sizes = size === undefined ? undefined : sizesAlong(graph, axis, size);
  for (const node of graph.nodes) {
    maps.set(node.name, nodeMap(node, maps, axis, sizes?.get(node.inputs[0] ?? "")));
  }
  return maps;
}

function nodeMap(node: Node, maps: ReadonlyMap<string, CoordinateMap>, axis: Axis, size?: number): CoordinateMap {
  const inputs = node.inputs.map((name) => mapNamed(maps, name, node.name));
  const [first, second] = inputs;
  if (first === undefined) return identityMap;
  if (node.layer.kind === "crop" && second !== undefined) return croppedMap(node, first, second);
  if (node.layer.kind === "resize" && second !== undefined) return second;
  const stray = inputs.findIndex((map) => !mapsEqual(map, first));
  if (stray > 0) {
    throw new TensorError({
      code: "invalid-argument",
      message: `${node.layer.kind} ${node.name}: its inputs lie at different places of the image: ${node.inputs[0]} at ${formatMap(first)}, ${node.inputs[stray]} at ${formatMap(inputs[stray] ?? first)}`,
      fix: "crop or resize one to the other first",
    });
  }
  return composeMaps(layerMap(node.layer, axis, size), first);
}

function croppedMap(node: Node, source: CoordinateMap, reference: CoordinateMap): CoordinateMap {
  if (node.layer.kind === "crop" && node.layer.align === "topLeft") return source;
  const offset = cropOffset(source, reference, node.name);
  return mapOf(source.scale, sub(source.shift, rational(offset)));
}

function mapNamed(maps: ReadonlyMap<string, CoordinateMap>, name: string, wantedBy: string): CoordinateMap {
  const map = maps.get(name);
  if (map === undefined) {
    throw new TensorError({
      code: "invalid-argument",
      message: `graph: ${wantedBy} takes its input from ${name}, which no earlier node is called`,
      fix: "list the nodes so that each comes after its inputs",
    });
  }
  return map;
}

/**
 * Offsets [top, left] of every crop in a graph, by node name. Throws where no valid offset exists. `image` is [height, width], needed
 * where a layer has the padding "same".
 */
export function cropOffsets(graph: Graph, image?: readonly [number, number]): Map<string, readonly [number, number]> {
  const offsets = new Map<string, readonly [number, number]>();
  const vertical = coordinateMaps(graph, 0, image?.[0]);
  const horizontal = coordinateMaps(graph, 1, image?.[1]);
  for (const node of graph.nodes) {
    if (node.layer.kind !== "crop") continue;
    offsets.set(node.name, [offsetOf(node, vertical), offsetOf(node, horizontal)]);
  }
  return offsets;
}

function offsetOf(node: Node, maps: ReadonlyMap<string, CoordinateMap>): number {
  if (node.layer.kind === "crop" && node.layer.align === "topLeft") return 0;
  const source = mapNamed(maps, node.inputs[0] ?? "", node.name);
  return cropOffset(source, mapNamed(maps, node.inputs[1] ?? "", node.name), node.name);
}
