import type { Kernel } from "../kernel.js";
import { type Capabilities, ceilDiv, foldGrid, type Plan, product, roundUp, type Step } from "../plan.js";
import { wgsl } from "../wgsl.generated.js";

const WG = 64;
const TILE = 4;
const MAX_BATCH_DIMS = 4;
/** Products of one output element below which slices of the inner dim are not worth a second pass. */
const MIN_INNER_PER_SLICE = 64;
const PRODUCT: Kernel = { name: "matmul/product", source: wgsl["matmul/product"] };
const SUM_SLICES: Kernel = { name: "reduce/sum-slices", source: wgsl["reduce/sum-slices"] };

/** One operand: strides in elements, one a batch dim of the result (0 where it broadcasts), then of its two matrix dims. */
export interface MatrixStrides {
  readonly batch: readonly number[];
  readonly row: number;
  readonly column: number;
}

export interface MatmulCase {
  /** Batch dims of the result from the outermost. */
  readonly batch: readonly number[];
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  readonly a: MatrixStrides;
  readonly b: MatrixStrides;
}

type BatchDim = readonly [size: number, a: number, b: number];

/** Batch dims without those of size 1, neighbours that both operands walk evenly merged; innermost first. */
function batchDims({ batch, a, b }: MatmulCase): BatchDim[] {
  const merged: BatchDim[] = [];
  for (const [i, size] of [...batch.entries()].reverse()) {
    const [strideA, strideB] = [a.batch[i] ?? 0, b.batch[i] ?? 0];
    const last = merged.at(-1);
    if (size === 1) continue;
    if (last && strideA === last[1] * last[0] && strideB === last[2] * last[0]) {
      merged[merged.length - 1] = [last[0] * size, last[1], last[2]];
    } else {
      merged.push([size, strideA, strideB]);
    }
  }
  if (merged.length > MAX_BATCH_DIMS)
    throw new RangeError(`matmul over ${merged.length} separate batch dims, at most ${MAX_BATCH_DIMS}`);
  return merged;
}

/** How four by four elements are loaded: 0 scalars, 1 vectors along the inner dim, 2 vectors along the outer one. */
function along(
  inner: number,
  outer: number,
  innerSize: number,
  outerSize: number,
  batch: readonly number[],
): 0 | 1 | 2 {
  const even = (...values: number[]) => values.every((value) => value % 4 === 0);
  if (outer === 1 && even(inner, outerSize, ...batch)) return 2;
  if (inner === 1 && even(outer, innerSize, ...batch)) return 1;
  return 0;
}

function batchParams(dims: readonly BatchDim[]): Record<string, number> {
  const params: Record<string, number> = {};
  for (let i = 0; i < MAX_BATCH_DIMS; i++) {
    const [size, a, b] = dims[i] ?? [1, 0, 0];
    if (i < MAX_BATCH_DIMS - 1) params[`size${i}`] = size;
    params[`aBatch${i}`] = a;
    params[`bBatch${i}`] = b;
  }
  return params;
}

/**
 * `c[batch, m, n] = sum over k of a[batch, m, k] b[batch, k, n]`, c row-major. Operands: a, b, c. Transposed and broadcast
 * operands are a matter of strides. Throws RangeError over more than four batch dims that do not merge.
 */
export function planMatmul(shape: MatmulCase, caps: Capabilities): Plan {
  const { rows, columns, inner, a, b } = shape;
  const dims = batchDims(shape);
  const batches = product(shape.batch);
  const elements = batches * rows * columns;
  const [tilesM, tilesN] = [ceilDiv(rows, TILE), ceilDiv(columns, TILE)];
  const tiles = batches * tilesM * tilesN;
  const wanted = Math.min(ceilDiv(caps.parallelism * WG, Math.max(1, tiles)), Math.floor(inner / MIN_INNER_PER_SLICE));
  const innerPerSlice = roundUp(ceilDiv(inner, Math.max(1, wanted)), TILE);
  const slices = Math.max(1, ceilDiv(inner, Math.max(1, innerPerSlice)));
  const aAlong = along(
    a.column,
    a.row,
    inner,
    rows,
    dims.map((dim) => dim[1]),
  );
  const bAlong = along(
    b.row,
    b.column,
    inner,
    columns,
    dims.map((dim) => dim[2]),
  );
  const count = tiles * slices;
  const step: Step = {
    kernel: PRODUCT,
    constants: { A_ALONG: aAlong, B_ALONG: bAlong },
    params: {
      count,
      rows,
      columns,
      inner,
      innerPerSlice,
      tilesM,
      tilesN,
      batches,
      aRow: a.row,
      aInner: a.column,
      bInner: b.row,
      bColumn: b.column,
      ...batchParams(dims),
    },
    operands: {
      a: aAlong === 0 ? "a" : "noneX",
      a4: aAlong === 0 ? "noneX" : "a",
      b: bAlong === 0 ? "b" : "noneX",
      b4: bAlong === 0 ? "noneX" : "b",
      c: slices > 1 ? "slices" : "c",
    },
    grid: foldGrid(ceilDiv(count, WG)),
  };
  if (slices === 1) return { steps: [step] };
  const sum: Step = {
    kernel: SUM_SLICES,
    constants: { ACCUMULATE: false },
    params: { count: elements, slices },
    operands: { partial: "slices", y: "c" },
    grid: foldGrid(ceilDiv(elements, WG)),
  };
  return { steps: [step, sum], scratch: { slices: elements * slices * 4 } };
}
