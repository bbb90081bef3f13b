import { type BoxOperand, boxOperand, boxParts, type StridedBox } from "../bindingParts.js";
import { denseStrides, mergeDims } from "../dims.js";
import { defect } from "../errors.js";
import type { Kernel } from "../kernel.js";
import {
  type Capabilities,
  ceilDiv,
  foldGrid,
  MAX_RANK,
  type Plan,
  product,
  roundUp,
  type Step,
  UNREAD,
} from "../plan.js";
import { sumSlices } from "../reduce/sum-slices.js";
import { scalarOrVector } from "../scalarOrVector.js";
import { choose, type KernelTile, magnitude, register, type Tunable } from "../tuning.js";
import { busyWorkgroups, candidatesOf } from "../variants.js";
import { matmulProduct as PRODUCT, matmulProductWorkgroup as WORKGROUP } from "../wgsl.generated.js";

/** Products of k are taken in fours. */
const STEP = 4;

/** What a variant makes of c: square tiles of some side, so many a workgroup. */
interface ProductVariant {
  readonly kernel: Kernel;
  readonly side: number;
  readonly tilesPerGroup: number;
  /** Tiles that keep a device busy. */
  readonly busy: (caps: Capabilities) => number;
  /** With fewer products for each element, slices of the inner dimension do not pay for a second pass. */
  readonly fewest: number;
}

const VARIANTS: Readonly<Record<"register" | "workgroup", ProductVariant>> = {
  register: { kernel: PRODUCT, side: 4, tilesPerGroup: 64, busy: ({ parallelism }) => parallelism * 64, fewest: 64 },
  workgroup: { kernel: WORKGROUP, side: 64, tilesPerGroup: 1, busy: busyWorkgroups, fewest: 128 },
};
const REGISTER = register(4);
const WORKGROUP_TILE: KernelTile = { variant: "workgroup", TM: 8, SGN: 16, TV: 1 };
/** With fewer rows or columns most of a workgroup would be idle. */
const FEWEST_PER_SIDE = 32;
const MAX_BATCH_DIMS = MAX_RANK - 2;

/**
 * Strides of an operand in elements: one for each batch dimension of the result, 0 where it broadcasts, and two more.
 */
export interface MatrixStrides {
  readonly batch: readonly number[];
  readonly row: number;
  readonly column: number;
}

export interface MatmulCase {
  /** Batch dimensions of the result from the outermost. */
  readonly batch: readonly number[];
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  readonly a: MatrixStrides;
  readonly b: MatrixStrides;
}

/** Size of a batch dimension, and its strides in a, b and c. */
type BatchDim = readonly [size: number, a: number, b: number, c: number];

/** The batch dimensions, merged, from the innermost. */
function batchDims(batch: readonly number[], operands: readonly (readonly number[])[]): BatchDim[] {
  const { sizes, strides } = mergeDims(batch, operands);
  if (sizes.length > MAX_BATCH_DIMS) {
    throw defect(`matmul over ${sizes.length} separate batch dims, at most ${MAX_BATCH_DIMS}`);
  }
  return sizes.map((size, i) => [size, ...strides.map((own) => own[i])] as unknown as BatchDim).reverse();
}

/** How 4 x 4 elements are loaded: 0 scalars, 1 vectors along the inner dimension, 2 vectors along the outer one. */
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

/** The product as a box: batch dimensions, then rows, inner and columns; `k` counts along the inner dimension. */
function boxOf({ batch, rows, inner, columns, a, b }: MatmulCase): StridedBox {
  const none = batch.map(() => 0);
  return {
    sizes: [...batch, rows, inner, columns],
    operands: {
      a: { strides: [...a.batch, a.row, a.column, 0], offset: 0 },
      b: { strides: [...b.batch, 0, b.row, b.column], offset: 0 },
      c: { strides: [...denseStrides([...batch, rows, columns]).slice(0, -2), columns, 0, 1], offset: 0 },
      k: { strides: [...none, 0, 1, 0], offset: 0 },
    },
  };
}

/** The variant of a product: workgroups where both sides fill them. */
function tileOf({ batch, rows, inner, columns, a, b }: MatmulCase, caps: Capabilities): Tunable {
  const isFilled = Math.min(rows, columns) >= FEWEST_PER_SIDE;
  const candidates = candidatesOf(caps, {
    winograd: () => [],
    subgroup: () => [],
    workgroup: () => (isFilled ? [WORKGROUP_TILE] : []),
    register: () => [REGISTER],
  });
  const order = ({ row, column }: MatrixStrides) => (column === 1 ? "rows" : row === 1 ? "columns" : "strided");
  const key = `matmul ${order(a)} ${order(b)} ${[rows, inner, columns, product(batch)].map(magnitude).join(" ")}`;
  return choose(key, candidates, caps.tuning);
}

