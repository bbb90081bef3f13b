import { boundPart, type ImagePart, imageParts, rowRanges } from "../bindingParts.js";
import {
  type Capabilities,
  ceilDiv,
  foldGrid,
  type OperandPart,
  operandPart,
  roundUp,
  type Step,
  UNREAD,
  unwritten,
} from "../plan.js";
import { scalarOrVector } from "../scalarOrVector.js";
import type { Tunable } from "../tuning.js";
import {
  conv2dPackWeight as PACK,
  conv2dGatherRegister as REGISTER,
  conv2dGatherSubgroup as SUBGROUP,
} from "../wgsl.generated.js";
import { type Conv2dEpilogue, epilogueOf } from "./epilogue.js";
import { type Conv2dGeometry, type Direction, geometryParams, phaseParams } from "./geometry.js";
import { gatherTile } from "./tiles.js";

const WG = 64;

/** With no more tiles of pixels that share a weight, packing it costs more than reading its columns one by one. */
const FEW_TILES = 4;

/** The two sides of a gather and its channel counts, by direction. */
export interface Sides {
  readonly transposed: boolean;
  readonly from: { readonly h: number; readonly w: number; readonly c: number };
  readonly to: { readonly h: number; readonly w: number; readonly c: number };
  /** Rows of K for each tap, and columns, of one group. */
  readonly cin: number;
  readonly cout: number;
  readonly phases: number;
  readonly gridH: number;
  readonly gridW: number;
}

export function sidesOf(g: Conv2dGeometry, direction: Direction): Sides {
  const big = { h: g.inH, w: g.inW, c: g.inC };
  const small = { h: g.outH, w: g.outW, c: g.outC };
  const transposed = direction === "transposed";
  const [from, to] = transposed ? [small, big] : [big, small];
  return {
    transposed,
    from,
    to,
    cin: from.c / g.groups,
    cout: to.c / g.groups,
    phases: transposed ? g.strideH * g.strideW : 1,
    gridH: transposed ? ceilDiv(to.h, g.strideH) : to.h,
    gridW: transposed ? ceilDiv(to.w, g.strideW) : to.w,
  };
}

