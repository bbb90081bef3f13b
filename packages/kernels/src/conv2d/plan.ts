import type { Capabilities, Plan } from "../plan.js";
import { depthwiseGradientSteps, depthwiseSteps } from "./depthwise.js";
import { gatherSteps } from "./gather.js";
import { type Conv2dGeometry, type Direction, isDepthwise } from "./geometry.js";
import { weightGradientSteps } from "./weight-gradient.js";

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
    const plan = depthwiseSteps(g, direction, bias, caps);
    return plan.steps.length > 0 ? plan : undefined;
  }
  const gather = gatherSteps(g, direction, bias, caps);
  if (gather === undefined) return undefined;
  const { steps, scratch, tunable } = gather;
  return { steps, tunable, ...(scratch > 0 ? { scratch: { packed: scratch } } : {}) };
}

/** `dw` from x (larger side) and dy (smaller side), in the order of the weight. Operands: x, dy, dw. */
export function planConv2dWeightGradient(g: Conv2dGeometry, caps: Capabilities): Plan | undefined {
  const gradient = isDepthwise(g) ? depthwiseGradientSteps(g, caps) : weightGradientSteps(g, caps);
  if (gradient === undefined) return undefined;
  const { scratch, ...rest } = gradient;
  return { ...rest, ...(scratch > 0 ? { scratch: { slices: scratch } } : {}) };
}
