import { boundPart, type ImagePart, imageParts } from "../bindingParts.js";
import type { Kernel } from "../kernel.js";
import { type Capabilities, ceilDiv, foldGrid, type Plan, type Step } from "../plan.js";
import { interpolateBackward as BACKWARD, interpolateForward as FORWARD } from "../wgsl.generated.js";

const WG = 64;

/** A resampling of channels-last images. */
export interface InterpolateGeometry {
  readonly n: number;
  readonly channels: number;
  readonly inH: number;
  readonly inW: number;
  readonly outH: number;
  readonly outW: number;
  /** Input positions for each output step, from {@link interpolateScale}. */
  readonly scaleH: number;
  readonly scaleW: number;
  readonly mode: "nearest" | "bilinear";
  readonly alignCorners: boolean;
}

/**
 * Input positions for each output step, as in PyTorch's `area_pixel_compute_scale`: from corner to corner with
 * `alignCorners`, else 1 / scaleFactor where one was given (although the output size was rounded down), else in / out.
 * Mode nearest takes in / out for an output as large as the input or twice as large, whatever the factor, as in
 * PyTorch's `nearest_idx`.
 */
export function interpolateScale(
  size: number,
  out: number,
  scaleFactor: number | undefined,
  { mode, alignCorners }: Pick<InterpolateGeometry, "mode" | "alignCorners">,
): number {
  if (mode === "nearest" && (out === size || out === 2 * size)) return size / out;
  if (alignCorners) return out > 1 ? (size - 1) / (out - 1) : 0;
  return scaleFactor === undefined ? size / out : 1 / scaleFactor;
}

interface Names {
  readonly kernel: Kernel;
  readonly from: string;
  readonly to: string;
}

function plan(g: InterpolateGeometry, parts: readonly ImagePart[], names: Names): Plan | undefined {
  const { n, channels, inH, inW, outH, outW, scaleH, scaleW } = g;
  const forward = names.kernel === FORWARD;
  const [input, output] = [n * inH * inW * channels, n * outH * outW * channels];
  const [fromTotal, toTotal] = forward ? [input, output] : [output, input];
  const steps = parts.map(({ from, to }): Step => {
    const source = boundPart(names.from, from, fromTotal);
    const target = boundPart(names.to, to, toTotal);
    const count = to.end - to.begin;
    const place = { count, begin: to.begin, fromOrigin: source.origin, toOrigin: target.origin };
    return {
      kernel: names.kernel,
      constants: { BILINEAR: g.mode === "bilinear", ALIGN_CORNERS: g.alignCorners },
      params: { ...place, channels, inH, inW, outH, outW, scaleH, scaleW },
      operands: { [names.from]: source.operand, [names.to]: target.operand },
      grid: foldGrid(ceilDiv(count, WG)),
    };
  });
  return steps.length > 0 ? { steps } : undefined;
}

/** Rows on either side that may be read beyond those of the scale: a neighbour, and one for rounding in the kernel. */
const MARGIN = 2;

/**
 * torch.nn.functional.interpolate. Operands: x [n, inH, inW, channels], y [n, outH, outW, channels], channels last.
 * Undefined when one row is larger than a binding.
 */
export function planInterpolate(g: InterpolateGeometry, caps: Capabilities): Plan | undefined {
  const walk = {
    n: g.n,
    steps: g.outH,
    from: { rows: g.inH, length: g.inW * g.channels },
    to: { rows: g.outH, length: g.outW * g.channels },
    reads: (begin: number, end: number) => ({
      begin: Math.floor(begin * g.scaleH) - MARGIN,
      end: Math.ceil(end * g.scaleH) + MARGIN,
    }),
  };
  return plan(g, imageParts(walk, caps), { kernel: FORWARD, from: "x", to: "y" });
}

/** The gradient of {@link planInterpolate}. Operands: dy, dx. Undefined when one row is larger than a binding. */
export function planInterpolateBackward(g: InterpolateGeometry, caps: Capabilities): Plan | undefined {
  const { inH, outH, scaleH } = g;
  const walk = {
    n: g.n,
    steps: inH,
    from: { rows: outH, length: g.outW * g.channels },
    to: { rows: inH, length: g.inW * g.channels },
    // The first and last rows also take every output that is clamped to them.
    reads: (begin: number, end: number) => ({
      begin: begin === 0 || scaleH <= 0 ? 0 : Math.floor((begin - 1) / scaleH) - MARGIN,
      end: end === inH || scaleH <= 0 ? outH : Math.ceil((end + 1) / scaleH) + MARGIN,
    }),
  };
  return plan(g, imageParts(walk, caps), { kernel: BACKWARD, from: "dy", to: "dx" });
}
