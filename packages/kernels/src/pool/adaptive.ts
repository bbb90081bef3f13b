import { boundPart, imageParts } from "../bindingParts.js";
import { type Capabilities, ceilDiv, foldGrid, type Plan, type Step } from "../plan.js";
import { poolAdaptive as ADAPTIVE } from "../wgsl.generated.js";

const WG = 64;

/** An adaptive pooling over channels-last images. */
export interface AdaptivePoolGeometry {
  readonly n: number;
  readonly channels: number;
  readonly inH: number;
  readonly inW: number;
  readonly outH: number;
  readonly outW: number;
}

interface Side {
  readonly name: string;
  readonly h: number;
  readonly w: number;
}

/**
 * torch.nn.functional.adaptive_avg_pool2d. Operands: x [n, inH, inW, channels], y [n, outH, outW, channels], channels
 * last. Undefined when one row is larger than a binding.
 */
export const planAdaptiveAveragePool2d = (g: AdaptivePoolGeometry, caps: Capabilities): Plan | undefined =>
  walk(g, { name: "x", h: g.inH, w: g.inW }, { name: "y", h: g.outH, w: g.outW }, false, caps);

/** The gradient of {@link planAdaptiveAveragePool2d}. Operands: dy, dx. */
export const planAdaptiveAveragePool2dBackward = (g: AdaptivePoolGeometry, caps: Capabilities): Plan | undefined =>
  walk(g, { name: "dy", h: g.outH, w: g.outW }, { name: "dx", h: g.inH, w: g.inW }, true, caps);

function walk(
  { n, channels }: AdaptivePoolGeometry,
  from: Side,
  to: Side,
  backward: boolean,
  caps: Capabilities,
): Plan | undefined {
  const parts = imageParts(
    {
      n,
      steps: to.h,
      from: { rows: from.h, length: from.w * channels },
      to: { rows: to.h, length: to.w * channels },
      reads: (begin, end) => ({
        begin: Math.floor((begin * from.h) / to.h),
        end: Math.ceil((end * from.h) / to.h),
      }),
    },
    caps,
  );
  const steps = parts.map((part): Step => {
    const x = boundPart(from.name, part.from, n * from.h * from.w * channels);
    const y = boundPart(to.name, part.to, n * to.h * to.w * channels);
    const count = part.to.end - part.to.begin;
    const sizes = { fromH: from.h, fromW: from.w, toH: to.h, toW: to.w };
    return {
      kernel: ADAPTIVE,
      constants: { BACKWARD: backward },
      params: { count, begin: part.to.begin, fromOrigin: x.origin, toOrigin: y.origin, channels, ...sizes },
      operands: { x: x.operand, y: y.operand },
      grid: foldGrid(ceilDiv(count, WG)),
    };
  });
  return steps.length > 0 ? { steps } : undefined;
}
