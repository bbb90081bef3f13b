import type { Kernel } from "../kernel.js";
import { ceilDiv, foldGrid, type Plan } from "../plan.js";
import { wgsl } from "../wgsl.generated.js";

const WG = 64;
const FORWARD: Kernel = { name: "lrn/forward", source: wgsl["lrn/forward"] };
const RATIO: Kernel = { name: "lrn/ratio", source: wgsl["lrn/ratio"] };
const GRADIENT: Kernel = { name: "lrn/gradient", source: wgsl["lrn/gradient"] };

/** Local response normalisation of `count` elements, channels last. */
export interface LrnGeometry {
  readonly count: number;
  readonly channels: number;
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly k: number;
}

function windowParams({ count, channels, size, alpha, beta }: LrnGeometry) {
  const before = Math.floor(size / 2);
  const after = Math.floor((size - 1) / 2);
  return { count, channels, before, after, slope: alpha / size, beta };
}

/** Operands: x, y, d (the denominator before its power, as large as x). */
export function planLocalResponseNorm(g: LrnGeometry): Plan {
  const params = { ...windowParams(g), k: g.k };
  const operands = { x: "x", y: "y", d: "d" };
  return { steps: [{ kernel: FORWARD, params, operands, grid: foldGrid(ceilDiv(g.count, WG)) }] };
}

/** Operands: x, dy, d, dx. */
export function planLocalResponseNormGradient(g: LrnGeometry): Plan {
  const grid = foldGrid(ceilDiv(g.count, WG));
  const given = { x: "x", dy: "dy", d: "d", r: "r" };
  return {
    steps: [
      { kernel: RATIO, params: { count: g.count, beta: g.beta }, operands: given, grid },
      { kernel: GRADIENT, params: windowParams(g), operands: { ...given, dx: "dx" }, grid },
    ],
    scratch: { r: g.count * 4 },
  };
}
