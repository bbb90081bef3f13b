import { TensorError } from "@fcn/tensor";
import { kindOf } from "../kinds/index.js";
import { type Axis, onBothAxes, padsSame } from "../plane/window.js";
import { foldGraph, type Graph, type Node } from "../spec.js";
import { inferChannels } from "./channels.js";
import { cropOffsets } from "./coordinates.js";
import { outputSize } from "./sizes.js";

/** [channels, height, width] */
export type FeatureShape = readonly [number, number, number];
/** [height, width] or [top, left], in pixels. */
export type Plane = readonly [number, number];

/** What an image of one size becomes in a graph. */
export interface Geometry {
  /** Shape [C, H, W] of every node. */
  readonly shapes: ReadonlyMap<string, FeatureShape>;
  /** [top, left] of every crop. */
  readonly offsets: ReadonlyMap<string, Plane>;
}

/**
 * Returns a function from an image's size to the geometry of the graph. Throws `invalid-argument` if a crop has no
 * valid offset. The returned function throws if a window does not fit, a sum meets two sizes, or a crop exceeds its
 * source.
 */
export function geometryOf(graph: Graph): (height: number, width: number) => Geometry {
  const channels = inferChannels(graph);
  // Offsets depend on the image's size only through padding "same".
  const fixed = graph.nodes.some(({ layer }) => padsSame(layer)) ? undefined : cropOffsets(graph);
  return (height, width) => {
    const image: Plane = [height, width];
    const offsets = fixed ?? cropOffsets(graph, image);
    const shapeOf = (node: Node, inputs: readonly FeatureShape[]): FeatureShape => [
      channels.get(node.name) as number,
      ...planeOf(node, inputs, offsets.get(node.name), image),
    ];
    return { shapes: foldGraph(graph, [0, height, width], shapeOf), offsets };
  };
}

/** Shape [C, H, W] of every node for an image of `height` x `width`. Throws as `geometryOf` does. */
export function inferShapes(graph: Graph, height: number, width: number): ReadonlyMap<string, FeatureShape> {
  return geometryOf(graph)(height, width).shapes;
}

function planeOf(node: Node, inputs: readonly FeatureShape[], offset: Plane | undefined, image: Plane): Plane {
  const { layer } = node;
  const [[, h, w] = [0, 0, 0], reference] = inputs;
  if (reference !== undefined && offset !== undefined) checkCrop(node, [h, w], reference, offset, image);
  checkOthers(node, inputs, image);
  const sizesAlong = (axis: Axis): number[] => inputs.map((shape) => shape[axis + 1] as number);
  const [height, width] = onBothAxes((axis) => outputSize(layer, axis, sizesAlong(axis)));
  if (height < 1 || width < 1) {
    const problem = `its output from ${h}x${w} would be ${height}x${width}`;
    throw tooSmall(node, image, problem, "use a larger image or more padding");
  }
  return [height, width];
}

/** What is asked of the sizes of further inputs, and how to bring them to it. */
const OTHERS = {
  alongside: ["must agree", "crop one to the other first"],
  everywhere: ["the second must be 1x1", "average it over the image first: a layer of the kind globalPool"],
} as const;

/** Throws unless the inputs after the first measure what the layer takes. A reference may have any size. */
function checkOthers(node: Node, inputs: readonly FeatureShape[], image: Plane): void {
  const { others } = kindOf(node.layer);
  const [[, h, w] = [0, 0, 0], ...rest] = inputs;
  const wanted = others === "everywhere" ? [1, 1] : [h, w];
  if (others === "reference" || rest.every((s) => s[1] === wanted[0] && s[2] === wanted[1])) return;
  const sizes = inputs.map((s) => `${s[1]}x${s[2]}`).join(" and ");
  const [must, fix] = OTHERS[others];
  throw tooSmall(node, image, `its inputs measure ${sizes}, but ${must}`, fix);
}

function checkCrop(node: Node, [h, w]: Plane, reference: FeatureShape, [top, left]: Plane, image: Plane): void {
  const [, height, width] = reference;
  if (top + height <= h && left + width <= w) return;
  const problem = `${height}x${width} at offset ${top},${left} does not fit into ${h}x${w}`;
  throw tooSmall(node, image, problem, "use a larger image, or more padding in the first convolution");
}

function tooSmall(node: Node, image: Plane, problem: string, fix: string): TensorError {
  return new TensorError({
    code: "invalid-shape",
    message: `${node.layer.kind} ${node.name}, image ${image[0]}x${image[1]}: ${problem}`,
    fix,
  });
}
