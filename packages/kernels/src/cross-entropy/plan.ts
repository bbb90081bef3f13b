import type { Kernel } from "../kernel.js";
import { type Capabilities, ceilDiv, foldGrid, type Plan, type Step } from "../plan.js";
import { wgsl } from "../wgsl.generated.js";

const WG = 64;
const NAN_BITS = 0x7fc00000;
const FORWARD: Kernel = { name: "cross-entropy/forward", source: wgsl["cross-entropy/forward"] };
const FINISH: Kernel = { name: "cross-entropy/finish", source: wgsl["cross-entropy/finish"] };
const BACKWARD: Kernel = { name: "cross-entropy/backward", source: wgsl["cross-entropy/backward"] };

export interface CrossEntropyCase {
  readonly pixels: number;
  readonly classes: number;
  readonly ignoreIndex: number;
  readonly weighted: boolean;
  readonly reduction: "mean" | "sum" | "none";
}

/**
 * Cross-entropy of [pixels, classes] logits. Operands: logits, target (int32), lse [pixels], y, with `weighted` weight,
 * and unless the reduction is "none" divisor [1].
 */
export function planCrossEntropy(c: CrossEntropyCase, caps: Capabilities): Plan {
  const each = c.reduction === "none";
  const threads = each ? c.pixels : Math.min(c.pixels, caps.parallelism * WG);
  const forward: Step = {
    kernel: FORWARD,
    constants: { EACH: each, WEIGHTED: c.weighted },
    params: { threads, pixels: c.pixels, classes: c.classes, ignoreIndex: c.ignoreIndex, nanBits: NAN_BITS },
    operands: {
      x: "logits",
      labels: "target",
      weight: c.weighted ? "weight" : "noneX",
      lse: "lse",
      y: each ? "y" : "partial",
      fault: "fault",
    },
    grid: foldGrid(ceilDiv(threads, WG)),
  };
  if (each) return { steps: [forward] };
  const finish: Step = {
    kernel: FINISH,
    constants: { MEAN: c.reduction === "mean" },
    params: { threads, nanBits: NAN_BITS },
    operands: { partial: "partial", y: "y", divisor: "divisor" },
    grid: [1, 1, 1],
  };
  return { steps: [forward, finish], scratch: { partial: Math.max(1, threads) * 8 } };
}

/** The gradient. Operands: logits, target, lse, dy, dx and where used weight and divisor (reduction "mean"). */
export function planCrossEntropyGradient(c: CrossEntropyCase): Plan {
  const threads = ceilDiv(c.pixels, 4);
  const mean = c.reduction === "mean";
  const step: Step = {
    kernel: BACKWARD,
    constants: { EACH: c.reduction === "none", MEAN: mean, WEIGHTED: c.weighted },
    params: { threads, pixels: c.pixels, classes: c.classes, ignoreIndex: c.ignoreIndex, nanBits: NAN_BITS },
    operands: {
      x: "logits",
      labels: "target",
      lse: "lse",
      weight: c.weighted ? "weight" : "noneX",
      dy: "dy",
      divisor: mean ? "divisor" : "noneX",
      dx: "dx",
    },
    grid: foldGrid(ceilDiv(threads, WG)),
  };
  return { steps: [step] };
}