/** Slices of the inner dimension, so that a product with few elements keeps the device busy. */
function innerSlices(inner: number, tiles: number, { busy, fewest }: ProductVariant, caps: Capabilities) {
  const wanted = Math.min(ceilDiv(busy(caps), Math.max(1, tiles)), Math.floor(inner / fewest));
  const innerPerSlice = roundUp(ceilDiv(inner, Math.max(1, wanted)), STEP);
  return { innerPerSlice, slices: Math.max(1, ceilDiv(inner, Math.max(1, innerPerSlice))) };
}

/**
 * torch.matmul: `c[batch, m, n] = sum over k of a[batch, m, k] b[batch, k, n]`, c row-major. Operands: a, b, c, bound
 * in parts where they are larger than a binding. Strides describe transposed and broadcast operands. Throws `defect`
 * when more than six batch dimensions are left after merging.
 */
export function planMatmul(shape: MatmulCase, caps: Capabilities): Plan {
  const box = boxOf(shape);
  const elements = product(shape.batch) * shape.rows * shape.columns;
  const parts = elements === 0 ? [box] : boxParts(box, caps);
  const tunable = tileOf(shape, caps);
  const variant = VARIANTS[tunable.tile.variant as "register" | "workgroup"];
  const tiles = product(shape.batch) * ceilDiv(shape.rows, variant.side) * ceilDiv(shape.columns, variant.side);
  const whole = { slices: 1, innerPerSlice: roundUp(shape.inner, STEP) };
  const { slices, innerPerSlice } = parts.length === 1 ? innerSlices(shape.inner, tiles, variant, caps) : whole;
  const steps = parts.map((part) => productStep(part, parts.length === 1, elements, slices, innerPerSlice, variant));
  if (slices === 1) return { steps, tunable };
  steps.push(sumSlices(elements, slices, "slices", "c"));
  return { steps, tunable, scratch: { slices: elements * slices * 4 } };
}

function productStep(
  { sizes, operands }: StridedBox,
  whole: boolean,
  elements: number,
  slices: number,
  innerPerSlice: number,
  { kernel, side, tilesPerGroup }: ProductVariant,
): Step {
  const batch = sizes.slice(0, -3);
  const [rows, inner, columns] = sizes.slice(-3) as [number, number, number];
  const [a, b, c] = ["a", "b", "c"].map((name) => boxOperand(name, sizes, operands, whole)) as [
    BoxOperand,
    BoxOperand,
    BoxOperand,
  ];
  const [aRow, aInner] = a.strides.slice(-3) as [number, number];
  const [bInner, bColumn] = b.strides.slice(-2) as [number, number];
  const dims = batchDims(
    batch,
    [a, b, c].map(({ strides }) => strides),
  );
  const batches = product(batch);
  const [tilesM, tilesN] = [ceilDiv(rows, side), ceilDiv(columns, side)];
  const aAlong = along(aInner, aRow, inner, rows, [a.offset, ...dims.map((dim) => dim[1])]);
  const bAlong = along(bInner, bColumn, inner, columns, [b.offset, ...dims.map((dim) => dim[2])]);
  const count = batches * tilesM * tilesN * slices;
  // Without products nothing is read, and an operand may be empty or larger than a binding.
  const bound = ({ operand }: BoxOperand) => (product(sizes) === 0 ? UNREAD : operand);
  return {
    kernel,
    constants: {
      A_ALONG: aAlong,
      B_ALONG: bAlong,
      BATCH_DIMS: dims.length,
      ACCUMULATE: (operands.k?.offset ?? 0) > 0,
    },
    params: {
      count,
      rows,
      columns,
      inner,
      innerPerSlice,
      tilesM,
      tilesN,
      batches,
      aRow,
      aInner,
      bInner,
      bColumn,
      cRow: c.strides.at(-3) ?? 0,
      cSlice: elements,
      aFirst: a.offset,
      bFirst: b.offset,
      cFirst: c.offset,
      batch: dims.flat(),
    },
    operands: {
      ...scalarOrVector(aAlong !== 0, "a", bound(a)),
      ...scalarOrVector(bAlong !== 0, "b", bound(b)),
      c: slices > 1 ? "slices" : c.operand,
    },
    grid: foldGrid(ceilDiv(count, tilesPerGroup)),
  };
}
