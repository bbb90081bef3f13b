import type { Kernel } from "../kernel.js";
import { ceilDiv, foldGrid, type Plan } from "../plan.js";
import { wgsl } from "../wgsl.generated.js";

const WG = 64;
const FORWARD: Kernel = { name: "interpolate/forward", source: wgsl["interpolate/forward"] };
const GRADIENT: Kernel = { name: "interpolate/gradient", source: wgsl["interpolate/gradient"] };

/** A resampling of channels-last images. */
export interface InterpolateGeometry {
  readonly n: number;
  readonly channels: number;
  readonly inH: number;
  readonly inW: number;
  readonly outH: number;
  readonly outW: number;
  /** Input positions an output step, from {@link interpolateScale}. */
  readonly scaleH: number;
  readonly scaleW: number;
  readonly mode: "nearest" | "bilinear";
  readonly alignCorners: boolean;
}

/**
 * Input positions an output step, PyTorch's `area_pixel_compute_scale`: corner to corner with `alignCorners`, else
 * 1 / scaleFactor where one was given (although the output size was rounded down), else in / out.
 */
export function interpolateScale(
  size: number,
  out: number,
  scaleFactor: number | undefined,
  alignCorners: boolean,
): number {
  if (alignCorners) return out > 1 ? (size - 1) / (out - 1) : 0;
  return scaleFactor === undefined ? size / out : 1 / scaleFactor;
}

function step(kernel: Kernel, g: InterpolateGeometry, count: number, operands: Record<string, string>): Plan {
  const { channels, inH, inW, outH, outW, scaleH, scaleW } = g;
  const constants = { BILINEAR: g.mode === "bilinear", ALIGN_CORNERS: g.alignCorners };
  const params = { count, channels, inH, inW, outH, outW, scaleH, scaleW };
  return { steps: [{ kernel, constants, params, operands, grid: foldGrid(ceilDiv(count, WG)) }] };
}

/** Operands: x, y. */
export function planInterpolate(g: InterpolateGeometry): Plan {
  return step(FORWARD, g, g.n * g.outH * g.outW * g.channels, { x: "x", y: "y" });
}

/** Operands: dy, dx. */
export function planInterpolateGradient(g: InterpolateGeometry): Plan {
  return step(GRADIENT, g, g.n * g.inH * g.inW * g.channels, { dy: "dy", dx: "dx" });
}
