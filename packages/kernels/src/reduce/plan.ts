import type { Kernel } from "../kernel.js";
import { type Capabilities, ceilDiv, elementWindow, foldGrid, type Plan, product, type Step } from "../plan.js";
import { wgsl } from "../wgsl.generated.js";

const WG = 64;
const SUM: Kernel = { name: "reduce/sum", source: wgsl["reduce/sum"] };
const MAX: Kernel = { name: "reduce/max", source: wgsl["reduce/max"] };
const EXPAND: Kernel = { name: "reduce/expand", source: wgsl["reduce/expand"] };
const COLUMN_SUM: Kernel = { name: "reduce/column-sum", source: wgsl["reduce/column-sum"] };
const SUM_SLICES: Kernel = { name: "reduce/sum-slices", source: wgsl["reduce/sum-slices"] };

/** Runs of kept or reduced dims that the kernels can tell apart; a tensor of eight dims never has more. */
const MAX_RUNS = 4;
/** Reduced elements that one thread takes without another pass being worth its dispatch. */
const SERIAL = 64;

/** A dim of a tensor in memory order: how long it is, and whether it is summed away. */
export interface ReductionDim {
  readonly size: number;
  readonly reduced: boolean;
}

interface Run extends ReductionDim {
  readonly stride: number;
}

/** Merges neighbours of one kind and drops dims of size 1. From the outermost to the innermost, with strides. */
function runsOf(dims: readonly ReductionDim[]): Run[] {
  const merged: { size: number; reduced: boolean }[] = [];
  for (const { size, reduced } of dims) {
    const last = merged.at(-1);
    if (size === 1) continue;
    if (last?.reduced === reduced) last.size *= size;
    else merged.push({ size, reduced });
  }
  return merged.map((run, i) => ({ ...run, stride: product(merged.slice(i + 1).map(({ size }) => size)) }));
}

function runParams(name: "kept" | "reduced", runs: readonly Run[]): Record<string, number> {
  const innermostFirst = [...runs].reverse();
  if (innermostFirst.length > MAX_RUNS) {
    throw new RangeError(
      `a reduction over ${innermostFirst.length} separate runs of ${name} dims, at most ${MAX_RUNS}`,
    );
  }
  const params: Record<string, number> = {};
  for (let i = 0; i < MAX_RUNS; i++) {
    if (i < MAX_RUNS - 1) params[`${name}Size${i}`] = innermostFirst[i]?.size ?? 1;
    params[`${name}Stride${i}`] = innermostFirst[i]?.stride ?? 0;
  }
  return params;
}

/** Slices of the first pass: enough threads to fill the device, each with enough work to be worth it. */
function slicesFor(kept: number, reduced: number, caps: Capabilities): number {
  if (reduced <= SERIAL || kept === 0) return 1;
  return Math.max(1, Math.min(ceilDiv(caps.parallelism * WG, kept), ceilDiv(reduced, SERIAL / 2)));
}

interface Pass {
  readonly params: Record<string, number>;
  readonly constants: { KEPT: number; REDUCED: number };
  readonly grid: Step["grid"];
  readonly slices: number;
  readonly kept: number;
}

/** The passes of a reduction: each leaves `slices` partial results, the last leaves one. */
function passesOf(dims: readonly ReductionDim[], caps: Capabilities): Pass[] {
  const passes: Pass[] = [];
  let runs = runsOf(dims);
  for (;;) {
    const keptRuns = runs.filter((run) => !run.reduced);
    const reducedRuns = runs.filter((run) => run.reduced);
    const kept = product(keptRuns.map(({ size }) => size));
    const reduced = product(reducedRuns.map(({ size }) => size));
    const slices = slicesFor(kept, reduced, caps);
    const count = kept * slices;
    passes.push({
      params: { count, kept, reduced, slices, ...runParams("kept", keptRuns), ...runParams("reduced", reducedRuns) },
      constants: { KEPT: keptRuns.length, REDUCED: reducedRuns.length },
      grid: foldGrid(ceilDiv(count, WG)),
      slices,
      kept,
    });
    if (slices === 1) return passes;
    runs = runsOf([
      { size: slices, reduced: true },
      { size: kept, reduced: false },
    ]);
  }
}

/**
 * `y = scale * sum of x` over the reduced dims, in the memory order of the kept ones. Operands: x, y (float32).
 * Throws RangeError when kept and reduced dims alternate more than four times.
 */
export function planSum(dims: readonly ReductionDim[], scale: number, caps: Capabilities): Plan {
  const passes = passesOf(dims, caps);
  const scratch: Record<string, number> = {};
  const steps = passes.map(({ params, constants, grid, slices, kept }, i): Step => {
    if (slices > 1) scratch[`partial${i}`] = slices * kept * 4;
    return {
      kernel: SUM,
      constants,
      params: { ...params, scale: slices > 1 ? 1 : scale },
      operands: { x: i === 0 ? "x" : `partial${i - 1}`, y: slices > 1 ? `partial${i}` : "y" },
      grid,
    };
  });
  return { steps, scratch };
}