/** Rows of the weight in the form that the gather kernels read, and what is bound for them. */
interface WeightPart {
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
const tapSize = (g: Conv2dGeometry): number => (g.inC / g.groups) * g.outC;

/** Whole taps of the weight as it is stored, read by columns of K. */
function columnParts(g: Conv2dGeometry, s: Sides, caps: Capabilities): WeightPart[] {
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
function rowParts(g: Conv2dGeometry, s: Sides, limit: number): { parts: WeightPart[]; scratch: number } {
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

/** Parts of the walk over the phase grid. A row of it is an output row or, where transposed, `strideH` output rows. */
export function gatherParts(g: Conv2dGeometry, s: Sides, caps: Capabilities): ImagePart[] {
  const span = (g.kernelH - 1) * g.dilationH;
  const stride = g.strideH;
  return imageParts(
    {
      n: g.n,
      steps: s.gridH,
      from: { rows: s.from.h, length: s.from.w * s.from.c },
      to: { rows: s.to.h, length: s.to.w * s.to.c },
      reads: s.transposed
        ? (begin, end) => ({
            begin: Math.ceil((begin * stride + g.padH - span) / stride),
            end: Math.floor((end * stride - 1 + g.padH) / stride) + 1,
          })
        : (begin, end) => ({ begin: begin * stride - g.padH, end: (end - 1) * stride - g.padH + span + 1 }),
      writes: s.transposed
        ? (begin, end) => ({ begin: begin * stride, end: end * stride })
        : (begin, end) => ({ begin, end }),
    },
    caps,
  );
}

/** Ranges of output lines (n, oy) of a weight gradient, with the parts of x (`from`) and dy (`to`) that they read. */
export const weightGradientParts = (g: Conv2dGeometry, caps: Capabilities): ImagePart[] =>
  gatherParts(g, sidesOf(g, "forward"), caps);

/**
 * Steps of a convolution in either direction; undefined when a single row is larger than a binding. Operands: x, w, y
 * and those of the epilogue. Scratch: `packed`.
 */
export function gatherSteps(
  g: Conv2dGeometry,
  direction: Direction,
  epilogue: Conv2dEpilogue,
  caps: Capabilities,
): { steps: Step[]; packed: number; tunable: Tunable } | undefined {
  const s = sidesOf(g, direction);
  const pixels = gatherParts(g, s, caps);
  const lanes = caps.subgroupSize;
  const n4 = roundUp(s.cout, 4) / 4;
  const tunable = gatherTile(g, direction, n4, g.n * s.gridH * s.gridW * s.phases * g.groups, caps);
  const { variant, TM, SGN, TV } = tunable.tile;
  const isSubgroup = variant === "subgroup";
  const nTiles = isSubgroup ? ceilDiv(n4, SGN * TV) : n4;
  const pixelsPerTile = isSubgroup ? (TM * lanes) / SGN : TM;
  const vecIn = s.cin % 4 === 0;
  const vecOut = s.cout % 4 === 0;
  const byColumn = s.transposed && (vecIn || g.n * s.gridH * s.gridW <= FEW_TILES * pixelsPerTile);
  const { parts, scratch } = byColumn
    ? { parts: columnParts(g, s, caps), scratch: 0 }
    : rowParts(g, s, caps.bindingLimit);
  if (parts.length === 0 || pixels.length === 0) return undefined;
  const steps: Step[] = [];
  for (const [index, part] of parts.entries()) {
    steps.push(...part.steps);
    for (const pixel of pixels) {
      const x = boundPart("x", pixel.from, g.n * s.from.h * s.from.w * s.from.c);
      const size = g.n * s.to.h * s.to.w * s.to.c;
      const y = boundPart("y", pixel.to, size);
      const place = { isFirst: index === 0, isLast: index === parts.length - 1 };
      const { constants, operands } = epilogueOf(epilogue, place, pixel.to, size);
      const [mBegin, mEnd] = [pixel.steps.begin * s.gridW, pixel.steps.end * s.gridW];
      const mTiles = ceilDiv(mEnd - mBegin, pixelsPerTile);
      const tiles = mTiles * nTiles * s.phases * g.groups;
      steps.push({
        kernel: isSubgroup ? SUBGROUP : REGISTER,
        constants: {
          ...(isSubgroup ? { SG: lanes, SGN, TM, TV } : { WG, TM }),
          VEC_IN: vecIn,
          VEC_OUT: vecOut,
          ...constants,
          ACCUMULATE: index > 0,
          TRANSPOSED: s.transposed,
          BY_COLUMN: byColumn,
        },
        params: {
          ...geometryParams(g),
          ...phaseParams(g),
          kernelH: g.kernelH,
          tiles,
          mTiles,
          nTiles,
          phases: s.phases,
          mBegin,
          mEnd,
          gridH: s.gridH,
          gridW: s.gridW,
          inH: s.from.h,
          inW: s.from.w,
          inC: s.from.c,
          cin: s.cin,
          outH: s.to.h,
          outW: s.to.w,
          outC: s.to.c,
          cout: s.cout,
          wCols: part.cols / 4,
          wStride: byColumn ? g.outC : (g.groups * part.cols) / 4,
          wTap: tapSize(g),
          wOrigin: part.origin,
          rowBegin: part.rowBegin,
          rowEnd: part.rowEnd,
          xOrigin: x.origin,
          yOrigin: y.origin,
        },
        operands: {
          ...scalarOrVector(vecIn, "x", x.operand),
          w: byColumn && !vecIn ? UNREAD : part.operand,
          w1: byColumn && !vecIn ? part.operand : UNREAD,
          ...operands,
          ...scalarOrVector(vecOut, "y", y.operand, unwritten("y")),
        },
        grid: foldGrid(isSubgroup ? tiles : ceilDiv(tiles, WG)),
      });
    }
  }
  return { steps, packed: scratch, tunable };
}
