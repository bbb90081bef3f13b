import { boundPart, type ImagePart } from "../bindingParts.js";
import type { ConstantValue, Kernel } from "../kernel.js";
import { type Capabilities, ceilDiv, foldGrid, type Plan, roundUp, type Step, UNREAD, unwritten } from "../plan.js";
import { scalarOrVector } from "../scalarOrVector.js";
import type { KernelTile, Tunable } from "../tuning.js";
import { busyWorkgroups } from "../variants.js";
import {
  conv2dFinishSlices as FINISH,
  conv2dGatherRegister as REGISTER,
  conv2dGatherSubgroup as SUBGROUP,
  conv2dGatherWorkgroup as WORKGROUP,
} from "../wgsl.generated.js";
import { type Conv2dEpilogue, epilogueOf } from "./epilogue.js";
import { type Conv2dGeometry, type Direction, geometryParams, phaseParams } from "./geometry.js";
import { SCRATCH_CAP } from "./line-splits.js";
import { gatherParts, sidesOf } from "./sides.js";
import { gatherTile } from "./tiles.js";
import { columnParts, rowParts, tapSize } from "./weight-parts.js";
import { workgroupShape } from "./workgroups.js";

const WG = 64;

/** With no more tiles of pixels that share a weight, packing it costs more than reading its columns one by one. */
const FEW_TILES = 4;

/** What a variant makes of its tile. */
interface GatherVariant {
  readonly kernel: Kernel;
  readonly constants: Readonly<Record<string, ConstantValue>>;
  /** Pixels, and columns of four channels, of a tile. */
  readonly pixels: number;
  readonly columns: number;
  /** Tiles of a workgroup. */
  readonly tiles: number;
}

function variantOf(tile: KernelTile, lanes: number): GatherVariant {
  const { variant, TM, SGN, TV } = tile;
  switch (variant) {
    case "subgroup":
      return {
        kernel: SUBGROUP,
        constants: { SG: lanes, SGN, TM, TV },
        pixels: (TM * lanes) / SGN,
        columns: SGN * TV,
        tiles: 1,
      };
    case "workgroup": {
      const { PM, PN, BK } = workgroupShape(tile);
      return { kernel: WORKGROUP, constants: { TM, TV, PM, PN, BK }, pixels: TM * PM, columns: PN * TV, tiles: 1 };
    }
    default:
      return { kernel: REGISTER, constants: { WG, TM }, pixels: TM, columns: 1, tiles: WG };
  }
}

/** A workgroup's share of K is no smaller than this many rows: a second pass has to pay. */
const FEWEST_ROWS = 128;

/** No epilogue, and none of its operands. */
const NONE = { constants: {}, operands: { bias: UNREAD, residual: UNREAD } };

/** Sums the slices of y, of `elements` elements each, and ends with the epilogue. */
function finishSlices(elements: number, slices: number, channels: number, epilogue: Conv2dEpilogue): Step {
  const whole = { begin: 0, end: elements };
  const { constants, operands } = epilogueOf(epilogue, { isFirst: true, isLast: true }, whole, elements);
  return {
    kernel: FINISH,
    constants,
    params: { count: elements / 4, slices, channels },
    operands: { partial: "slices", ...operands, y: "y" },
    grid: foldGrid(ceilDiv(elements / 4, WG)),
  };
}

/** Runs of rows of K that workgroups of their own sum, so that a small image with many channels keeps a GPU busy. */
function splitRows(rows: number, tiles: number, elements: number, caps: Capabilities): number {
  const room = Math.floor(Math.min(SCRATCH_CAP, caps.bindingLimit) / (elements * 4));
  const splits = Math.min(Math.floor(busyWorkgroups(caps) / tiles), Math.floor(rows / FEWEST_ROWS), room);
  return splits > 1 ? roundUp(ceilDiv(rows, splits), FEWEST_ROWS / 4) : rows;
}

/**
 * Steps of a convolution in either direction; undefined when a single row is larger than a binding. Operands: x, w, y
 * and those of the epilogue. Scratch: `packed`, `slices`.
 */
