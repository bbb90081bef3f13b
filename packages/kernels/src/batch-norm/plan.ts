import {
  type Binding,
  type Capabilities,
  ceilDiv,
  foldGrid,
  type Plan,
  type Step,
  UNREAD,
  unwritten,
  type Window,
} from "../plan.js";
import { views } from "../views.js";
import {
  batchNormApply,
  batchNormBackwardApply,
  batchNormBackwardMerge,
  batchNormBackwardSums,
  batchNormFrozen,
  batchNormMerge,
  batchNormMoments,
} from "../wgsl.generated.js";
import { fits, type Range, rowRuns, sliceOf } from "../windows.js";

const WG = 64;
/** Rows that one thread of an elementwise pass takes. */
const ROWS = 8;
/** A slice of a reduction has at least this many rows, and a reduction at most this many slices. */
const MIN_ROWS = 16;
const MAX_SLICES = 512;

const KERNELS = {
  "batch-norm/moments": batchNormMoments,
  "batch-norm/merge": batchNormMerge,
  "batch-norm/frozen": batchNormFrozen,
  "batch-norm/apply": batchNormApply,
  "batch-norm/backward-sums": batchNormBackwardSums,
  "batch-norm/backward-merge": batchNormBackwardMerge,
  "batch-norm/backward-apply": batchNormBackwardApply,
};

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
  /** Rows of whole slices that fit a binding. */
  readonly runs: readonly Range[];
}

const isVector = (g: BatchNormGeometry): boolean => g.channels % 4 === 0;
const columnsOf = (g: BatchNormGeometry): number => (isVector(g) ? g.channels / 4 : g.channels);

/** Slices enough to keep the device busy, none of them empty. Undefined when so few rows do not fit a binding. */
function split(g: BatchNormGeometry, caps: Capabilities): Split | undefined {
  const columns = columnsOf(g);
  const wanted = Math.min(ceilDiv(caps.parallelism * WG, columns), ceilDiv(g.rows, MIN_ROWS), MAX_SLICES);
  const whole = ceilDiv(g.rows, Math.max(1, wanted));
  const rowsPerSlice = fits(g.rows * g.channels, caps) ? whole : Math.min(whole, MIN_ROWS * ROWS);
  const runs = rowRuns(g.rows, g.channels, caps, rowsPerSlice);
  return runs.length > 0 ? { columns, rowsPerSlice, slices: ceilDiv(g.rows, rowsPerSlice), runs } : undefined;
}

type Operands = Record<string, Binding>;

/** A run of the rows of x, dy, y or dx: begins at the row of its operand that `first` says. */
function runOf(g: BatchNormGeometry, name: string, { begin, end }: Range): { operand: string | Window; first: number } {
  const { operand, origin } = sliceOf(name, { begin: begin * g.channels, end: end * g.channels }, g.rows * g.channels);
  const lanes = isVector(g) ? 4 : 1;
  return { operand, first: (begin * g.channels - origin) / lanes };
}

function elementwise(
  g: BatchNormGeometry,
  { columns, runs }: Split,
  name: "batch-norm/apply" | "batch-norm/backward-apply",
  constants: Record<string, boolean>,
  operands: (run: Range) => Operands,
): Step[] {
  return runs.map((run) => {
    const rows = run.end - run.begin;
    const count = columns * ceilDiv(rows, ROWS);
    return {
      kernel: KERNELS[name],
      constants: { ROWS, VEC: isVector(g), ...constants },
      params: { count, columns, rows, channels: g.channels, first: runOf(g, "x", run).first },
      operands: operands(run),
      grid: foldGrid(ceilDiv(count, WG)),
    };
  });
}

function reduction(
  g: BatchNormGeometry,
  { columns, slices, rowsPerSlice, runs }: Split,
  name: "batch-norm/moments" | "batch-norm/backward-sums",
  operands: (run: Range) => Operands,
): Step[] {
  return runs.map((run) => {
    const rows = run.end - run.begin;
    const count = columns * ceilDiv(rows, rowsPerSlice);
    const base = columns * (run.begin / rowsPerSlice);
    return {
      kernel: KERNELS[name],
      constants: { VEC: isVector(g) },
      params: { count, columns, rows, rowsPerSlice, slices, base, first: runOf(g, "x", run).first },
      operands: { ...operands(run), ...views(isVector(g), "partial", "partial", unwritten("partial")) },
      grid: foldGrid(ceilDiv(count, WG)),
    };
  });
}

