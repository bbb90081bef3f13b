import { boundPart, rowRanges } from "../bindingParts.js";
import { type Capabilities, foldGrid, type Plan, type Step } from "../plan.js";
import { cumsumCumsum as CUMSUM } from "../wgsl.generated.js";

/** Threads for a row: one for each few values, so that short rows leave none idle for long. */
const threadsFor = (size: number): number => (size > 1024 ? 256 : 64);

/** Running sums of the rows of x [rows, size]. Operands: x, y. Undefined where a row is larger than a binding. */
export function planCumsum(rows: number, size: number, reverse: boolean, caps: Capabilities): Plan | undefined {
  const steps = rowRanges(rows, size, caps).map(({ begin, end }): Step => {
    const part = (name: string) => boundPart(name, { begin: begin * size, end: end * size }, rows * size);
    return {
      kernel: CUMSUM,
      constants: { WG: threadsFor(size), REVERSE: reverse },
      params: { count: end - begin, size, first: begin * size - part("x").origin },
      operands: { x: part("x").operand, y: part("y").operand },
      grid: foldGrid(end - begin),
    };
  });
  return steps.length > 0 ? { steps } : undefined;
}
