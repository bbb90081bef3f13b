import { TensorError } from "@fcn/tensor";
import { cropOffsets } from "./coordinates.js";
import { outputSize } from "./sizes.js";
import { along, type Graph, type Layer, type Node, padsSame, windowAlong } from "../spec.js";

/** [channels, height, width] */
export type FeatureShape = readonly [number, number, number];
export type Plane = readonly [number, number];

/** What an image of one size becomes in a graph. */
export interface Geometry {
  /** Shape [C, H, W] of every node. */
  readonly shapes: ReadonlyMap<string, FeatureShape>;
  /** [top, left] of every crop. */
  readonly offsets: ReadonlyMap<string, Plane>;
}

/** Channels of every node. Sizes play no part in them. */
export function inferChannels(graph: Graph): Map<string, number> {
  const channels = new Map<string, number>();
  for (const node of graph.nodes) channels.set(node.name, channelsOf(node, channels));
  return channels;
}

function channelsOf(node: Node, known: ReadonlyMap<string, number>): number {
  const { layer } = node;
  const inputs = node.inputs.map((name) => known.get(name) ?? 0);
  const [first = 0] = inputs;
  switch (layer.kind) {
    case "input":
      return layer.channels;
    case "conv":
    case "convTranspose":
      return layer.outChannels;
    case "concat":
      return inputs.reduce((sum, channels) => sum + channels, 0);
    case "slice":
      if (layer.start >= 0 && layer.start < layer.end && layer.end <= first) return layer.end - layer.start;
      throw badChannels(
        node,
        `channels ${layer.start} to ${layer.end - 1} of an input that has ${first}`,
        "choose 0 <= start < end <= channels",
      );
    case "add":
    case "max":
      if (inputs.every((channels) => channels === first)) return first;
      throw badChannels(
        node,
        `its inputs have ${inputs.join(" and ")} channels, but must have the same number`,
        "put a 1x1 convolution before it",
      );
    default:
      return first;
  }
}

function badChannels(node: Node, problem: string, fix: string): TensorError {
  return new TensorError({
    code: "invalid-argument",
    message: `${node.layer.kind} ${node.name}: ${problem}`,
    fix,
  });
}

/**
 * A function from the size of the image to the geometry of the graph. Throws where a crop has no valid offset; the function throws where a
 * window no longer fits, where a sum meets two sizes, or where a crop reaches beyond its source.
 */
export function geometryOf(graph: Graph): (height: number, width: number) => Geometry {
  const channels = inferChannels(graph);
  // Offsets depend on the size of the image only through the padding "same".
  const fixed = graph.nodes.some(({ layer }) => padsSame(layer)) ? undefined : cropOffsets(graph);
  return (height, width) => {
    const offsets = fixed ?? cropOffsets(graph, [height, width]);
    const shapes = new Map<string, FeatureShape>();
    for (const node of graph.nodes) {
      const inputs = node.inputs.map((name) => shapes.get(name) ?? ([0, 0, 0] as const));
      const [h, w] =
        node.layer.kind === "input" ? [height, width] : planeOf(node, inputs, offsets.get(node.name), [height, width]);
      shapes.set(node.name, [channels.get(node.name) ?? 0, h, w]);
    }
    return { shapes, offsets };
  };
}

/** Shape [C, H, W] of every node for an image of `height` x `width`. Throws as `geometryOf` does. */
export function inferShapes(graph: Graph, height: number, width: number): ReadonlyMap<string, FeatureShape> {
  return geometryOf(graph)(height, width).shapes;
}

/** Layers whose second input gives the size only. */
const TAKES_REFERENCE: ReadonlySet<Layer["kind"]> = new Set(["crop", "resize"]);

