import { boundPart, type Range } from "../bindingParts.js";
import { type Activation, activationNumber } from "../epilogue/activation.js";
import type { ConstantValue } from "../kernel.js";
import { type Binding, ceilDiv, foldGrid, type Step, UNREAD } from "../plan.js";
import { normFrozenTerms as FROZEN_TERMS } from "../wgsl.generated.js";

const WG = 64;

/** What a gather does to its sums as it writes them, in this order. Operands in brackets. */
export interface Conv2dEpilogue {
  /** [b] */
  readonly bias: boolean;
  /** Batch normalisation in evaluation [runningMean, runningVar, where given weight and shift]. */
  readonly norm?: { readonly eps: number; readonly hasWeight: boolean; readonly hasShift: boolean } | undefined;
  /** Added [residual]; it has the shape of y. */
  readonly residual: boolean;
  readonly activation?: Activation | undefined;
}

/** Where normalisation needs vectors of channels for the epilogue: the step that makes them, and their bytes. */
export function epilogueTerms(e: Conv2dEpilogue, channels: number): { steps: Step[]; scratch: Record<string, number> } {
  if (!e.norm) return { steps: [], scratch: {} };
  const { eps, hasWeight, hasShift } = e.norm;
  const step: Step = {
    kernel: FROZEN_TERMS,
    constants: { HAS_BIAS: e.bias, HAS_WEIGHT: hasWeight, HAS_SHIFT: hasShift },
    params: { count: channels, eps },
    operands: {
      bias: e.bias ? "b" : UNREAD,
      runningMean: "runningMean",
      runningVar: "runningVar",
      weight: hasWeight ? "weight" : UNREAD,
      shift: hasShift ? "shift" : UNREAD,
      terms: "terms",
    },
    grid: foldGrid(ceilDiv(channels, WG)),
  };
  return { steps: [step], scratch: { terms: 4 * channels * 4 } };
}

/**
 * The constants and bindings of a gather kernel for its epilogue, for the elements `to` out of `total` of y. Where the
 * sums come in several parts the bias belongs to the first, and all else to the last.
 */
export function epilogueOf(
  e: Conv2dEpilogue,
  { isFirst, isLast }: { readonly isFirst: boolean; readonly isLast: boolean },
  to: Range,
  total: number,
): { constants: Record<string, ConstantValue>; operands: Record<string, Binding> } {
  const hasBias = e.bias && isFirst;
  const hasNorm = e.norm !== undefined && isLast;
  const hasResidual = e.residual && isLast;
  const vectors = e.norm ? "terms" : "b";
  return {
    constants: {
      HAS_BIAS: hasBias,
      HAS_NORM: hasNorm,
      HAS_RESIDUAL: hasResidual,
      ACTIVATION: isLast ? activationNumber(e.activation) : 0,
    },
    operands: {
      bias: hasBias || hasNorm ? vectors : UNREAD,
      residual: hasResidual ? boundPart("residual", to, total).operand : UNREAD,
    },
  };
}
