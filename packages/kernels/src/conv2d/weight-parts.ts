import { boundPart, rowRanges } from "../bindingParts.js";
import { type Capabilities, ceilDiv, foldGrid, type OperandPart, operandPart, roundUp, type Step } from "../plan.js";
import { conv2dPackWeight as PACK } from "../wgsl.generated.js";
import type { Conv2dGeometry } from "./geometry.js";
import type { Sides } from "./sides.js";

const WG = 64;

/** Rows of the weight in the form that the gather kernels read, and what is bound for them. */
export interface WeightPart {
  readonly rowBegin: number;
  readonly rowEnd: number;
  readonly operand: string | OperandPart;
  /** The element of w with which what is bound begins, where it is read by columns. */
  readonly origin: number;
  /** Columns of a group in rows of K, padding included. */
  readonly cols: number;
  readonly steps: readonly Step[];
}

/** Elements of one tap of the weight. */
export const tapSize = (g: Conv2dGeometry): number => (g.inC / g.groups) * g.outC;

/** Whole taps of the weight as it is stored, read by columns of K. */
export function columnParts(g: Conv2dGeometry, s: Sides, caps: Capabilities): WeightPart[] {
  const taps = g.kernelH * g.kernelW;
  return rowRanges(taps, tapSize(g), caps).map(({ begin, end }) => {
    const range = { begin: begin * tapSize(g), end: end * tapSize(g) };
    const { operand, origin } = boundPart("w", range, taps * tapSize(g));
    return { rowBegin: begin * s.cin, rowEnd: end * s.cin, operand, origin, cols: 0, steps: [] };
  });
}

/**
 * The weight in parts that fit a binding, as rows of K. A forward weight whose groups have a multiple of four columns
 * is read as it is stored; any other is packed (padded, or transposed) into scratch, one part at a time.
 */
export function rowParts(g: Conv2dGeometry, s: Sides, limit: number): { parts: WeightPart[]; scratch: number } {
  const taps = g.kernelH * g.kernelW;
  const colsPadded = roundUp(s.cout, 4);
  const inPlace = !s.transposed && s.cout === colsPadded;
  const sourceTap = tapSize(g);
  const packedRow = g.groups * colsPadded;
  const packedTap = s.cin * packedRow;
  const parts: WeightPart[] = [];
  if (inPlace) {
    // Sixteen rows of whole vec4 columns keep every part aligned.
    const rows = Math.max(16, Math.floor(limit / 4 / packedRow / 16) * 16);
    const total = taps * s.cin;
    for (let rowBegin = 0; rowBegin < total; rowBegin += rows) {
      const rowEnd = Math.min(total, rowBegin + rows);
      parts.push({
        rowBegin,
        rowEnd,
        cols: colsPadded,
        origin: 0,
        steps: [],
        operand: wholeOrRows(rowBegin, rowEnd, total, packedRow),
      });
    }
    return { parts, scratch: 0 };
  }
  const perPart = Math.min(taps, Math.floor((limit / 4 - 64) / Math.max(packedTap, sourceTap)));
  if (perPart < 1) return { parts: [], scratch: 0 };
  for (let tap = 0; tap < taps; tap += perPart) {
    const count = Math.min(perPart, taps - tap);
    const whole = count === taps;
    const source = operandPart("w", tap * sourceTap, (tap + count) * sourceTap);
    const [sRow, sCol] = s.transposed ? [1, g.outC] : [g.outC, 1];
    const vectors = (count * packedTap) / 4;
    const step: Step = {
      kernel: PACK,
      params: {
        count: vectors,
        rows: s.cin,
        groups: g.groups,
        cols: s.cout,
        vectors: colsPadded / 4,
        sTap: sourceTap,
        sGroup: g.outC / g.groups,
        sRow,
        sCol,
        tapBegin: tap,
        origin: whole ? 0 : source.byteOffset / 4,
      },
      operands: { w: whole ? "w" : source, packed: "packed" },
      grid: foldGrid(ceilDiv(vectors, WG)),
    };
    parts.push({
      rowBegin: tap * s.cin,
      rowEnd: (tap + count) * s.cin,
      cols: colsPadded,
      origin: 0,
      steps: [step],
      operand: "packed",
    });
  }
  return { parts, scratch: Math.min(perPart, taps) * packedTap * 4 };
}

function wholeOrRows(begin: number, end: number, total: number, rowLength: number): string | OperandPart {
  if (begin === 0 && end === total) return "w";
  return { operand: "w", byteOffset: begin * rowLength * 4, byteLength: (end - begin) * rowLength * 4 };
}
