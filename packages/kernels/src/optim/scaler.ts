import { flatRanges } from "../bindingParts.js";
import { type Capabilities, ceilDiv, foldGrid, operandPart, type Plan, UNREAD } from "../plan.js";
import {
  optimScalerBegin as BEGIN,
  optimScalerCheck as CHECK,
  optimScalerUpdate as UPDATE,
} from "../wgsl.generated.js";

const PER_GROUP = 64 * 16;
/** Gradients, or parts of them, that one dispatch checks. */
const AT_ONCE = 7;

/** The settings of a torch.amp.GradScaler. */
export interface ScalerSettings {
  readonly growthFactor: number;
  readonly backoffFactor: number;
  readonly growthInterval: number;
}

/**
 * Begins the record of an optimiser's step: with `isUnscaled`, the gradients themselves are divided by the scale.
 * Operands: scale and record (four floats).
 */
export const planScalerBegin = (isUnscaled: boolean, _: Capabilities): Plan => ({
  steps: [
    {
      kernel: BEGIN,
      params: { isUnscaled: Number(isUnscaled) },
      operands: { scale: "scale", record: "record" },
      grid: [1, 1, 1],
    },
  ],
});

/**
 * Notes in a record whether one of the gradients is not finite; `counts` are their elements. Operands: g0, g1, … and
 * record.
 */
export function planScalerCheck(counts: readonly number[], caps: Capabilities): Plan {
  const parts = counts.flatMap((count, i) =>
    flatRanges(count, caps).map(({ begin, end }) => ({ size: end - begin, binding: operandPart(`g${i}`, begin, end) })),
  );
  const unused = Object.fromEntries(Array.from({ length: AT_ONCE }, (_, i) => [`g${i}`, UNREAD]));
  const steps = Array.from({ length: ceilDiv(parts.length, AT_ONCE) }, (_, k) => {
    const own = parts.slice(k * AT_ONCE, (k + 1) * AT_ONCE);
    let count = 0;
    const ends = own.map(({ size }) => (count += ceilDiv(size, PER_GROUP)));
    const bound = Object.fromEntries(own.map(({ binding }, i) => [`g${i}`, binding]));
    return {
      kernel: CHECK,
      params: { count, ends, sizes: own.map(({ size }) => size) },
      operands: { ...unused, ...bound, record: "record" },
      grid: foldGrid(count),
    };
  });
  return { steps };
}

/**
 * Sets the scale for the next step by the record of an optimiser; of several, only the last (`isLast`) sets it.
 * Operands: record, scale and counts (four floats).
 */
export const planScalerUpdate = (isLast: boolean, s: ScalerSettings, _: Capabilities): Plan => ({
  steps: [
    {
      kernel: UPDATE,
      params: { isLast: Number(isLast), growth: s.growthFactor, backoff: s.backoffFactor, interval: s.growthInterval },
      operands: { record: "record", scale: "scale", counts: "counts" },
      grid: [1, 1, 1],
    },
  ],
});
