import { ceilDiv, foldGrid, type Step } from "../plan.js";
import { reduceSumSlices as SUM_SLICES } from "../wgsl.generated.js";

const WG = 64;

/**
 * The second pass of a split sum: `y[i] = sum over s of partial[s, i]` for i < count. `partial` and `y` are the names
 * of the operands [slices, count] and [count].
 */
export const sumSlices = (count: number, slices: number, partial: string, y: string): Step => ({
  kernel: SUM_SLICES,
  params: { count, slices },
  operands: { partial, y },
  grid: foldGrid(ceilDiv(count, WG)),
});
