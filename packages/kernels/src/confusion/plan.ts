import { boundPart, fits, rowRanges } from "../bindingParts.js";
import { fillStep } from "../fill/plan.js";
import { type Capabilities, ceilDiv, type Plan, type Step } from "../plan.js";
import { confusionCount as COUNT } from "../wgsl.generated.js";

const WG = 64;
/** Cells of a workgroup's own table: 16 KiB, which every adapter has. */
const CELLS = 4096;
/** Pixels of a workgroup that make it worthwhile to add a table of its own to the counts. */
const PIXELS_PER_GROUP = 4096;

export interface ConfusionCase {
  readonly pixels: number;
  /** The number of labels that the truth may have. */
  readonly rows: number;
  /** The number of labels that a prediction may have. */
  readonly columns: number;
}

/**
 * Counts pairs of labels; pixels with a label outside [0, rows) or [0, columns) are skipped. Operands: truth,
 * prediction (int32 [pixels]), counts (int32 [rows, columns], to be read as unsigned, exact below 2^32 pixels).
 * Undefined when the counts are larger than a binding.
 */
export function planConfusion({ pixels, rows, columns }: ConfusionCase, caps: Capabilities): Plan | undefined {
  const cells = rows * columns;
  if (!fits(cells, caps)) return undefined;
  const clear: Step = { ...fillStep(cells, 0), operands: { y: "counts" } };
  const steps = rowRanges(pixels, 1, caps).map((range): Step => {
    const truth = boundPart("truth", range, pixels);
    const prediction = boundPart("prediction", range, pixels);
    const count = range.end - range.begin;
    const groups = Math.max(1, Math.min(ceilDiv(count, PIXELS_PER_GROUP), caps.parallelism * 4));
    return {
      kernel: COUNT,
      constants: { SHARED: cells <= CELLS },
      params: {
        pixels: count,
        stride: groups * WG,
        rows,
        columns,
        firstTruth: range.begin - truth.origin,
        firstPrediction: range.begin - prediction.origin,
      },
      operands: { truth: truth.operand, prediction: prediction.operand, counts: "counts" },
      grid: [groups, 1, 1],
    };
  });
  return { steps: [clear, ...steps] };
}
