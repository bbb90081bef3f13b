import type { Capabilities, Plan } from "../plan.js";
import { depthwiseGradientSteps, depthwiseSteps } from "./depthwise.js";
import { type Conv2dEpilogue, epilogueTerms } from "./epilogue.js";
import { gatherSteps } from "./gather.js";
import { type Conv2dGeometry, type Direction, isDepthwise } from "./geometry.js";
import { gatherTile, weightGradientTile } from "./tiles.js";
import { weightGradientSteps } from "./weight-gradient.js";
import { winogradGradientSteps, winogradSteps } from "./winograd.js";

/**
 * A convolution (torch.nn.functional.conv2d) or its adjoint, which is its input gradient and also the transposed
 * convolution (conv_transpose2d).
 *
 * - `forward`: x (larger side) -> y (smaller side).
 * - `transposed`: x (smaller side) -> y (larger side).
 *
 * Operands: x, w, y and, with `bias`, b. Activations are channels last, and the weight is [kernelH, kernelW,
 * inC / groups, outC]. Undefined when one row of an operand is larger than a binding.
 */
export function planConv2d(
  g: Conv2dGeometry,
  direction: Direction,
  bias: boolean,
  caps: Capabilities,
): Plan | undefined {
  return planFusedConv2d(g, direction, { bias, residual: false }, caps);
}

function gatherPlan(g: Conv2dGeometry, direction: Direction, epilogue: Conv2dEpilogue, caps: Capabilities) {
  if (isDepthwise(g)) return depthwiseSteps(g, direction, epilogue, caps);
  const tunable = gatherTile(g, direction, caps);
  const steps = tunable.tile.variant === "winograd" ? winogradSteps : gatherSteps;
  return steps(g, direction, epilogue, caps, tunable);
}

/** {@link planConv2d} and what follows it, in the same pass; with the operands of the epilogue. */
export function planFusedConv2d(
  g: Conv2dGeometry,
  direction: Direction,
  epilogue: Conv2dEpilogue,
  caps: Capabilities,
): Plan | undefined {
  const gather = gatherPlan(g, direction, epilogue, caps);
  if (!gather?.steps.length) return undefined;
  const terms = epilogueTerms(epilogue, direction === "forward" ? g.outC : g.inC);
  const scratch = { ...gather.scratch, ...terms.scratch };
  const { scratch: _, ...plan } = { ...gather, steps: [...terms.steps, ...gather.steps] };
  return Object.keys(scratch).length > 0 ? { ...plan, scratch } : plan;
}

/**
 * The weight gradient from x (larger side) and dy (smaller side). Operands: x, dy, dw, which is in the order of the
 * weight. Undefined when one row of an operand is larger than a binding.
 */
export function planConv2dWeightGradient(g: Conv2dGeometry, caps: Capabilities): Plan | undefined {
  if (isDepthwise(g)) return depthwiseGradientSteps(g, caps);
  const tunable = weightGradientTile(g, caps);
  const steps = tunable.tile.variant === "winograd" ? winogradGradientSteps : weightGradientSteps;
  return steps(g, caps, tunable);
}
