import { type Capabilities, ceilDiv, foldGrid, operandPart, type Plan, type Step } from "../plan.js";
import { reduceColumnSum as COLUMN_SUM } from "../wgsl.generated.js";
import { planSum } from "./plan.js";
import { sumSlices } from "./sum-slices.js";

const WG = 64;
/** With fewer rows two passes do not pay. */
const MIN_ROWS = 64;

/**
 * `y[c] = sum over rows of x[row, c]`, such as the bias gradient of a convolution, where x holds channels-last pixels.
 * Operands: x [rows, cols], y [cols]. Rows are taken four at a time where their number allows it, so that any number of
 * columns loads vectors.
 */
export function planColumnSum(rows: number, cols: number, caps: Capabilities): Plan {
  const fold = cols % 4 === 0 ? 1 : rows % 4 === 0 ? 4 : 0;
  if (fold === 0 || rows < MIN_ROWS) {
    return planSum(
      [
        { size: rows, reduced: true },
        { size: cols, reduced: false },
      ],
      1,
      caps,
    );
  }
  const lines = rows / fold;
  const columns = (cols * fold) / 4;
  // The second pass is one thread a column, so neither pass may be much longer than the other.
  const wanted = Math.min(ceilDiv(caps.parallelism * WG, columns), Math.ceil(Math.sqrt(lines)));
  // Sixteen rows of whole vec4 columns keep every part aligned.
  const linesPerPart = Math.max(16, Math.floor(caps.bindingLimit / (columns * 16) / 16) * 16);
  const parts = ceilDiv(lines, linesPerPart);
  const slices = Math.max(1, Math.min(wanted, Math.floor(caps.bindingLimit / (parts * columns * 16))));
  const count = columns * slices;
  const steps = Array.from({ length: parts }, (_, i): Step => {
    const begin = i * linesPerPart;
    const end = Math.min(lines, begin + linesPerPart);
    return {
      kernel: COLUMN_SUM,
      params: { count, columns, rows: end - begin, slices, base: i * count },
      operands: {
        x: parts === 1 ? "x" : operandPart("x", begin * columns * 4, end * columns * 4),
        partial: "partial",
      },
      grid: foldGrid(ceilDiv(count, WG)),
    };
  });
  const last = sumSlices(cols, parts * slices * fold, "partial", "y");
  return { steps: [...steps, last], scratch: { partial: parts * count * 16 } };
}
