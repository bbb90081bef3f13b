import type { Kernel } from "../kernel.js";
import { type Capabilities, ceilDiv, elementWindow, foldGrid, roundUp, type Step, type Window } from "../plan.js";
import { wgsl } from "../wgsl.generated.js";
import { type Conv2dGeometry, geometryParams, phaseParams } from "./geometry.js";

const WG = 64;
const SUBGROUP: Kernel = { name: "conv2d/gather-subgroup", source: wgsl["conv2d/gather-subgroup"] };
const REGISTER: Kernel = { name: "conv2d/gather-register", source: wgsl["conv2d/gather-register"] };
const PACK: Kernel = { name: "conv2d/pack-weight", source: wgsl["conv2d/pack-weight"] };

/** Direction of the gather: `forward` reads the larger side and writes the smaller, `transposed` the reverse. */
export type Direction = "forward" | "transposed";

/** The two sides of a gather and its channel counts, by direction. */
interface Sides {
  readonly transposed: boolean;
  readonly from: { readonly h: number; readonly w: number; readonly c: number };
  readonly to: { readonly h: number; readonly w: number; readonly c: number };
  /** Rows of K per tap and columns, of one group. */
  readonly cin: number;
  readonly cout: number;
  readonly phases: number;
  readonly gridH: number;
  readonly gridW: number;
}