export function gatherSteps(
  g: Conv2dGeometry,
  direction: Direction,
  epilogue: Conv2dEpilogue,
  caps: Capabilities,
  tunable: Tunable = gatherTile(g, direction, caps),
): Plan | undefined {
  const s = sidesOf(g, direction);
  const pixels = gatherParts(g, s, caps);
  const n4 = roundUp(s.cout, 4) / 4;
  const variant = variantOf(tunable.tile, caps.subgroupSize);
  const isWorkgroup = variant.kernel === WORKGROUP;
  const isMerged = isWorkgroup && !s.transposed && g.groups === 1 && g.dilationW === 1 && s.cin < 8;
  const vecIn = s.cin % 4 === 0 && !isMerged;
  const vecOut = s.cout % 4 === 0;
  const isFew = !isWorkgroup && g.n * s.gridH * s.gridW <= FEW_TILES * variant.pixels;
  const byColumn = s.transposed && (vecIn || isFew);
  const { parts, scratch: packed } = byColumn
    ? { parts: columnParts(g, s, caps), scratch: 0 }
    : rowParts(g, s, caps.bindingLimit);
  if (parts.length === 0 || pixels.length === 0) return undefined;
  const nTiles = ceilDiv(n4, variant.columns);
  const elements = g.n * s.to.h * s.to.w * s.to.c;
  const rows = g.kernelH * g.kernelW * s.cin;
  const tilesOf = ({ steps }: ImagePart): number =>
    ceilDiv((steps.end - steps.begin) * s.gridW, variant.pixels) * nTiles * s.phases * g.groups;
  const isWhole = parts.length === 1 && pixels.length === 1 && s.phases === 1 && s.to.c % 4 === 0;
  const rowsPerSplit = isWorkgroup && isWhole ? splitRows(rows, tilesOf(pixels[0] as ImagePart), elements, caps) : rows;
  const splits = ceilDiv(rows, rowsPerSplit);
  const steps: Step[] = [];
  for (const [index, part] of parts.entries()) {
    steps.push(...part.steps);
    for (const pixel of pixels) {
      const x = boundPart("x", pixel.from, g.n * s.from.h * s.from.w * s.from.c);
      const y = boundPart(splits > 1 ? "slices" : "y", pixel.to, elements);
      const tiles = tilesOf(pixel) * splits;
      const place = { isFirst: index === 0, isLast: index === parts.length - 1 };
      const end = splits > 1 ? NONE : epilogueOf(epilogue, place, pixel.to, elements);
      const weight = part.operand;
      steps.push({
        kernel: variant.kernel,
        constants: {
          ...variant.constants,
          VEC_IN: vecIn,
          VEC_OUT: vecOut,
          ...end.constants,
          ACCUMULATE: index > 0,
          TRANSPOSED: s.transposed,
          BY_COLUMN: byColumn,
          ...(isWorkgroup
            ? { MERGED: isMerged, TAIL: isMerged || s.cin % (variant.constants.BK as number) !== 0 }
            : {}),
        },
        params: {
          ...geometryParams(g),
          ...phaseParams(g),
          kernelH: g.kernelH,
          tiles,
          mTiles: ceilDiv((pixel.steps.end - pixel.steps.begin) * s.gridW, variant.pixels),
          nTiles,
          phases: s.phases,
          mBegin: pixel.steps.begin * s.gridW,
          mEnd: pixel.steps.end * s.gridW,
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
          ...(isWorkgroup ? { groups: g.groups, rowsPerSplit, ySlice: elements } : {}),
        },
        operands: {
          ...scalarOrVector(vecIn, "x", x.operand),
          ...(isWorkgroup
            ? { w: weight }
            : { w: byColumn && !vecIn ? UNREAD : weight, w1: byColumn && !vecIn ? weight : UNREAD }),
          ...end.operands,
          ...scalarOrVector(vecOut, "y", y.operand, unwritten("y")),
        },
        grid: foldGrid(ceilDiv(tiles, variant.tiles)),
      });
    }
  }
  if (splits > 1) steps.push(finishSlices(elements, splits, s.to.c, epilogue));
  const slices = splits > 1 ? { slices: splits * elements * 4 } : {};
  const sums = parts.length > 1 ? { sums: elements } : {};
  return { steps, tunable, ...sums, scratch: { ...(packed > 0 ? { packed } : {}), ...slices } };
}