const partialBytes = (g: BatchNormGeometry, { slices }: Split): number => 2 * slices * g.channels * 4;

function statisticsSteps(o: BatchNormOptions, parts: Split): Step[] {
  const { rows, channels, eps, momentum } = o;
  const grid = foldGrid(ceilDiv(channels, WG));
  if (!o.training) {
    const operands = { runningMean: "runningMean", runningVar: "runningVar", stats: "stats" };
    return [{ kernel: KERNELS["batch-norm/frozen"], params: { count: channels, eps }, operands, grid }];
  }
  const { slices, rowsPerSlice } = parts;
  return [
    ...reduction(o, parts, "batch-norm/moments", (run) => views(isVector(o), "x", runOf(o, "x", run).operand)),
    {
      kernel: KERNELS["batch-norm/merge"],
      constants: { HAS_RUNNING: o.hasRunning },
      params: { count: channels, rows, rowsPerSlice, slices, eps, momentum },
      operands: {
        partial: "partial",
        stats: "stats",
        runningMean: o.hasRunning ? "runningMean" : unwritten("runningMean"),
        runningVar: o.hasRunning ? "runningVar" : unwritten("runningVar"),
      },
      grid,
    },
  ];
}

/**
 * Batch normalisation in three passes: slices, merge (which also updates the running statistics), apply; with frozen
 * statistics in two. Operands: x, y, stats ([2, C]: mean, 1 / std) and, where given, weight, bias, runningMean, runningVar.
 * Undefined when a slice of rows is larger than a binding.
 */
export function planBatchNorm(o: BatchNormOptions, caps: Capabilities): Plan | undefined {
  const parts = split(o, caps);
  if (!parts) return undefined;
  const apply = elementwise(o, parts, "batch-norm/apply", { HAS_WEIGHT: o.hasWeight, HAS_BIAS: o.hasBias }, (run) => ({
    ...views(isVector(o), "x", runOf(o, "x", run).operand),
    stats: "stats",
    weight: o.hasWeight ? "weight" : UNREAD,
    bias: o.hasBias ? "bias" : UNREAD,
    ...views(isVector(o), "y", runOf(o, "y", run).operand, unwritten("y")),
  }));
  return {
    steps: [...statisticsSteps(o, parts), ...apply],
    ...(o.training ? { scratch: { partial: partialBytes(o, parts) } } : {}),
  };
}

export interface BatchNormBackwardOptions extends BatchNormGeometry {
  readonly training: boolean;
  readonly hasWeight: boolean;
  /** Whether the input gradient is wanted. */
  readonly input: boolean;
  /** Whether the gradients of weight or bias are wanted; else dweight and dbias are undefined after frozen statistics. */
  readonly parameters: boolean;
}

/**
 * Operands: x, dy, stats, dweight, dbias, weight where there is one, and dx where `input`. Undefined when a slice of rows is
 * larger than a binding.
 */
export function planBatchNormBackward(o: BatchNormBackwardOptions, caps: Capabilities): Plan | undefined {
  const parts = split(o, caps);
  if (!parts) return undefined;
  const both = (run: Range): Operands => ({
    ...views(isVector(o), "x", runOf(o, "x", run).operand),
    ...views(isVector(o), "dy", runOf(o, "dy", run).operand),
  });
  const sums = o.training || o.parameters;
  const merge: Step = {
    kernel: KERNELS["batch-norm/backward-merge"],
    constants: { TRAINING: o.training, HAS_WEIGHT: o.hasWeight },
    params: { count: o.channels, rows: o.rows, slices: sums ? parts.slices : 0 },
    operands: {
      partial: sums ? "partial" : UNREAD,
      stats: "stats",
      weight: o.hasWeight ? "weight" : UNREAD,
      dweight: "dweight",
      dbias: "dbias",
      terms: "terms",
    },
    grid: foldGrid(ceilDiv(o.channels, WG)),
  };
  const apply = (): Step[] =>
    elementwise(o, parts, "batch-norm/backward-apply", { TRAINING: o.training }, (run) => ({
      ...both(run),
      terms: "terms",
      ...views(isVector(o), "dx", runOf(o, "dx", run).operand, unwritten("dx")),
    }));
  return {
    steps: [
      ...(sums ? reduction(o, parts, "batch-norm/backward-sums", (run) => ({ ...both(run), stats: "stats" })) : []),
      merge,
      ...(o.input ? apply() : []),
    ],
    scratch: { terms: 4 * o.channels * 4, ...(sums ? { partial: partialBytes(o, parts) } : {}) },
  };
}
