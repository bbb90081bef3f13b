import { invalidArgument } from "@fcn/tensor/internal";
import type { GraphBuilder } from "../graph/builder.js";
import { coordinateMaps, layerMap } from "../graph/geometry/coordinates.js";
import type { LayerOf } from "../graph/kinds/index.js";
import { type CoordinateMap, composeMaps, formatMap } from "../graph/plane/coordinateMap.js";
import { div, sub } from "../graph/plane/rational.js";
import type { Window } from "../graph/plane/window.js";

/** How a head upsamples its scores. */
export interface UpsamplingOptions {
  /** `fixed` keeps the bilinear kernel; `learned` trains it from there. */
  readonly deconv: "fixed" | "learned";
  /** Whether every class is upsampled from every class (weights [C, C, k, k]) or only from itself ([C, 1, k, k]). */
  readonly dense: boolean;
  /**
   * `none` leaves the output at its full size, as published. `aligned` pads so that pixel 0 of the output falls on
   * pixel 0 of the target, by at most half a stride.
   */
  readonly padding: "none" | "aligned";
}

/**
 * The bilinear window that brings features from `source` to the scale of `target` so that an integer crop offset
 * exists. The kernel for a factor s is 2s, or 2s - 1 if the centres would otherwise lie half a pixel apart (as in
 * FCN-AlexNet: 63 for 32).
 */
function bilinearWindow(source: CoordinateMap, target: CoordinateMap, padding: UpsamplingOptions["padding"]): Window {
  const factor = div(target.scale, source.scale);
  if (factor.den === 1 && factor.num > 1) {
    for (const kernelSize of [2 * factor.num, 2 * factor.num - 1]) {
      const window = { kernelSize, stride: factor.num };
      const up = composeMaps(layerMap({ kind: "convTranspose", outChannels: 1, ...window }, 0), source);
      const offset = sub(up.shift, target.shift);
      if (offset.den !== 1) continue;
      const most = padding === "aligned" ? Math.floor(factor.num / 2) : 0;
      return { ...window, padding: Math.min(Math.max(offset.num, 0), most) };
    }
  }
  throw invalidArgument(
    `upsampling from ${formatMap(source)} to ${formatMap(target)}: no bilinear kernel brings one onto whole pixels of the other`,
    "change the padding of the first convolution, or the kernel sizes of the backbone, by one",
  );
}

/** Appends the bilinear transposed convolution `name`, which brings the scores `input` to the scale of `target`. */
export function upsample(
  builder: GraphBuilder,
  name: string,
  input: string,
  target: string,
  { numClasses, deconv, dense, padding }: UpsamplingOptions & { readonly numClasses: number },
): string {
  const maps = mapsOf(builder);
  const layer: LayerOf<"convTranspose"> = {
    kind: "convTranspose",
    outChannels: numClasses,
    groups: dense ? 1 : numClasses,
    bias: false,
    learned: deconv === "learned",
    ...bilinearWindow(maps(input), maps(target), padding),
  };
  return builder.add(name, layer, input);
}

/** An image side that stays odd through every halving, so that "same" pads evenly and crop offsets are largest. */
export const SIDE = 1025;

/** The coordinate maps of all nodes so far. Both axes of a backbone are alike, so one is enough. */
export function mapsOf(builder: GraphBuilder): (name: string) => CoordinateMap {
  const maps = coordinateMaps(builder.build(), 0, SIDE);
  return (name) => maps.get(name) as CoordinateMap;
}
