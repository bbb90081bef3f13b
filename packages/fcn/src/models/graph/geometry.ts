import { TensorError } from "@fcn/tensor";
import { cropOffsets } from "../../coordinates.js";
import { type Axis, along, type Graph, type Layer, type Node, type Window, windowAlong } from "./spec.js";

/** [channels, height, width] */
export type FeatureShape = readonly [number, number, number];

/** Cells of a window that fits into `size`. Ceil mode drops a last window that would start in the padding, as PyTorch and Caffe do. */
function windowCells(layer: Window & { ceilMode?: boolean }, size: number, axis: Axis): number {
  const { kernel, stride, padding, dilation } = windowAlong(layer, axis);
  const room = size + 2 * padding - dilation * (kernel - 1) - 1;
  if (layer.ceilMode !== true) return Math.floor(room / stride) + 1;
  const cells = Math.ceil(room / stride) + 1;
  return (cells - 1) * stride >= size + padding ? cells - 1 : cells;
}

/** Size of a layer's output along one axis; below 1 where the input is too small. */
export function outputSize(layer: Layer, size: number, axis: Axis): number {
  switch (layer.kind) {
    case "conv":
    case "maxPool":
      return windowCells(layer, size, axis);
    case "convTranspose": {
      const { kernel, stride, padding, dilation } = windowAlong(layer, axis);
      return (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + 1;
    }
    default:
      return size;
  }
}

/** Channels of every node. Sizes play no part in them. */
export function inferChannels(graph: Graph): Map<string, number> {
  const channels = new Map<string, number>();
  for (const node of graph.nodes) channels.set(node.name, channelsOf(node, channels));
  return channels;
}

function channelsOf(node: Node, known: ReadonlyMap<string, number>): number {
  const { layer } = node;
  if (layer.kind === "input") return layer.channels;
  if (layer.kind === "conv" || layer.kind === "convTranspose") return layer.outChannels;
  const inputs = node.inputs.map((name) => known.get(name) ?? 0);
  if (layer.kind === "add" && inputs.some((c) => c !== inputs[0])) {
    throw new TensorError({
      code: "invalid-argument",
      message: `add ${node.name}: its inputs have ${inputs.join(" and ")} channels, but a sum needs the same number`,
      fix: "put a 1x1 convolution before the sum",
    });
  }
  return inputs[0] ?? 0;
}

/**
 * Shape [C, H, W] of every node for an image of `height` x `width`. Throws where a window no longer fits, where a sum meets two
 * sizes, or where a crop reaches beyond its source.
 */
export function inferShapes(graph: Graph, height: number, width: number): Map<string, FeatureShape> {
  const channels = inferChannels(graph);
  const offsets = cropOffsets(graph);
  const shapes = new Map<string, FeatureShape>();
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => shapes.get(name) ?? ([0, 0, 0] as const));
    const [h, w] =
      node.layer.kind === "input" ? [height, width] : planeOf(node, inputs, offsets.get(node.name), [height, width]);
    shapes.set(node.name, [channels.get(node.name) ?? 0, h, w]);
  }
  return shapes;
}

type Plane = readonly [number, number];

function planeOf(node: Node, inputs: readonly FeatureShape[], offset: Plane | undefined, image: Plane): Plane {
  const [source, reference] = inputs;
  if (source === undefined) return image;
  const [, h, w] = source;
  if (node.layer.kind === "crop" && reference !== undefined && offset !== undefined) {
    checkCrop(node, source, reference, offset, image);
    return [reference[1], reference[2]];
  }
  if (inputs.some((s) => s[1] !== h || s[2] !== w)) {
    const sizes = inputs.map((s) => `${s[1]}x${s[2]}`).join(" and ");
    throw tooSmall(node, image, `its inputs measure ${sizes}, but must agree`, "crop one to the other first");
  }
  const size = [outputSize(node.layer, h, 0), outputSize(node.layer, w, 1)] as const;
  if (size[0] < 1 || size[1] < 1) {
    throw tooSmall(
      node,
      image,
      `its output from ${h}x${w} would be ${size.join("x")}`,
      "use a larger image or more padding",
    );
  }
  return size;
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
  const shapes = inferShapes(graph, height, width);
  const offsets = cropOffsets(graph);
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

/** Section 3.1 of the paper: a kernel k' after a kernel k of stride s makes k + (k' - 1) s at stride s s'. */
function receptiveFields(graph: Graph): Map<string, { field: number; stride: number }> {
  const fields = new Map<string, { field: number; stride: number }>();
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => fields.get(name) ?? { field: 1, stride: 1 });
    const field = Math.max(1, ...inputs.map((input) => input.field));
    const stride = inputs[0]?.stride ?? 1;
    fields.set(node.name, grow(node.layer, field, stride));
  }
  return fields;
}

function grow(layer: Layer, field: number, stride: number): { field: number; stride: number } {
  if (layer.kind === "conv" || layer.kind === "maxPool") {
    const w = windowAlong(layer, 0);
    return { field: field + w.dilation * (w.kernel - 1) * stride, stride: stride * w.stride };
  }
  if (layer.kind !== "convTranspose") return { field, stride };
  const step = along(layer.stride, 0, 1);
  const taps = Math.ceil(along(layer.kernelSize, 0, 1) / step);
  return { field: field + (taps - 1) * stride, stride: stride / step };
}
