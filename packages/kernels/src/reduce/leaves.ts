import { fits, roomOf } from "../bindingParts.js";
import { denseStrides, mergeDims } from "../dims.js";
import { type Capabilities, product } from "../plan.js";

/** A dimension of a tensor in memory order, and whether it is reduced. */
export interface ReductionDim {
  readonly size: number;
  readonly reduced: boolean;
}

/** Neighbouring dimensions of one kind, merged into one. */
export interface MergedDim extends ReductionDim {
  readonly stride: number;
  /** Stride among the kept elements, 0 where reduced, and among the reduced ones, 0 where kept. */
  readonly keptStride: number;
  readonly reducedStride: number;
}

/** The merged dimensions of a tensor from the outermost to the innermost. */
export function mergedDims(dims: readonly ReductionDim[]): MergedDim[] {
  const among = (kind: boolean): number[] => {
    const strides = denseStrides(dims.map(({ size, reduced }) => (reduced === kind ? size : 1)));
    return strides.map((stride, i) => (dims[i]!.reduced === kind ? stride : 0));
  };
  const all = dims.map(({ size }) => size);
  const { sizes, strides } = mergeDims(all, [denseStrides(all), among(false), among(true)]);
  const [stride, kept, reduced] = strides as [number[], number[], number[]];
  return sizes.map((size, i) => ({
    size,
    reduced: kept[i] === 0,
    stride: stride[i]!,
    keptStride: kept[i]!,
    reducedStride: reduced[i]!,
  }));
}

const sizeOf = (dims: readonly ReductionDim[], reduced: boolean): number =>
  product(dims.filter((dim) => dim.reduced === reduced).map(({ size }) => size));

/** A range of elements of a tensor that is reduced on its own. */
export interface Leaf {
  readonly dims: readonly ReductionDim[];
  /** The numbers of its first element, first kept element and first reduced element, each counted in memory order. */
  readonly begin: number;
  readonly keptBegin: number;
  readonly reducedBegin: number;
  readonly kept: number;
  readonly size: number;
}

/**
 * The tensor in leaves that fit a binding. It is cut along its outermost dimension, and where one step of that is still
 * too large, along the next.
 */
export function leavesOf(dims: readonly ReductionDim[], caps: Capabilities): Leaf[] {
  const whole = leafAt(mergedDims(dims), 0, 0, 0);
  return fits(whole.size, caps) ? [whole] : cut(whole, roomOf(caps));
}

function leafAt(dims: readonly ReductionDim[], begin: number, keptBegin: number, reducedBegin: number): Leaf {
  const kept = sizeOf(dims, false);
  return { dims, begin, keptBegin, reducedBegin, kept, size: kept * sizeOf(dims, true) };
}

function cut(whole: Leaf, room: number): Leaf[] {
  const [outer, ...rest] = whole.dims;
  if (outer === undefined || whole.size <= room) return [whole];
  const [kept, reduced] = [sizeOf(rest, false), sizeOf(rest, true)];
  const step = Math.max(1, Math.floor(room / (kept * reduced)));
  const leaves: Leaf[] = [];
  for (let i = 0; i < outer.size; i += step) {
    const size = Math.min(step, outer.size - i);
    const leaf = leafAt(
      size === 1 ? rest : [{ ...outer, size }, ...rest],
      whole.begin + i * kept * reduced,
      whole.keptBegin + (outer.reduced ? 0 : i * kept),
      whole.reducedBegin + (outer.reduced ? i * reduced : 0),
    );
    leaves.push(...cut(leaf, room));
  }
  return leaves;
}
