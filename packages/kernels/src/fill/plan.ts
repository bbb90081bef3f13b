import { flatOperand, flatRanges } from "../bindingParts.js";
import { FAULT } from "../fault.js";
import { type Capabilities, ceilDiv, FAULT_RECORD, foldGrid, type Plan, type Step } from "../plan.js";
import { fillCheckFinite as CHECK, fillFill as FILL } from "../wgsl.generated.js";

const FILL_PER_GROUP = 64 * 4;
const CHECK_PER_GROUP = 64 * 16;

/** A step that fills operand y of `count` words, which must fit a binding, with a 32-bit pattern. */
export function fillStep(count: number, bits: number): Step {
  return {
    kernel: FILL,
    params: { count, bits },
    operands: { y: "y" },
    grid: foldGrid(ceilDiv(count, FILL_PER_GROUP)),
  };
}

/** Fills operand y of `count` words with a 32-bit pattern. */
export function planFill(count: number, bits: number, caps: Capabilities): Plan {
  const steps = flatRanges(count, caps).map(
    ({ begin, end }): Step => ({
      ...fillStep(end - begin, bits),
      operands: { y: flatOperand("y", begin, end, count) },
    }),
  );
  return { steps };
}

/** A NaN, and in each of its halves one of float16. */
const POISON = 0x7fff7fff;

/** A step that fills operand y of `count` words with NaN. */
export const poison = (count: number): Step => fillStep(count, POISON);

/**
 * A step that reports NaN and infinity among `count` floats, or halves, of operand x to the fault record. The first of
 * them is element `base` of the tensor that op number `op` made.
 */
export function finiteCheck(count: number, base: number, op: number, isHalf = false): Step {
  return {
    ...(isHalf ? { half: ["x"] } : {}),
    kernel: CHECK,
    constants: { FAULT_NOT_FINITE: FAULT.notFinite },
    params: { count, base, op },
    operands: { x: "x", fault: FAULT_RECORD },
    grid: foldGrid(ceilDiv(count, CHECK_PER_GROUP)),
  };
}

/** The bits of a number as a 32-bit float or integer. */
export function wordBits(value: number, dtype: "float32" | "int32"): number {
  return dtype === "float32" ? new Uint32Array(new Float32Array([value]).buffer)[0]! : value >>> 0;
}
