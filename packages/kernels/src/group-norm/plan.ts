import { type Binding, type Capabilities, ceilDiv, foldGrid, type Plan, type Step, UNREAD } from "../plan.js";
import {
  groupNormApply,
  groupNormBackwardApply,
  groupNormBackwardParameters,
  groupNormBackwardSums,
  groupNormBackwardTerms,
  groupNormMerge,
  groupNormMoments,
} from "../wgsl.generated.js";
import { fits, type Range, rowRuns, sliceOf } from "../windows.js";

const WG = 64;
/** Rows that one thread of an elementwise pass takes. */
const ROWS = 8;
/** A slice of a reduction has at least this many rows, and an image at most this many slices. */
const MIN_ROWS = 16;
const MAX_SLICES = 64;

const KERNELS = {
  moments: groupNormMoments,
  merge: groupNormMerge,
  apply: groupNormApply,
  "backward-sums": groupNormBackwardSums,
  "backward-terms": groupNormBackwardTerms,
  "backward-parameters": groupNormBackwardParameters,
  "backward-apply": groupNormBackwardApply,
};
type Name = keyof typeof KERNELS;

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
  const whole = ceilDiv(g.rows, Math.max(1, wanted));
  const rowsPerSlice = fits(g.images * g.rows * g.channels, caps) ? whole : Math.min(whole, MIN_ROWS * ROWS);
  return { rowsPerSlice, slices: ceilDiv(g.rows, rowsPerSlice) };
}

/** Slices or blocks of `per` rows that are worked on together, and the elements of x, y, dy or dx that they hold. */
interface UnitRun {
  readonly unit: number;
  readonly count: number;
  readonly elements: Range;
}

/** The units of all images, in runs that fit a binding; none when a unit does not. */
function unitRuns({ images, rows, channels }: GroupNormGeometry, per: number, caps: Capabilities): UnitRun[] {
  const perImage = ceilDiv(rows, per);
  const rowOf = (unit: number): number => Math.floor(unit / perImage) * rows + (unit % perImage) * per;
  const runs = fits(images * rows * channels, caps)
    ? [{ begin: 0, end: images * perImage }]
    : rowRuns(images * perImage, per * channels, caps);
  return runs.map(({ begin, end }) => {
    const last = Math.min(rowOf(end - 1) + per, (Math.floor((end - 1) / perImage) + 1) * rows);
    return {
      unit: begin,
      count: (end - begin) * channels,
      elements: { begin: rowOf(begin) * channels, end: last * channels },
    };
  });
}

/** Binds the named operands, all as large as x, to a run of units. */
function bound(g: GroupNormGeometry, run: UnitRun, names: readonly string[]) {
  const slices = names.map((name) => [name, sliceOf(name, run.elements, g.images * g.rows * g.channels)] as const);
  return {
    operands: Object.fromEntries(slices.map(([name, { operand }]) => [name, operand])),
    place: { count: run.count, unit: run.unit, xOrigin: slices[0]?.[1].origin ?? 0 },
  };
}

function elementwise(
  g: GroupNormGeometry,
  name: Name,
  constants: Record<string, boolean>,
  images: readonly string[],
  others: Record<string, Binding>,
  caps: Capabilities,
): Step[] {
  const { channels, rows } = g;
  return unitRuns(g, ROWS, caps).map((run) => {
    const { operands, place } = bound(g, run, images);
    return {
      kernel: KERNELS[name],
      constants: { ROWS, HAS_WEIGHT: g.hasWeight, ...constants },
      params: { ...place, channels, width: widthOf(g), rows, blocks: ceilDiv(rows, ROWS), statistics: statisticsOf(g) },
      operands: { ...operands, ...others, weight: g.hasWeight ? "weight" : UNREAD },
      grid: over(run.count),
    };
  });
}

/**
 * Operands: x, y, stats ([2, images, groups]: mean, 1 / std) and, where given, weight and bias. Undefined when a few rows are
 * larger than a binding.
 */
export function planGroupNorm(
  g: GroupNormGeometry & { readonly hasBias: boolean; readonly eps: number },
  caps: Capabilities,
): Plan | undefined {
  const { channels, rows } = g;
  const parts = split(g, caps);
  const total = g.images * parts.slices * channels;
  const statistics = statisticsOf(g);
  const bias = g.hasBias ? "bias" : UNREAD;
  const moments = unitRuns(g, parts.rowsPerSlice, caps).map((run): Step => {
    const { operands, place } = bound(g, run, ["x"]);
    return {
      kernel: KERNELS.moments,
      params: { ...place, channels, rows, ...parts, total },
      operands: { ...operands, partial: "partial" },
      grid: over(run.count),
    };
  });
  const apply = elementwise(g, "apply", { HAS_BIAS: g.hasBias }, ["x", "y"], { stats: "stats", bias }, caps);
  if (moments.length === 0 || apply.length === 0) return undefined;
  return {
    steps: [
      ...moments,
      {
        kernel: KERNELS.merge,
        params: { count: statistics, channels, width: widthOf(g), rows, ...parts, eps: g.eps },
        operands: { partial: "partial", stats: "stats" },
        grid: over(statistics),
      },
      ...apply,
    ],
    scratch: { partial: 2 * total * 4 },
  };
}

/**
 * Operands: x, dy, stats, weight where there is one, dx where `input`, dweight and dbias where `parameters`. Undefined when a
 * few rows are larger than a binding.
 */
export function planGroupNormBackward(
  g: GroupNormGeometry & { readonly input: boolean; readonly parameters: boolean },
  caps: Capabilities,
): Plan | undefined {
  const { images, channels, rows } = g;
  const parts = split(g, caps);
  const total = images * parts.slices * channels;
  const statistics = statisticsOf(g);
  const width = widthOf(g);
  const sums = unitRuns(g, parts.rowsPerSlice, caps).map((run): Step => {
    const { operands, place } = bound(g, run, ["x", "dy"]);
    return {
      kernel: KERNELS["backward-sums"],
      params: { ...place, channels, width, rows, ...parts, statistics, total },
      operands: { ...operands, stats: "stats", partial: "partial" },
      grid: over(run.count),
    };
  });
  const parameters: Step = {
    kernel: KERNELS["backward-parameters"],
    params: { count: channels, slices: images * parts.slices },
    operands: { partial: "partial", dweight: "dweight", dbias: "dbias" },
    grid: over(channels),
  };
  const terms: Step = {
    kernel: KERNELS["backward-terms"],
    constants: { HAS_WEIGHT: g.hasWeight },
    params: { count: statistics, channels, width, rows, slices: parts.slices },
    operands: { partial: "partial", weight: g.hasWeight ? "weight" : UNREAD, terms: "terms" },
    grid: over(statistics),
  };
  const apply = elementwise(g, "backward-apply", {}, ["x", "dy", "dx"], { stats: "stats", terms: "terms" }, caps);
  if (sums.length === 0 || apply.length === 0) return undefined;
  return {
    steps: [...sums, ...(g.parameters ? [parameters] : []), ...(g.input ? [terms, ...apply] : [])],
    scratch: { partial: 2 * total * 4, ...(g.input ? { terms: 2 * statistics * 4 } : {}) },
  };
}
