import type { Kernel } from "../kernel.js";
import { type Capabilities, ceilDiv, foldGrid, type Plan, type Step } from "../plan.js";
import { wgsl } from "../wgsl.generated.js";
import { type Direction, gatherSteps } from "./gather.js";
import { type Conv2dGeometry, geometryParams, isDepthwise, phaseParams } from "./geometry.js";
import { weightGradientSteps } from "./weight-gradient.js";

const WG = 64;
const DEPTHWISE: Kernel = { name: "conv2d/depthwise", source: wgsl["conv2d/depthwise"] };

/**
 * The convolution family as three plans; a transposed convolution is the adjoint of a convolution and uses the same
 * three with the sides exchanged.
 *
 * - `forward`: x (larger side) -> y (smaller side).
 * - `transposed`: x (smaller side) -> y (larger side): the input gradient, or the transposed convolution.
 *
 * Operands: x, w, y and, with `bias`, b. Activations are channels last, the weight is (kernelH, kernelW, inC / groups,
 * outC). Undefined when one row of an operand is larger than a binding.
 */
export function planConv2d(
  g: Conv2dGeometry,
  direction: Direction,
  bias: boolean,
  caps: Capabilities,
): Plan | undefined {
  if (isDepthwise(g)) {
    const step = depthwiseStep(g, direction, bias, caps);
    return step && { steps: [step] };
  }
  const gather = gatherSteps(g, direction, bias, caps);
  return gather && { steps: gather.steps, ...(gather.scratch > 0 ? { scratch: { packed: gather.scratch } } : {}) };
}

/** `dw` from x (larger side) and dy (smaller side), in the order of the weight. Operands: x, dy, dw. */
export function planConv2dWeightGradient(g: Conv2dGeometry, caps: Capabilities): Plan | undefined {
  const gradient = weightGradientSteps(g, caps);
  return (
    gradient && { steps: gradient.steps, ...(gradient.scratch > 0 ? { scratch: { slices: gradient.scratch } } : {}) }
  );
}

function depthwiseStep(g: Conv2dGeometry, direction: Direction, bias: boolean, caps: Capabilities): Step | undefined {
  const transposed = direction === "transposed";
  const [inH, inW, outH, outW] = transposed ? [g.outH, g.outW, g.inH, g.inW] : [g.inH, g.inW, g.outH, g.outW];
  const count = g.n * outH * outW * g.inC;
  if (Math.max(count, g.n * inH * inW * g.inC) * 4 > caps.bindingLimit) return undefined;
  return {
    kernel: DEPTHWISE,
    constants: { HAS_BIAS: bias, TRANSPOSED: transposed },
    params: {
      ...geometryParams(g),
      ...phaseParams(g),
      kernelH: g.kernelH,
      count,
      begin: 0,
      channels: g.inC,
      inH,
      inW,
      outH,
      outW,
      xOrigin: 0,
      yOrigin: 0,
    },
    operands: { x: "x", w: "w", bias: bias ? "b" : "noneX", y: "y" },
    grid: foldGrid(ceilDiv(count, WG)),
  };
}
