import type { Kernel } from "../kernel.js";
import { type Capabilities, ceilDiv, foldGrid, type Plan, type Step } from "../plan.js";
import { wgsl } from "../wgsl.generated.js";

const WG = 64;
/** Rows that one thread of an elementwise pass takes. */
const ROWS = 8;
/** A slice of a reduction has at least this many rows, and a reduction at most this many slices. */
const MIN_ROWS = 16;
const MAX_SLICES = 512;

const kernel = (name: `batch-norm/${Name}`): Kernel => ({ name, source: wgsl[name] });
type Name = "moments" | "merge" | "frozen" | "apply" | "gradient-sums" | "gradient-merge" | "gradient-apply";

/** Normalisation of `rows` x `channels` elements, channels last: rows are the images' pixels. */
export interface BatchNormGeometry {
  readonly rows: number;
  readonly channels: number;
}

export interface BatchNormOptions extends BatchNormGeometry {
  readonly eps: number;
  readonly momentum: number;
  readonly training: boolean;
  readonly hasWeight: boolean;
  readonly hasBias: boolean;
  readonly hasRunning: boolean;
}

interface Split {
  readonly columns: number;
  readonly slices: number;
  readonly rowsPerSlice: number;
}

const isVector = (g: BatchNormGeometry): boolean => g.channels % 4 === 0;
const columnsOf = (g: BatchNormGeometry): number => (isVector(g) ? g.channels / 4 : g.channels);

/** Slices enough to keep the device busy, none of them empty. */
function split(g: BatchNormGeometry, caps: Capabilities): Split {
  const columns = columnsOf(g);
  const wanted = Math.min(ceilDiv(caps.parallelism * WG, columns), ceilDiv(g.rows, MIN_ROWS), MAX_SLICES);
  const rowsPerSlice = ceilDiv(g.rows, Math.max(1, wanted));
  return { columns, rowsPerSlice, slices: ceilDiv(g.rows, rowsPerSlice) };
}

/** An operand under its scalar and its vec4 view, the unused one bound to the dummy. */
function views(g: BatchNormGeometry, name: string, operand: string, dummy: string): Record<string, string> {
  return isVector(g) ? { [name]: dummy, [`${name}4`]: operand } : { [name]: operand, [`${name}4`]: dummy };
}

function elementwise(
  g: BatchNormGeometry,
  name: "batch-norm/apply" | "batch-norm/gradient-apply",
  constants: Record<string, boolean>,
  operands: Record<string, string>,
): Step {
  const columns = columnsOf(g);
  const count = columns * ceilDiv(g.rows, ROWS);
  return {
    kernel: kernel(name),
    constants: { ROWS, VEC: isVector(g), ...constants },
    params: { count, columns, rows: g.rows, channels: g.channels },
    operands,
    grid: foldGrid(ceilDiv(count, WG)),
  };
}

function reduction(
  g: BatchNormGeometry,
  { columns, slices, rowsPerSlice }: Split,
  name: "batch-norm/moments" | "batch-norm/gradient-sums",
  operands: Record<string, string>,
): Step {
  const count = columns * slices;
  return {
    kernel: kernel(name),
    constants: { VEC: isVector(g) },
    params: { count, columns, rows: g.rows, rowsPerSlice, slices },
    operands: { ...operands, ...views(g, "partial", "partial", "noneY") },
    grid: foldGrid(ceilDiv(count, WG)),
  };
}

const partialBytes = (g: BatchNormGeometry, { slices }: Split): number => 2 * slices * g.channels * 4;

function statisticsSteps(o: BatchNormOptions, parts: Split): Step[] {
  const { rows, channels, eps, momentum } = o;
  const grid = foldGrid(ceilDiv(channels, WG));
  if (!o.training) {
    const operands = { runningMean: "runningMean", runningVar: "runningVar", stats: "stats" };
    return [{ kernel: kernel("batch-norm/frozen"), params: { count: channels, eps }, operands, grid }];
  }
  const { slices, rowsPerSlice } = parts;
  return [
    reduction(o, parts, "batch-norm/moments", views(o, "x", "x", "noneX")),
    {
      kernel: kernel("batch-norm/merge"),
      constants: { HAS_RUNNING: o.hasRunning },
      params: { count: channels, rows, rowsPerSlice, slices, eps, momentum },
      operands: {
        partial: "partial",
        stats: "stats",
        runningMean: o.hasRunning ? "runningMean" : "noneMean",
        runningVar: o.hasRunning ? "runningVar" : "noneVar",
      },
      grid,
    },
  ];
}

/**
 * Batch normalisation in three passes: slices, merge (which also updates the running statistics), apply; with frozen
 * statistics in two. Operands: x, y, stats ([2, C]: mean, 1 / std) and, where given, weight, bias, runningMean, runningVar.
 */
export function planBatchNorm(o: BatchNormOptions, caps: Capabilities): Plan {
  const parts = split(o, caps);
  const apply = elementwise(
    o,
    "batch-norm/apply",
    { HAS_WEIGHT: o.hasWeight, HAS_BIAS: o.hasBias },
    {
      ...views(o, "x", "x", "noneX"),
      stats: "stats",
      weight: o.hasWeight ? "weight" : "noneX",
      bias: o.hasBias ? "bias" : "noneX",
      ...views(o, "y", "y", "noneY"),
    },
  );
  return {
    steps: [...statisticsSteps(o, parts), apply],
    ...(o.training ? { scratch: { partial: partialBytes(o, parts) } } : {}),
  };
}

export interface BatchNormGradientOptions extends BatchNormGeometry {
  readonly training: boolean;
  readonly hasWeight: boolean;
  /** Whether the input gradient is wanted. */
  readonly input: boolean;
  /** Whether the gradients of weight or bias are wanted; else dweight and dbias are undefined after frozen statistics. */
  readonly parameters: boolean;
}

/** Operands: x, dy, stats, dweight, dbias, weight where there is one, and dx where `input`. */
export function planBatchNormGradient(o: BatchNormGradientOptions, caps: Capabilities): Plan {
  const parts = split(o, caps);
  const both = { ...views(o, "x", "x", "noneX"), ...views(o, "dy", "dy", "noneX") };
  const sums = o.training || o.parameters;
  const merge: Step = {
    kernel: kernel("batch-norm/gradient-merge"),
    constants: { TRAINING: o.training, HAS_WEIGHT: o.hasWeight },
    params: { count: o.channels, rows: o.rows, slices: sums ? parts.slices : 0 },
    operands: {
      partial: sums ? "partial" : "noneX",
      stats: "stats",
      weight: o.hasWeight ? "weight" : "noneX",
      dweight: "dweight",
      dbias: "dbias",
      terms: "terms",
    },
    grid: foldGrid(ceilDiv(o.channels, WG)),
  };
  const apply = elementwise(
    o,
    "batch-norm/gradient-apply",
    { TRAINING: o.training },
    {
      ...both,
      terms: "terms",
      ...views(o, "dx", "dx", "noneY"),
    },
  );
  return {
    steps: [
      ...(sums ? [reduction(o, parts, "batch-norm/gradient-sums", { ...both, stats: "stats" })] : []),
      merge,
      ...(o.input ? [apply] : []),
    ],
    scratch: { terms: 4 * o.channels * 4, ...(sums ? { partial: partialBytes(o, parts) } : {}) },
  };
}
