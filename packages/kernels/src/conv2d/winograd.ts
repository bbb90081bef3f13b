import { type Binding, type Capabilities, ceilDiv, foldGrid, type Plan, type Step } from "../plan.js";
import type { Tunable } from "../tuning.js";
import {
  conv2dWinogradImage as IMAGE,
  conv2dWinogradTiles as TILES,
  conv2dWinogradWeight as WEIGHT,
} from "../wgsl.generated.js";
import { type Conv2dEpilogue, epilogueOf } from "./epilogue.js";
import { gatherSteps } from "./gather.js";
import type { Conv2dGeometry, Direction } from "./geometry.js";
import { type Sides, sidesOf } from "./sides.js";
import { weightGradientSteps } from "./weight-gradient.js";
import { CHUNK_BYTES, rowBytes, type Tiling, tilingOf } from "./winograd-tiles.js";

const WG = 64;
/** The product for each factor, over rows of tiles: a 1x1 convolution with a group for each factor. */
const productOf = ({ tilesW, factors }: Tiling, rows: number, inC: number, outC: number): Conv2dGeometry => ({
  ...{ n: 1, inC: inC * factors, inH: rows, inW: tilesW, outC: outC * factors, outH: rows, outW: tilesW },
  ...{ kernelH: 1, kernelW: 1, strideH: 1, strideW: 1, padH: 0, padW: 0, dilationH: 1, dilationW: 1 },
  groups: factors,
});

/** The steps of a plan with its operands under other names. */
const renamed = (steps: readonly Step[], names: Readonly<Record<string, string>>): Step[] =>
  steps.map((step) => ({
    ...step,
    operands: Object.fromEntries(
      Object.entries(step.operands).map(([name, binding]): [string, Binding] => {
        if (typeof binding === "string") return [name, names[binding] ?? binding];
        return [
          name,
          "operand" in binding ? { ...binding, operand: names[binding.operand] ?? binding.operand } : binding,
        ];
      }),
    ),
  }));

/** Patches of x, or with `adjoint` tiles of dy, of the rows of tiles [begin, end) of all images. */
function imageStep(
  { size, tilesH, tilesW }: Tiling,
  from: Sides["from"],
  pad: { readonly h: number; readonly w: number },
  [begin, end]: readonly [number, number],
  operands: { readonly x: string; readonly v: string },
  adjoint: boolean,
): Step {
  const channels = from.c / 4;
  const count = (end - begin) * tilesW * channels;
  return {
    kernel: IMAGE,
    constants: { SIZE: size, ADJOINT: adjoint },
    params: {
      ...{ count, tileBegin: begin * tilesW, tilesH, tilesW, channels },
      ...{ inH: from.h, inW: from.w, padH: pad.h, padW: pad.w },
    },
    operands,
    grid: foldGrid(ceilDiv(count, WG)),
  };
}

function weightStep(
  size: number,
  rows: number,
  columns: number,
  flags: { ADJOINT: boolean; FLIPPED: boolean },
  caps: Capabilities,
): Step {
  const count = (rows * columns) / 4;
  return {
    kernel: WEIGHT,
    constants: { SIZE: size, UNROLLED: !caps.keepsLoops, ...flags },
    params: { count, rows, columns, taps: 3, side: size + 2 },
    operands: flags.ADJOINT ? { w: "dw", u: "u" } : { w: "w", u: "u" },
    grid: foldGrid(ceilDiv(count, WG)),
  };
}

const numbersOf = ({ n }: Conv2dGeometry, { h, w, c }: Sides["from"]): number => n * h * w * c;

/** A convolution of either direction by Winograd's minimal filtering. Scratch: u, v, m, and that of the products. */
export function winogradSteps(
  g: Conv2dGeometry,
  direction: Direction,
  epilogue: Conv2dEpilogue,
  caps: Capabilities,
  tunable: Tunable,
): Plan | undefined {
  const s = sidesOf(g, direction);
  const tiling = tilingOf(tunable.tile.TM, s.to.h, s.to.w);
  const { size, tilesH, tilesW, factors } = tiling;
  const pad = s.transposed ? { h: 2 - g.padH, w: 2 - g.padW } : { h: g.padH, w: g.padW };
  const rows = g.n * tilesH;
  const widest = Math.max(s.cin, s.cout);
  const perChunk = Math.max(1, Math.floor(Math.min(CHUNK_BYTES, caps.bindingLimit) / rowBytes(tiling, widest)));
  const elements = numbersOf(g, s.to);
  const { constants, operands } = epilogueOf(
    epilogue,
    { isFirst: true, isLast: true },
    { begin: 0, end: elements },
    elements,
  );
  const steps = [weightStep(size, s.cin, s.cout, { ADJOINT: false, FLIPPED: s.transposed }, caps)];
  const scratch: Record<string, number> = { u: s.cin * s.cout * factors * 4 };
  for (let begin = 0; begin < rows; begin += perChunk) {
    const end = Math.min(rows, begin + perChunk);
    const product = gatherSteps(
      productOf(tiling, end - begin, s.cin, s.cout),
      "forward",
      { bias: false, residual: false },
      caps,
    );
    if (!product) return undefined;
    const count = (end - begin) * tilesW * (s.cout / 4);
    steps.push(
      imageStep(tiling, s.from, pad, [begin, end], { x: "x", v: "v" }, false),
      ...renamed(product.steps, { x: "v", w: "u", y: "m" }),
      {
        kernel: TILES,
        constants: { SIZE: size, UNROLLED: !caps.keepsLoops, ...constants },
        params: {
          ...{ count, tileBegin: begin * tilesW, tilesH, tilesW },
          ...{ channels: s.cout / 4, outH: s.to.h, outW: s.to.w },
          ...{ size, side: size + 2 },
        },
        operands: { m: "m", ...operands, y: "y" },
        grid: foldGrid(ceilDiv(count, WG)),
      },
    );
    for (const [name, bytes] of Object.entries({
      v: (end - begin) * rowBytes(tiling, s.cin),
      m: (end - begin) * rowBytes(tiling, s.cout),
      ...product.scratch,
    })) {
      scratch[name] = Math.max(scratch[name] ?? 0, bytes);
    }
  }
  return { steps, tunable, scratch };
}

/** A weight gradient by Winograd's minimal filtering. Scratch: u, v, m, slices. */
export function winogradGradientSteps(g: Conv2dGeometry, caps: Capabilities, tunable: Tunable): Plan | undefined {
  const tiling = tilingOf(tunable.tile.TM, g.outH, g.outW);
  const rows = g.n * tiling.tilesH;
  const product = weightGradientSteps(productOf(tiling, rows, g.inC, g.outC), caps);
  if (!product) return undefined;
  const from = { h: g.inH, w: g.inW, c: g.inC };
  const steps = [
    imageStep(tiling, from, { h: g.padH, w: g.padW }, [0, rows], { x: "x", v: "v" }, false),
    imageStep(tiling, { h: g.outH, w: g.outW, c: g.outC }, { h: 0, w: 0 }, [0, rows], { x: "dy", v: "m" }, true),
    ...renamed(product.steps, { x: "v", dy: "m", dw: "u" }),
    weightStep(tiling.size, g.inC, g.outC, { ADJOINT: true, FLIPPED: false }, caps),
  ];
  const scratch = {
    u: g.inC * g.outC * tiling.factors * 4,
    v: rows * rowBytes(tiling, g.inC),
    m: rows * rowBytes(tiling, g.outC),
    ...product.scratch,
  };
  return { steps, tunable, scratch };
}