function sidesOf(g: Conv2dGeometry, direction: Direction): Sides {
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

/** Taps [begin, end) of the weight as the gather kernels want them, and where they lie. */
interface WeightPart {
  readonly rowBegin: number;
  readonly rowEnd: number;
  readonly operand: string | Window;
  readonly cols: number;
  readonly steps: readonly Step[];
}

/**
 * The weight in parts that fit a binding. A forward weight whose groups have a multiple of four columns is read where it
 * lies; any other is packed (padded, or transposed) into scratch, a part at a time.
 */
function weightParts(g: Conv2dGeometry, s: Sides, limit: number): { parts: WeightPart[]; scratch: number } {
  const taps = g.kernelH * g.kernelW;
  const colsPadded = roundUp(s.cout, 4);
  const inPlace = !s.transposed && s.cout === colsPadded;
  const sourceTap = (g.inC / g.groups) * g.outC;
  const packedRow = g.groups * colsPadded;
  const packedTap = s.cin * packedRow;
  const parts: WeightPart[] = [];
  if (inPlace) {
    // Sixteen rows of whole vec4 columns keep every window aligned.
    const rows = Math.max(16, Math.floor(limit / 4 / packedRow / 16) * 16);
    const total = taps * s.cin;
    for (let rowBegin = 0; rowBegin < total; rowBegin += rows) {
      const rowEnd = Math.min(total, rowBegin + rows);
      parts.push({
        rowBegin,
        rowEnd,
        cols: colsPadded,
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
    const window = elementWindow("w", tap * sourceTap, (tap + count) * sourceTap);
    const [sRow, sCol] = s.transposed ? [1, g.outC] : [g.outC, 1];
    const elements = count * packedTap;
    const step: Step = {
      kernel: PACK,
      params: {
        count: elements,
        rows: s.cin,
        groups: g.groups,
        cols: s.cout,
        colsPadded,
        sTap: sourceTap,
        sGroup: g.outC / g.groups,
        sRow,
        sCol,
        tapBegin: tap,
        origin: whole ? 0 : window.byteOffset / 4,
      },
      operands: { w: whole ? "w" : window, packed: "packed" },
      grid: foldGrid(ceilDiv(elements, WG)),
    };
    parts.push({
      rowBegin: tap * s.cin,
      rowEnd: (tap + count) * s.cin,
      cols: colsPadded,
      steps: [step],
      operand: "packed",
    });
  }
  return { parts, scratch: Math.min(perPart, taps) * packedTap * 4 };
}

function wholeOrRows(begin: number, end: number, total: number, rowLength: number): string | Window {
  if (begin === 0 && end === total) return "w";
  return { operand: "w", byteOffset: begin * rowLength * 4, byteLength: (end - begin) * rowLength * 4 };
}

/** Output rows [begin, end) of the phase grid (n, row) with the parts of x and y that they touch. */
interface PixelPart {
  readonly mBegin: number;
  readonly mEnd: number;
  readonly x: string | Window;
  readonly y: string | Window;
  readonly xOrigin: number;
  readonly yOrigin: number;
}

function pixelParts(g: Conv2dGeometry, s: Sides, limit: number): PixelPart[] {
  const xRow = s.from.w * s.from.c;
  const yRow = s.to.w * s.to.c;
  const xTotal = g.n * s.from.h * xRow;
  const yTotal = g.n * s.to.h * yRow;
  if (xTotal * 4 <= limit && yTotal * 4 <= limit) {
    return [{ mBegin: 0, mEnd: g.n * s.gridH * s.gridW, x: "x", y: "y", xOrigin: 0, yOrigin: 0 }];
  }
  const parts: PixelPart[] = [];
  const budget = limit / 4 - 64;
  for (let n = 0; n < g.n; n++) {
    for (let begin = 0; begin < s.gridH; ) {
      let end = s.gridH;
      let reach = inputReach(g, s, begin, end);
      const fits = () =>
        (reach[1] - reach[0]) * xRow <= budget && (outputEnd(s, g, end) - outputBegin(s, g, begin)) * yRow <= budget;
      while (end > begin + 1 && !fits()) {
        end = begin + Math.max(1, Math.floor((end - begin) / 2));
        reach = inputReach(g, s, begin, end);
      }
      if (!fits()) return [];
      const xBegin = (n * s.from.h + reach[0]) * xRow;
      const yBegin = (n * s.to.h + outputBegin(s, g, begin)) * yRow;
      const x = elementWindow("x", xBegin, (n * s.from.h + reach[1]) * xRow);
      const y = elementWindow("y", yBegin, (n * s.to.h + outputEnd(s, g, end)) * yRow);
      parts.push({
        mBegin: (n * s.gridH + begin) * s.gridW,
        mEnd: (n * s.gridH + end) * s.gridW,
        x,
        y,
        xOrigin: x.byteOffset / 4,
        yOrigin: y.byteOffset / 4,
      });
      begin = end;
    }
  }
  return parts;
}

const outputBegin = (s: Sides, g: Conv2dGeometry, row: number) => (s.transposed ? row * g.strideH : row);
const outputEnd = (s: Sides, g: Conv2dGeometry, row: number) => Math.min(s.to.h, outputBegin(s, g, row));

/** Input rows [begin, end) that the output rows [begin, end) of the phase grid may read, at least one. */
function inputReach(g: Conv2dGeometry, s: Sides, begin: number, end: number): [number, number] {
  const span = (g.kernelH - 1) * g.dilationH;
  // Output rows that see only padding still bind a row: a window must not begin past the end of x.
  const rows = (first: number, end: number): [number, number] => {
    const top = Math.min(s.from.h - 1, Math.max(0, first));
    return [top, Math.max(top + 1, Math.min(s.from.h, end))];
  };
  if (!s.transposed) {
    return rows(begin * g.strideH - g.padH, (end - 1) * g.strideH - g.padH + span + 1);
  }
  const first = Math.ceil((begin * g.strideH + g.padH - span) / g.strideH);
  const last = Math.floor((end * g.strideH - 1 + g.padH) / g.strideH);
  return rows(first, last + 1);
}

/** Tile of the subgroup variant: pixels a workgroup, and vec4 columns a lane. Small subgroups take two loads a lane. */
const subgroupTile = (lanes: number): { TM: number; TV: number } => ({ TM: Math.min(32, Math.max(16, lanes)), TV: 1 });

/**
 * Steps of `y = gather(x, w) + bias`, or undefined when a single row is larger than a binding. Operands: x, w, y and,
 * with `bias`, b. Scratch: `packed`.
 */
export function gatherSteps(
  g: Conv2dGeometry,
  direction: Direction,
  bias: boolean,
  caps: Capabilities,
): { steps: Step[]; scratch: number } | undefined {
  const s = sidesOf(g, direction);
  const { parts, scratch } = weightParts(g, s, caps.bindingLimit);
  const pixels = pixelParts(g, s, caps.bindingLimit);
  if (parts.length === 0 || pixels.length === 0) return undefined;
  const lanes = caps.subgroupSize;
  const tile = lanes > 0 ? subgroupTile(lanes) : { TM: 8, TV: 1 };
  const n4 = roundUp(s.cout, 4) / 4;
  const nTiles = lanes > 0 ? ceilDiv(n4, lanes * tile.TV) : n4;
  const vecIn = s.cin % 4 === 0;
  const vecOut = s.cout % 4 === 0;
  const steps: Step[] = [];
  for (const [index, part] of parts.entries()) {
    steps.push(...part.steps);
    for (const pixel of pixels) {
      const mTiles = ceilDiv(pixel.mEnd - pixel.mBegin, tile.TM);
      const tiles = mTiles * nTiles * s.phases * g.groups;
      const hasBias = bias && index === 0;
      const variant = lanes > 0 ? { SG: lanes, ...tile } : { WG, TM: tile.TM };
      steps.push({
        kernel: lanes > 0 ? SUBGROUP : REGISTER,
        constants: {
          ...variant,
          VEC_IN: vecIn,
          VEC_OUT: vecOut,
          HAS_BIAS: hasBias,
          ACCUMULATE: index > 0,
          TRANSPOSED: s.transposed,
        },
        params: {
          ...geometryParams(g),
          ...phaseParams(g),
          kernelH: g.kernelH,
          tiles,
          mTiles,
          nTiles,
          phases: s.phases,
          mBegin: pixel.mBegin,
          mEnd: pixel.mEnd,
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
          wStride: (g.groups * part.cols) / 4,
          rowBegin: part.rowBegin,
          rowEnd: part.rowEnd,
          xOrigin: pixel.xOrigin,
          yOrigin: pixel.yOrigin,
        },
        operands: {
          x: vecIn ? "noneX" : pixel.x,
          x4: vecIn ? pixel.x : "noneX",
          w: part.operand,
          bias: hasBias ? "b" : "noneX",
          y: vecOut ? "noneY" : pixel.y,
          y4: vecOut ? pixel.y : "noneY",
        },
        grid: foldGrid(lanes > 0 ? tiles : ceilDiv(tiles, WG)),
      });
    }
  }
  return { steps, scratch };
}
