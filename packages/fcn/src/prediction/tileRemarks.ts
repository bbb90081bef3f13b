import { type DataRemark, withFix } from "../data/files/remarks.js";
import { reachOf } from "../models/graph/geometry/reach.js";
import { netGraph, type SegmentationNet } from "../models/segmentationNet.js";

/**
 * A warning for images that are cut into tiles for a net that looks at the whole image, as one with global pooling
 * does: it takes each tile for an image. `weights` is the file of the net.
 */
export function tileRemarks(weights: string, model: SegmentationNet, isCut: boolean): DataRemark[] {
  const graph = netGraph(model);
  if (!isCut || graph === undefined || reachOf(graph).every(Number.isFinite)) return [];
  const text = withFix(
    "every pixel's scores depend on the whole image, so images that are cut into tiles get other labels than whole ones",
    "leave tile out and raise memory, or choose tiles of the size that the net was trained on",
    "leave --tile out and raise --memory, or choose tiles of the size that the net was trained on",
  );
  return [{ level: "warning", code: "tiles-of-whole", file: weights, ...text }];
}
