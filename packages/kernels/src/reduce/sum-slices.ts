import type { Kernel } from "../kernel.js";
import { ceilDiv, foldGrid, type Step } from "../plan.js";
import { wgsl } from "../wgsl.generated.js";

const WG = 64;
const SUM_SLICES: Kernel = { name: "reduce/sum-slices", source: wgsl["reduce/sum-slices"] };

/** `y[i] = sum over s of partial[s, i]` for i < count: the second pass of a split sum. Operands: `partial` and `y` by these names. */
export const sumSlices = (count: number, slices: number, partial: string, y: string): Step => ({
  kernel: SUM_SLICES,
  params: { count, slices },
  operands: { partial, y },
  grid: foldGrid(ceilDiv(count, WG)),
});