/** What {@link planMax} leaves behind: the values, the places, or both. */
export interface MaxOutputs {
  readonly values: boolean;
  readonly indices: boolean;
}

/**
 * The maximum over the reduced dims and its place among the reduced elements counted in memory order, the first among
 * equals; at least one element must be reduced. Operands: x, y (float32, with `values`), index (int32, with `indices`).
 */
export function planMax(dims: readonly ReductionDim[], outputs: MaxOutputs, caps: Capabilities): Plan {
  const passes = passesOf(dims, caps);
  const scratch: Record<string, number> = {};
  const steps = passes.map(({ params, constants, grid, slices, kept }, i): Step => {
    const last = slices === 1;
    const valuesTo = last ? (outputs.values ? "y" : "unusedY") : `partial${i}`;
    const indicesTo = last ? (outputs.indices ? "index" : "unusedIndex") : `places${i}`;
    for (const name of [valuesTo, indicesTo]) {
      if (name !== "y" && name !== "index") scratch[name] = Math.max(1, slices * kept) * 4;
    }
    return {
      kernel: MAX,
      constants: { ...constants, MERGE: i > 0 },
      params,
      operands: {
        x: i === 0 ? "x" : `partial${i - 1}`,
        found: i === 0 ? "noneFound" : `places${i - 1}`,
        y: valuesTo,
        index: indicesTo,
      },
      grid,
    };
  });
  return { steps, scratch };
}

/**
 * The gradient of {@link planSum}, or with `select` of {@link planMax}. Operands: dy, dx and, with `select`, index. dx
 * lies in the memory order of `dims`, dy and index in that of the kept ones.
 */
export function planExpand(dims: readonly ReductionDim[], scale: number, select: boolean): Plan {
  const runs = runsOf(dims).reverse();
  if (runs.length > 2 * MAX_RUNS) throw new RangeError(`a reduction over ${runs.length} separate runs of dims`);
  const count = product(runs.map(({ size }) => size));
  const params: Record<string, number> = { count, scale };
  const stride = { kept: 1, reduced: 1 };
  for (let i = 0; i < 2 * MAX_RUNS; i++) {
    const run = runs[i];
    params[`size${i}`] = run?.size ?? 1;
    params[`kept${i}`] = run && !run.reduced ? stride.kept : 0;
    params[`reduced${i}`] = run?.reduced ? stride.reduced : 0;
    if (run) stride[run.reduced ? "reduced" : "kept"] *= run.size;
  }
  const step: Step = {
    kernel: EXPAND,
    constants: { DIMS: runs.length, SELECT: select },
    params,
    operands: { dy: "dy", index: select ? "index" : "noneIndex", dx: "dx" },
    grid: foldGrid(ceilDiv(count, WG)),
  };
  return { steps: [step] };
}

/**
 * `y[c] = sum over rows of x[row, c]`: the bias gradient of a convolution, where x holds channels-last pixels. Operands:
 * x, y. Rows are taken four at a time where their number allows it, so that any number of columns loads vectors.
 */
export function planColumnSum(rows: number, cols: number, caps: Capabilities): Plan {
  const fold = cols % 4 === 0 ? 1 : rows % 4 === 0 ? 4 : 0;
  if (fold === 0 || rows < SERIAL) {
    return planSum(
      [
        { size: rows, reduced: true },
        { size: cols, reduced: false },
      ],
      1,
      caps,
    );
  }
  const lines = rows / fold;
  const columns = (cols * fold) / 4;
  // The second pass is one thread a column, so neither pass may be much longer than the other.
  const slices = Math.max(1, Math.min(ceilDiv(caps.parallelism * WG, columns), ceilDiv(Math.sqrt(lines), 1)));
  const count = columns * slices;
  // Sixteen rows of whole vec4 columns keep every window aligned.
  const linesPerWindow = Math.max(16, Math.floor(caps.bindingLimit / (columns * 16) / 16) * 16);
  const windows = ceilDiv(lines, linesPerWindow);
  const steps = Array.from({ length: windows }, (_, i): Step => {
    const begin = i * linesPerWindow;
    const end = Math.min(lines, begin + linesPerWindow);
    return {
      kernel: COLUMN_SUM,
      params: { count, columns, rows: end - begin, slices, base: i * count },
      operands: {
        x: windows === 1 ? "x" : elementWindow("x", begin * columns * 4, end * columns * 4),
        partial: "partial",
      },
      grid: foldGrid(ceilDiv(count, WG)),
    };
  });
  const last: Step = {
    kernel: SUM_SLICES,
    constants: { ACCUMULATE: false },
    params: { count: cols, slices: windows * slices * fold },
    operands: { partial: "partial", y: "y" },
    grid: foldGrid(ceilDiv(cols, WG)),
  };
  return { steps: [...steps, last], scratch: { partial: windows * count * 16 } };
}
