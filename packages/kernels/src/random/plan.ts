import { flatOperand, flatRanges } from "../bindingParts.js";
import { type Capabilities, ceilDiv, foldGrid, type Plan, type Step, UNREAD } from "../plan.js";
import { randomPhilox as PHILOX } from "../wgsl.generated.js";

const PER_GROUP = 64 * 4;
const MODES = { uniform: 0, normal: 1, dropout: 2 } as const;

export interface RandomPlan {
  readonly mode: keyof typeof MODES;
  readonly count: number;
  readonly seed: number;
  /** Streams with the same seed are independent of each other. Default 0. */
  readonly stream?: number;
  /** For uniform the lower bound, for normal the mean, for dropout the probability of zero. */
  readonly a: number;
  /** For uniform the upper bound, which is excluded, for normal the standard deviation. */
  readonly b?: number;
  /** For dropout of whole channels of a channels-last tensor: the pixels of an image. `channels` is their number. */
  readonly period?: number;
  readonly channels?: number;
}

/**
 * Random numbers, or dropout of x (torch.nn.functional.dropout, or dropout2d with `period` and `channels`). Operands: y
 * [count] and, for dropout, x [count].
 */
export function planRandom(
  { mode, count, seed, stream = 0, a, b = 0, period = 1, channels = 1 }: RandomPlan,
  caps: Capabilities,
): Plan {
  const steps: Step[] = flatRanges(count, caps).map(({ begin, end }) => ({
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
