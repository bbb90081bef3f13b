import type { Kernel } from "../kernel.js";
import { ceilDiv, foldGrid, type Plan } from "../plan.js";
import { wgsl } from "../wgsl.generated.js";

const WG = 64;
const FORWARD: Kernel = { name: "softmax/forward", source: wgsl["softmax/forward"] };
const BACKWARD: Kernel = { name: "softmax/backward", source: wgsl["softmax/backward"] };

/** A tensor seen along one dim in memory: [outer, size, inner]. */
export interface Lines {
  readonly outer: number;
  readonly size: number;
  readonly inner: number;
}

function plan(kernel: Kernel, lines: Lines, log: boolean, operands: Record<string, string>): Plan {
  const { outer, size, inner } = lines;
  const count = size === 0 ? 0 : outer * inner;
  return {
    steps: [
      {
        kernel,
        constants: { LOG: log },
        params: { count, size, inner },
        operands,
        grid: foldGrid(ceilDiv(count, WG)),
      },
    ],
  };
}

/** Softmax along `size`, or its logarithm. Operands: x, y, in one memory order. */
export const planSoftmax = (lines: Lines, log: boolean): Plan => plan(FORWARD, lines, log, { x: "x", y: "y" });

/** The gradient from the result y. Operands: y, dy, dx, in one memory order. */
export const planSoftmaxGradient = (lines: Lines, log: boolean): Plan =>
  plan(BACKWARD, lines, log, { y: "y", dy: "dy", dx: "dx" });
