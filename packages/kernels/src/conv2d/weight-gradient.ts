import type { Kernel } from "../kernel.js";
import { type Capabilities, ceilDiv, elementWindow, foldGrid, type Step } from "../plan.js";
import { wgsl } from "../wgsl.generated.js";
import { type Conv2dGeometry, geometryParams, isDepthwise } from "./geometry.js";

const WG = 64;
const SUBGROUP: Kernel = { name: "conv2d/weight-gradient-subgroup", source: wgsl["conv2d/weight-gradient-subgroup"] };
const REGISTER: Kernel = { name: "conv2d/weight-gradient-register", source: wgsl["conv2d/weight-gradient-register"] };
const DEPTHWISE: Kernel = {
  name: "conv2d/depthwise-weight-gradient",
  source: wgsl["conv2d/depthwise-weight-gradient"],
};
const SUM: Kernel = { name: "reduce/sum-slices", source: wgsl["reduce/sum-slices"] };

/** The slices of a split reduction may take this much memory at most. */
const SCRATCH_CAP = 32 * 1024 * 1024;

/** `y = sum of slices`, the second pass of a split reduction. Operands: `partial`, `y`. */
export function sumSlices(count: number, slices: number, partial: string, y: string, accumulate = false): Step {
  return {
    kernel: SUM,
    constants: { ACCUMULATE: accumulate },
    params: { count, slices },
    operands: { partial, y },
    grid: foldGrid(ceilDiv(count, WG)),
  };
}

/** Output lines (n, oy) in runs whose x and dy fit a binding, images apart when x must be cut. */
function lineParts(g: Conv2dGeometry, limit: number): { begin: number; end: number; xBegin: number; xEnd: number }[] {
  const lines = g.n * g.outH;
  const xRow = g.inW * g.inC;
  const dyRow = g.outW * g.outC;
  const budget = limit / 4 - 64;
  if (g.n * g.inH * xRow * 4 <= limit && lines * dyRow * 4 <= limit) {
    return [{ begin: 0, end: lines, xBegin: 0, xEnd: g.n * g.inH * xRow }];
  }
  const parts = [];
  const span = (g.kernelH - 1) * g.dilationH + 1;
  const perPart = Math.min(Math.floor(budget / dyRow), Math.floor((budget / xRow - span) / g.strideH) + 1);
  if (perPart < 1) return [];
  for (let n = 0; n < g.n; n++) {
    for (let row = 0; row < g.outH; row += perPart) {
      const end = Math.min(g.outH, row + perPart);
      const clampRow = (v: number) => Math.min(g.inH, Math.max(0, v));
      const top = clampRow(row * g.strideH - g.padH);
      const bottom = Math.max(top + 1, clampRow((end - 1) * g.strideH - g.padH + span));
      parts.push({
        begin: n * g.outH + row,
        end: n * g.outH + end,
        xBegin: (n * g.inH + Math.min(top, g.inH - 1)) * xRow,
        xEnd: (n * g.inH + Math.min(bottom, g.inH)) * xRow,
      });
    }
  }
  return parts;
}

/**
 * Steps of `dw = weightGradient(x, dy)` in the order (kernelH, kernelW, inC / groups, outC), or undefined when a single
 * row is larger than a binding. Operands: x, dy, dw. Scratch: `slices`.
 */
