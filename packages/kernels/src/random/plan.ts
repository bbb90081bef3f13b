import { type Capabilities, ceilDiv, foldGrid, type Plan, type Step, UNREAD } from "../plan.js";
import { randomPhilox as PHILOX } from "../wgsl.generated.js";
import { flatOperand, flatWindows } from "../windows.js";

const PER_GROUP = 64 * 4;
const MODES = { uniform: 0, normal: 1, dropout: 2 } as const;

export interface RandomPlan {
  readonly mode: keyof typeof MODES;
  readonly count: number;
  readonly seed: number;
  /** Streams of one seed are independent of each other. Default 0. */
  readonly stream?: number;
  /** Uniform: low. Normal: mean. Dropout: probability of zero. */
  readonly a: number;
  /** Uniform: high (excluded). Normal: standard deviation. */
  readonly b?: number;
  /** Dropout of whole channels of a channels-last tensor: pixels of an image, and channels. */
  readonly period?: number;
  readonly channels?: number;
}

/** Operands: y and, for dropout, x. */
export function planRandom(
  { mode, count, seed, stream = 0, a, b = 0, period = 1, channels = 1 }: RandomPlan,
  caps: Capabilities,
): Plan {
  const steps: Step[] = flatWindows(count, caps).map(({ begin, end }) => ({
    kernel: PHILOX,
    constants: { MODE: MODES[mode] },
    params: {
      count: end - begin,
      base: begin,
      seedLow: seed >>> 0,
      seedHigh: Math.floor(seed / 2 ** 32) >>> 0,
      stream,
      a,
      b,
      period,
      channels,
    },
    operands: {
      x: mode === "dropout" ? flatOperand("x", begin, end, count) : UNREAD,
      y: flatOperand("y", begin, end, count),
    },
    grid: foldGrid(ceilDiv(end - begin, PER_GROUP)),
  }));
  return { steps };
}
