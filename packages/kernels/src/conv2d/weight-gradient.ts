import { boundPart } from "../bindingParts.js";
import type { ConstantValue, Kernel } from "../kernel.js";
import { type Capabilities, ceilDiv, foldGrid, operandPart, type Plan, type Step } from "../plan.js";
import { sumSlices } from "../reduce/sum-slices.js";
import { scalarOrVector } from "../scalarOrVector.js";
import type { KernelTile, Tunable } from "../tuning.js";
import { busyWorkgroups } from "../variants.js";
import {
  conv2dWeightGradientRegister as REGISTER,
  conv2dWeightGradientSubgroup as SUBGROUP,
  conv2dWeightGradientWorkgroup as WORKGROUP,
} from "../wgsl.generated.js";
import { type Conv2dGeometry, geometryParams } from "./geometry.js";
import { lineSplits } from "./line-splits.js";
import { weightGradientParts } from "./sides.js";
import { weightGradientTile } from "./tiles.js";

const WG = 64;

/** What a variant makes of its tile. */
interface GradientVariant {
  readonly kernel: Kernel;
  readonly constants: Readonly<Record<string, ConstantValue>>;
  /** Rows, and columns of four channels, of a tile. */
  readonly rows: number;
  readonly columns: number;
  /** Tiles of a workgroup. */
  readonly tiles: number;
  /** Tiles that keep the device busy. */
  readonly busy: number;
}

/** Pixels of a step of the workgroup variant. */
const BK = 8;
/** A power of two, so that few pipelines serve all sizes. */
const carriesOf = ({ outW }: Conv2dGeometry): number => 2 ** Math.ceil(Math.log2(ceilDiv(BK, outW)));

function variantOf(g: Conv2dGeometry, { variant, TM, SGN }: KernelTile, caps: Capabilities): GradientVariant {
  const lanes = caps.subgroupSize;
  switch (variant) {
    case "subgroup":
      return {
        kernel: SUBGROUP,
        constants: { SG: lanes, SGN, TM },
        rows: (TM * lanes) / SGN,
        columns: SGN,
        tiles: 1,
        busy: caps.parallelism,
      };
    case "workgroup":
      return {
        kernel: WORKGROUP,
        constants: { TM, PM: (4 * SGN) / TM, PN: SGN, BK, CARRIES: carriesOf(g) },
        rows: 4 * SGN,
        columns: SGN,
        tiles: 1,
        busy: busyWorkgroups(caps),
      };
    default:
      return { kernel: REGISTER, constants: { WG, TM }, rows: TM, columns: 1, tiles: WG, busy: caps.parallelism * WG };
  }
}

/**
 * Steps of the weight gradient dw [kernelH, kernelW, inC / groups, outC]; undefined when a single row is larger than a
 * binding. Operands: x, dy, dw. Scratch: `slices`.
 */
export function weightGradientSteps(
  g: Conv2dGeometry,
  caps: Capabilities,
  tunable: Tunable = weightGradientTile(g, caps),
): Plan | undefined {
  const cin = g.inC / g.groups;
  const cout = g.outC / g.groups;
  const rows = g.kernelH * g.kernelW * cin;
  const elements = rows * g.outC;
  const vecIn = cin % 4 === 0;
  const vecOut = cout % 4 === 0;
  const n4 = ceilDiv(cout, 4);
  const { TM } = tunable.tile;
  const variant = variantOf(g, tunable.tile, caps);
  const parts = weightGradientParts(g, caps);
  const rowsPerPart =
    elements * 4 <= caps.bindingLimit ? rows : Math.floor((caps.bindingLimit / 4 - 64) / g.outC / TM) * TM;
  if (parts.length === 0 || rowsPerPart < 1) return undefined;
  const nTiles = ceilDiv(n4, variant.columns);
  const wanted = ceilDiv(variant.busy, ceilDiv(rows, variant.rows) * nTiles * g.groups);
  const { perPart, accumulate, slices, target } = lineSplits(parts, elements, wanted, caps);
  const steps: Step[] = [];
  for (const [index, part] of parts.entries()) {
    const linesPerSplit = ceilDiv(part.steps.end - part.steps.begin, perPart);
    const x = boundPart("x", part.from, g.n * g.inH * g.inW * g.inC);
    const dy = boundPart("dy", part.to, g.n * g.outH * g.outW * g.outC);
    for (let rowBegin = 0; rowBegin < rows; rowBegin += rowsPerPart) {
      const rowEnd = Math.min(rows, rowBegin + rowsPerPart);
      const dw = rowsPerPart === rows ? target : operandPart(target, rowBegin * g.outC, rowEnd * g.outC);
      const mTiles = ceilDiv(rowEnd - rowBegin, variant.rows);
      const tiles = mTiles * nTiles * g.groups * perPart;
      const base = slices > 1 ? index * perPart * elements : 0;
      steps.push({
        kernel: variant.kernel,
        constants: {
          ...variant.constants,
          VEC_IN: vecIn,
          VEC_OUT: vecOut,
          ACCUMULATE: accumulate && index > 0,
        },
        params: {
          ...geometryParams(g),
          tiles,
          mTiles,
          nTiles,
          splits: perPart,
          lineBegin: part.steps.begin,
          lineEnd: part.steps.end,
          linesPerSplit,
          inH: g.inH,
          inW: g.inW,
          inC: g.inC,
          cin,
          outH: g.outH,
          outW: g.outW,
          outC: g.outC,
          cout,
          rowBegin,
          rowEnd,
          dwC: g.outC,
          dwSlice: elements,
          xOrigin: x.origin,
          dyOrigin: dy.origin,
          // The slices of later parts follow the earlier ones, so the origin may be negative; 32-bit arithmetic wraps.
          dwOrigin: (typeof dw === "string" ? 0 : dw.byteOffset / 4) - base,
        },
        operands: {
          ...scalarOrVector(vecIn, "x", x.operand),
          ...scalarOrVector(vecOut, "dy", dy.operand),
          dw,
        },
        grid: foldGrid(ceilDiv(tiles, variant.tiles)),
      });
    }
  }
  if (slices === 1) return { steps, tunable };
  steps.push(sumSlices(elements, slices, "slices", "dw"));
  return { steps, tunable, scratch: { slices: slices * elements * 4 } };
}
