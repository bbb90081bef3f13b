import { TensorError } from "@fcn/tensor";
import { lcm } from "../plane/rational.js";
import { AXES, type Axis, onBothAxes } from "../plane/window.js";
import { type Graph, inputNode, mainHead } from "../spec.js";
import { coordinateMaps } from "./coordinates.js";
import { coarsestStride } from "./reach.js";
import { type Geometry, geometryOf, inferShapes, type Plane } from "./shapes.js";
import { sizesAlong } from "./sizes.js";

/** How an image is padded with zeros for a net, and where its pixels then lie in the outputs. */
export interface Fit {
  /** Zeros before and after the image, vertically and horizontally. */
  readonly padding: readonly [readonly [before: number, after: number], readonly [before: number, after: number]];
  /** Position [top, left] of the image in each head's output, in the order of the heads. */
  readonly offsets: readonly Plane[];
}

/** A head of a graph; undefined is the main one. */
type Head = string | undefined;

/** A net that needs more strides of padding than this was not made for such images. */
const MOST_STRIDES = 64;

/**
 * How images of any size go through a graph so that each head scores every pixel. If the output has the size of the
 * input, the image stays as it is. A net that needs multiples of its stride, such as that of the d2l chapter, gets
 * zeros below and on the right. If an output is larger, the coordinate maps give the part that lies on the image. The
 * sides of the input are also multiples of `multiple`.
 *
 * Throws `invalid-shape` if a head's output lies on a coarser or finer grid than the image, or between its pixels.
 */
export function fitOf(
  graph: Graph,
  heads: readonly Head[],
  multiple = 1,
): (height: number, width: number, op: string) => Fit {
  const geometry = geometryOf(graph);
  const nodes = heads.map((head) => (head === undefined ? mainHead(graph) : (graph.outputs[head] ?? mainHead(graph))));
  const stride = lcm(coarsestStride(graph), multiple);
  const find = (height: number, width: number, op: string): Fit => {
    const image = [height, width] as const;
    const filled = (to: number): Plane => [roundUp(height, to), roundUp(width, to)];
    let found: Geometry | unknown;
    for (const plane of [filled(multiple), filled(stride)]) {
      try {
        found = geometry(...plane);
      } catch (error) {
        // The error for the unpadded image says most.
        found ??= error;
        continue;
      }
      const { shapes } = found as Geometry;
      const isSame = nodes.every((node) => AXES.every((axis) => shapes.get(node)?.[axis + 1] === plane[axis]));
      if (!isSame) continue;
      return { padding: onBothAxes((axis) => [0, plane[axis] - image[axis]]), offsets: nodes.map(() => [0, 0]) };
    }
    if (found instanceof Error) throw found;
    const [down, across] = onBothAxes((axis) => fitAlong(graph, nodes, { axis, size: image[axis], multiple, stride }));
    if (!down || !across) throw misfit(op, graph, nodes, filled(stride));
    return {
      padding: [down.padding, across.padding],
      offsets: nodes.map((_, i) => [down.offsets[i] as number, across.offsets[i] as number]),
    };
  };
  const known = new Map<string, Fit>();
  return (height, width, op) => {
    const key = `${height}x${width}`;
    const fit = known.get(key) ?? find(height, width, op);
    known.set(key, fit);
    return fit;
  };
}

const roundUp = (size: number, multiple: number): number => Math.ceil(size / multiple) * multiple;

interface AxisFit {
  readonly padding: readonly [number, number];
  readonly offsets: readonly number[];
}

interface Along {
  readonly axis: Axis;
  readonly size: number;
  readonly multiple: number;
  readonly stride: number;
}

/** The padding and offsets along one axis, or undefined if the heads' pixels do not fall on the image's. */
function fitAlong(
  graph: Graph,
  nodes: readonly string[],
  { axis, size, multiple, stride }: Along,
): AxisFit | undefined {
  const shiftsAt = (input: number): number[] | undefined => {
    const maps = coordinateMaps(graph, axis, input);
    const own = nodes.map((node) => maps.get(node));
    const isOn = own.every((map) => map?.scale.num === 1 && map.scale.den === 1 && map.shift.den === 1);
    return isOn ? own.map((map) => map?.shift.num ?? 0) : undefined;
  };
  const before = Math.max(0, ...(shiftsAt(size) ?? [0]).map((shift) => -shift));
  const least = roundUp(before + size, multiple);
  for (let input = least; input <= least + MOST_STRIDES * stride; input += multiple) {
    const shifts = shiftsAt(input);
    if (shifts === undefined) return undefined;
    const sizes = sizesAlong(graph, axis, input);
    const offsets = shifts.map((shift) => before + shift);
    const isWhole = nodes.every((node, i) => offsets[i]! >= 0 && offsets[i]! + size <= (sizes.get(node) ?? 0));
    if (isWhole) return { padding: [before, input - before - size], offsets };
  }
  return undefined;
}

/** `plane` is the image, filled up to multiples of the net's stride. */
function misfit(op: string, graph: Graph, nodes: readonly string[], plane: Plane): TensorError {
  const input = inputNode(graph)?.name ?? "data";
  const shapes = inferShapes(graph, ...plane);
  const node = nodes.find((name) => AXES.some((axis) => shapes.get(name)?.[axis + 1] !== plane[axis])) ?? nodes[0];
  const [, height = 0, width = 0] = shapes.get(node as string) ?? [];
  const steps = AXES.map((axis) => {
    const { num = 1, den = 1 } = coordinateMaps(graph, axis, plane[axis]).get(node as string)?.scale ?? {};
    return den / num;
  });
  const [grid, way] = steps.some((step) => step !== 1)
    ? [`one value for ${steps.join(" x ")} pixels`, `{ kind: "resize", mode: "bilinear" }`]
    : ["on places that lie between the pixels", `{ kind: "crop", align: "topLeft" }`];
  return new TensorError({
    code: "invalid-shape",
    message: `${op}: the net ${graph.name} returns ${node} with ${height}x${width} for images of ${plane.join("x")}, ${grid}, but must give a value for each pixel`,
    fix: {
      code: `end the graph with the size of its input: builder.add("out", ${way}, ${JSON.stringify(node)}, ${JSON.stringify(input)})`,
      command: "use weights of a net that brings its scores to the size of the image",
    },
  });
}