export function weightGradientSteps(
  g: Conv2dGeometry,
  caps: Capabilities,
): { steps: Step[]; scratch: number } | undefined {
  if (isDepthwise(g)) return depthwiseSteps(g, caps);
  const cin = g.inC / g.groups;
  const cout = g.outC / g.groups;
  const rows = g.kernelH * g.kernelW * cin;
  const elements = rows * g.outC;
  const lanes = caps.subgroupSize;
  const vecIn = cin % 4 === 0;
  const vecOut = cout % 4 === 0;
  const TM = lanes > 0 ? (vecIn ? 16 : Math.min(8, lanes)) : 8;
  const parts = lineParts(g, caps.bindingLimit);
  const rowsPerWindow =
    elements * 4 <= caps.bindingLimit ? rows : Math.floor((caps.bindingLimit / 4 - 64) / g.outC / TM) * TM;
  if (parts.length === 0 || rowsPerWindow < 1) return undefined;
  const whole = parts.length === 1;
  const n4 = ceilDiv(cout, 4);
  const nTiles = lanes > 0 ? ceilDiv(n4, lanes) : n4;
  const lines = Math.max(...parts.map((part) => part.end - part.begin));
  const busy = ceilDiv(rows, TM) * nTiles * g.groups;
  const wanted = ceilDiv(caps.parallelism * (lanes > 0 ? 1 : WG), busy);
  const cap = Math.floor(Math.min(SCRATCH_CAP, caps.bindingLimit) / (elements * 4));
  // Parts of the lines must each leave a slice behind, or add to one another when a slice is too large to repeat.
  const perPart = Math.max(1, Math.min(wanted, lines, Math.floor(cap / parts.length)));
  const accumulate = parts.length > cap;
  const slices = accumulate ? 1 : perPart * parts.length;
  const target = slices > 1 ? "slices" : "dw";
  const steps: Step[] = [];
  for (const [index, part] of parts.entries()) {
    const linesPerSplit = ceilDiv(part.end - part.begin, perPart);
    const x = whole ? "x" : elementWindow("x", part.xBegin, part.xEnd);
    const dy = whole ? "dy" : elementWindow("dy", part.begin * g.outW * g.outC, part.end * g.outW * g.outC);
    for (let rowBegin = 0; rowBegin < rows; rowBegin += rowsPerWindow) {
      const rowEnd = Math.min(rows, rowBegin + rowsPerWindow);
      const dw = rowsPerWindow === rows ? target : elementWindow(target, rowBegin * g.outC, rowEnd * g.outC);
      const mTiles = ceilDiv(rowEnd - rowBegin, TM);
      const tiles = mTiles * nTiles * g.groups * perPart;
      const base = slices > 1 ? index * perPart * elements : 0;
      steps.push({
        kernel: lanes > 0 ? SUBGROUP : REGISTER,
        constants: {
          ...(lanes > 0 ? { SG: lanes } : { WG }),
          TM,
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
          lineBegin: part.begin,
          lineEnd: part.end,
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
          xOrigin: typeof x === "string" ? 0 : x.byteOffset / 4,
          dyOrigin: typeof dy === "string" ? 0 : dy.byteOffset / 4,
          // Slices of later parts follow the earlier ones: a negative origin in 32-bit wrap-around arithmetic.
          dwOrigin: (typeof dw === "string" ? 0 : dw.byteOffset / 4) - base,
        },
        operands: {
          x: vecIn ? "noneX" : x,
          x4: vecIn ? x : "noneX",
          dy: vecOut ? "noneX" : dy,
          dy4: vecOut ? dy : "noneX",
          dw,
        },
        grid: foldGrid(lanes > 0 ? tiles : ceilDiv(tiles, WG)),
      });
    }
  }
  if (slices > 1) steps.push(sumSlices(elements, slices, "slices", "dw"));
  return { steps, scratch: slices > 1 ? slices * elements * 4 : 0 };
}

function depthwiseSteps(g: Conv2dGeometry, caps: Capabilities): { steps: Step[]; scratch: number } | undefined {
  const lines = g.n * g.outH;
  if (Math.max(g.n * g.inH * g.inW, lines * g.outW) * g.inC * 4 > caps.bindingLimit) return undefined;
  const taps = g.kernelH * g.kernelW;
  const elements = taps * g.inC;
  const wanted = ceilDiv(caps.parallelism * WG, elements);
  const splits = Math.max(1, Math.min(wanted, lines, Math.floor(SCRATCH_CAP / (elements * 4))));
  const count = elements * splits;
  const step: Step = {
    kernel: DEPTHWISE,
    params: {
      ...geometryParams(g),
      count,
      channels: g.inC,
      taps,
      lines,
      linesPerSplit: ceilDiv(lines, splits),
      inH: g.inH,
      inW: g.inW,
      outH: g.outH,
      outW: g.outW,
    },
    operands: { x: "x", dy: "dy", dw: splits > 1 ? "slices" : "dw" },
    grid: foldGrid(ceilDiv(count, WG)),
  };
  return splits > 1
    ? { steps: [step, sumSlices(elements, splits, "slices", "dw")], scratch: count * 4 }
    : { steps: [step], scratch: 0 };
}