function planeOf(node: Node, inputs: readonly FeatureShape[], offset: Plane | undefined, image: Plane): Plane {
  const [source, reference] = inputs;
  if (source === undefined) return image;
  const [, h, w] = source;
  if (reference !== undefined && offset !== undefined) checkCrop(node, source, reference, offset, image);
  if (!TAKES_REFERENCE.has(node.layer.kind) && inputs.some((s) => s[1] !== h || s[2] !== w)) {
    const sizes = inputs.map((s) => `${s[1]}x${s[2]}`).join(" and ");
    throw tooSmall(node, image, `its inputs measure ${sizes}, but must agree`, "crop one to the other first");
  }
  const size = ([0, 1] as const).map((axis) =>
    outputSize(
      node.layer,
      axis,
      inputs.map((s) => s[axis + 1] as number),
    ),
  );
  const [height = 0, width = 0] = size;
  if (height < 1 || width < 1) {
    const problem = `its output from ${h}x${w} would be ${height}x${width}`;
    throw tooSmall(node, image, problem, "use a larger image or more padding");
  }
  return [height, width];
}

function checkCrop(node: Node, source: FeatureShape, reference: FeatureShape, offset: Plane, image: Plane): void {
  if (offset[0] + reference[1] <= source[1] && offset[1] + reference[2] <= source[2]) return;
  const problem = `${reference[1]}x${reference[2]} at offset ${offset[0]},${offset[1]} does not fit into ${source[1]}x${source[2]}`;
  throw tooSmall(node, image, problem, "use a larger image, or more padding in the first convolution");
}

function tooSmall(node: Node, image: Plane, problem: string, fix: string): TensorError {
  return new TensorError({
    code: "invalid-shape",
    message: `${node.layer.kind} ${node.name}, image ${image[0]}x${image[1]}: ${problem}`,
    fix,
  });
}

/** One row of `describeGraph`. */
export interface NodeSummary {
  readonly name: string;
  readonly kind: Layer["kind"];
  readonly inputs: readonly string[];
  readonly shape: FeatureShape;
  /** Pixels of the image that one output value can see, vertically. */
  readonly receptiveField: number;
  readonly cropOffset?: Plane;
}

/** Every node with its shape for an image of the given size, its receptive field and, for a crop, its offset. */
export function describeGraph(graph: Graph, height: number, width: number): NodeSummary[] {
  const { shapes, offsets } = geometryOf(graph)(height, width);
  const fields = receptiveFields(graph);
  return graph.nodes.map((node) => {
    const offset = offsets.get(node.name);
    return {
      name: node.name,
      kind: node.layer.kind,
      inputs: node.inputs,
      shape: shapes.get(node.name) ?? [0, 0, 0],
      receptiveField: fields.get(node.name)?.field ?? 1,
      ...(offset === undefined ? {} : { cropOffset: offset }),
    };
  });
}

/** Pixels that one value sees, and pixels from one value to the next. */
interface Field {
  readonly field: number;
  readonly stride: number;
}

/** Section 3.1 of the paper: a kernel k' after a kernel k of stride s makes k + (k' - 1) s at stride s s'. */
function receptiveFields(graph: Graph): Map<string, Field> {
  const fields = new Map<string, Field>();
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => fields.get(name) ?? { field: 1, stride: 1 });
    fields.set(node.name, fieldOf(node.layer, inputs));
  }
  return fields;
}

function fieldOf(layer: Layer, inputs: readonly Field[]): Field {
  const [source = { field: 1, stride: 1 }, reference = source] = inputs;
  const { field, stride } = source;
  switch (layer.kind) {
    case "conv":
    case "maxPool":
    case "avgPool": {
      const w = windowAlong(layer, 0);
      return { field: field + w.dilation * (w.kernel - 1) * stride, stride: stride * w.stride };
    }
    case "convTranspose": {
      const step = along(layer.stride, 0, 1);
      const taps = Math.ceil(along(layer.kernelSize, 0, 1) / step);
      return { field: field + (taps - 1) * stride, stride: stride / step };
    }
    case "resize": {
      const taps = layer.mode === "bilinear" ? 2 : 1;
      const grown = "scaleFactor" in layer ? stride / layer.scaleFactor : reference.stride;
      return { field: field + (taps - 1) * stride, stride: grown };
    }
    case "crop":
      return source;
    default:
      return { field: Math.max(1, ...inputs.map((input) => input.field)), stride };
  }
}
