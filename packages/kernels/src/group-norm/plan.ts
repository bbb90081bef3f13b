import type { Kernel } from "../kernel.js";
import { type Capabilities, ceilDiv, foldGrid, type Plan, type Step } from "../plan.js";
import { wgsl } from "../wgsl.generated.js";

const WG = 64;
/** Rows that one thread of an elementwise pass takes. */
const ROWS = 8;
/** A slice of a reduction has at least this many rows, and an image at most this many slices. */
const MIN_ROWS = 16;
const MAX_SLICES = 64;

type Name =
  | "moments"
  | "merge"
  | "apply"
  | "gradient-sums"
  | "gradient-terms"
  | "gradient-parameters"
  | "gradient-apply";
const kernel = (name: Name): Kernel => ({ name: `group-norm/${name}`, source: wgsl[`group-norm/${name}`] });

/** Normalisation of `images` x `rows` x `channels` elements, channels last: rows are the pixels of an image. */
export interface GroupNormGeometry {
  readonly images: number;
  readonly rows: number;
  readonly channels: number;
  /** Divides the channels. */
  readonly groups: number;
  readonly hasWeight: boolean;
}

const widthOf = (g: GroupNormGeometry): number => g.channels / g.groups;
const statisticsOf = (g: GroupNormGeometry): number => g.images * g.groups;
const over = (count: number) => foldGrid(ceilDiv(count, WG));

/** Slices of an image enough to keep the device busy, none of them empty. */
function split(g: GroupNormGeometry, caps: Capabilities): { slices: number; rowsPerSlice: number } {
  const threads = g.images * g.channels;
  const wanted = Math.min(ceilDiv(caps.parallelism * WG, threads), ceilDiv(g.rows, MIN_ROWS), MAX_SLICES);
  const rowsPerSlice = ceilDiv(g.rows, Math.max(1, wanted));
  return { rowsPerSlice, slices: ceilDiv(g.rows, rowsPerSlice) };
}

function elementwise(
  g: GroupNormGeometry,
  name: Name,
  constants: Record<string, boolean>,
  operands: Record<string, string>,
): Step {
  const { channels, rows } = g;
  const blocks = ceilDiv(rows, ROWS);
  const count = g.images * blocks * channels;
  return {
    kernel: kernel(name),
    constants: { ROWS, HAS_WEIGHT: g.hasWeight, ...constants },
    params: { count, channels, width: widthOf(g), rows, blocks, statistics: statisticsOf(g) },
    operands: { ...operands, weight: g.hasWeight ? "weight" : "noneX" },
    grid: over(count),
  };
}

/** Operands: x, y, stats ([2, images, groups]: mean, 1 / std) and, where given, weight and bias. */
export function planGroupNorm(
  g: GroupNormGeometry & { readonly hasBias: boolean; readonly eps: number },
  caps: Capabilities,
): Plan {
  const { channels, rows } = g;
  const parts = split(g, caps);
  const count = g.images * parts.slices * channels;
  const statistics = statisticsOf(g);
  const bias = g.hasBias ? "bias" : "noneX";
  return {
    steps: [
      {
        kernel: kernel("moments"),
        params: { count, channels, rows, ...parts },
        operands: { x: "x", partial: "partial" },
        grid: over(count),
      },
      {
        kernel: kernel("merge"),
        params: { count: statistics, channels, width: widthOf(g), rows, ...parts, eps: g.eps },
        operands: { partial: "partial", stats: "stats" },
        grid: over(statistics),
      },
      elementwise(g, "apply", { HAS_BIAS: g.hasBias }, { x: "x", stats: "stats", bias, y: "y" }),
    ],
    scratch: { partial: 2 * count * 4 },
  };
}

/** Operands: x, dy, stats, weight where there is one, dx where `input`, dweight and dbias where `parameters`. */
export function planGroupNormGradient(
  g: GroupNormGeometry & { readonly input: boolean; readonly parameters: boolean },
  caps: Capabilities,
): Plan {
  const { images, channels, rows } = g;
  const parts = split(g, caps);
  const count = images * parts.slices * channels;
  const statistics = statisticsOf(g);
  const width = widthOf(g);
  const sums: Step = {
    kernel: kernel("gradient-sums"),
    params: { count, channels, width, rows, ...parts, statistics },
    operands: { x: "x", dy: "dy", stats: "stats", partial: "partial" },
    grid: over(count),
  };
  const parameters: Step = {
    kernel: kernel("gradient-parameters"),
    params: { count: channels, slices: images * parts.slices },
    operands: { partial: "partial", dweight: "dweight", dbias: "dbias" },
    grid: over(channels),
  };
  const terms: Step = {
    kernel: kernel("gradient-terms"),
    constants: { HAS_WEIGHT: g.hasWeight },
    params: { count: statistics, channels, width, rows, slices: parts.slices },
    operands: { partial: "partial", weight: g.hasWeight ? "weight" : "noneX", terms: "terms" },
    grid: over(statistics),
  };
  const apply = elementwise(g, "gradient-apply", {}, { x: "x", dy: "dy", stats: "stats", terms: "terms", dx: "dx" });
  return {
    steps: [sums, ...(g.parameters ? [parameters] : []), ...(g.input ? [terms, apply] : [])],
    scratch: { partial: 2 * count * 4, ...(g.input ? { terms: 2 * statistics * 4 } : {}) },
  };
}
