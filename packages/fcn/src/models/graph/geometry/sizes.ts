import { type Axis, along, type Graph, type Layer, type PaddedWindow, paddingAlong, windowAlong } from "../spec.js";

/** Cells of a window that fits into `size`. Ceil mode drops a last window that would start in the padding, as PyTorch and Caffe do. */
function windowCells(layer: Layer & PaddedWindow & { ceilMode?: boolean }, axis: Axis, size: number): number {
  const { kernel, stride, dilation } = windowAlong(layer, axis);
  const [before, after] = paddingAlong(layer, axis, size);
  const room = size + before + after - dilation * (kernel - 1) - 1;
  if (layer.ceilMode !== true) return Math.floor(room / stride) + 1;
  const cells = Math.ceil(room / stride) + 1;
  return (cells - 1) * stride >= size + before ? cells - 1 : cells;
}

/** Size of a layer's output along one axis from those of its inputs; below 1 where the input is too small. */
export function outputSize(layer: Layer, axis: Axis, inputs: readonly number[]): number {
  const [size = 0, reference = size] = inputs;
  switch (layer.kind) {
    case "conv":
    case "maxPool":
    case "avgPool":
      return windowCells(layer, axis, size);
    case "convTranspose": {
      const { kernel, stride, dilation } = windowAlong(layer, axis);
      return (size - 1) * stride - 2 * along(layer.padding, axis, 0) + dilation * (kernel - 1) + 1;
    }
    case "pad":
      return paddingAlong(layer, axis).reduce((sum, side) => sum + side, size);
    case "resize":
      return "scaleFactor" in layer ? size * layer.scaleFactor : reference;
    case "crop":
      return reference;
    default:
      return size;
  }
}

/** Size of every node along one axis for an image of `size`; below 1 where the image is too small. */
export function sizesAlong(graph: Graph, axis: Axis, size: number): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { name, layer, inputs } of graph.nodes) {
    const known = inputs.map((input) => sizes.get(input) ?? 0);
    sizes.set(name, layer.kind === "input" ? size : outputSize(layer, axis, known));
  }
  return sizes;
}
