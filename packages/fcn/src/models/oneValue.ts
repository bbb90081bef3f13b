import { hasCode, type Tensor, type TensorError } from "@fcn/tensor";
import { ONE_VALUE } from "@fcn/tensor/internal";
import { inferShapes } from "./graph/geometry/shapes.js";
import { netGraph, type SegmentationNet } from "./segmentationNet.js";

/** Whether an error is that of batch norm in training for one value a channel, which has no variance. */
export const isOneValue = (error: unknown): error is TensorError =>
  hasCode(error, "invalid-shape") && error.details?.is === ONE_VALUE;

/** How much larger images are tried. */
const LARGER = 64;

/** Whether batch norm gets one value an image however large that is, because it follows an average over the image. */
export function normsAverages(model: SegmentationNet, { shape: [, , height = 1, width = 1] }: Tensor): boolean {
  const graph = netGraph(model);
  if (graph === undefined) return false;
  const shapes = inferShapes(graph, LARGER * height, LARGER * width);
  return graph.nodes.some(({ name, layer }) => {
    const [, h, w] = shapes.get(name) ?? [];
    return layer.kind === "batchNorm" && h === 1 && w === 1;
  });
}
