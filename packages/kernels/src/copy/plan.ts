import { type BoxOperand, boxOperand, boxParts, type StridedBox } from "../bindingParts.js";
import { mergeDims } from "../dims.js";
import { defect } from "../errors.js";
import { type Capabilities, ceilDiv, foldGrid, MAX_RANK, type Plan, product, type Step } from "../plan.js";
import { copyStrided as STRIDED } from "../wgsl.generated.js";

const WG = 64;

/**
 * A box in two buffers: its sizes, and in each buffer its strides and the offset of its first element, in elements.
 * Strides of the source may be negative.
 */
export interface Box {
  readonly sizes: readonly number[];
  readonly from: readonly number[];
  readonly to: readonly number[];
  readonly fromOffset?: number;
  readonly toOffset?: number;
  /** Add to the destination, whose elements are floats, instead of replacing it. */
  readonly add?: boolean;
}

/** A dimension: its size, and its strides in source and destination. */
interface Dim {
  readonly n: number;
  readonly s: number;
  readonly d: number;
}

/** The dimensions of a box in the order of the destination, merged. */
function dimsOf({ sizes, from, to }: Box): Dim[] {
  const dims = sizes.map((n, i): Dim => ({ n, s: from[i]!, d: to[i]! })).sort((a, b) => b.d - a.d || b.s - a.s);
  const merged = mergeDims(
    dims.map(({ n }) => n),
    [dims.map(({ s }) => s), dims.map(({ d }) => d)],
  );
  const [s, d] = merged.strides as [number[], number[]];
  return merged.sizes.map((n, i) => ({ n, s: s[i]!, d: d[i]! }));
}

/**
 * Copies a box of 32-bit elements from operand src to dst, which are bound in parts where they are larger than a
 * binding. Throws `defect` when more than {@link MAX_RANK} dimensions are left after merging.
 */
export function planCopy(box: Box, caps: Capabilities): Plan {
  if (product(box.sizes) === 0) return { steps: [] };
  const operands = {
    src: { strides: box.from, offset: box.fromOffset ?? 0 },
    dst: { strides: box.to, offset: box.toOffset ?? 0 },
  };
  const parts = boxParts({ sizes: box.sizes, operands }, caps);
  return { steps: parts.map((part) => copyStep(part, box.add ?? false)) };
}

function copyStep({ sizes, operands }: StridedBox, add: boolean): Step {
  // The operands may be larger than a binding although the box is not, so a part is bound.
  const [src, dst] = ["src", "dst"].map((name) => boxOperand(name, sizes, operands, false)) as [BoxOperand, BoxOperand];
  const dims = dimsOf({ sizes, from: src.strides, to: dst.strides });
  if (dims.length > MAX_RANK) throw defect(`a copy of ${dims.length} separate dimensions, at most ${MAX_RANK}`);
  const rank = Math.max(1, dims.length);
  // In the kernel dimension 0 is the outermost, and the others are the last ones.
  const padded: Dim[] = Array.from({ length: MAX_RANK }, () => ({ n: 1, s: 0, d: 0 }));
  dims.forEach((dim, i) => {
    padded[i === 0 ? 0 : MAX_RANK - rank + i] = dim;
  });
  const count = product(sizes);
  const params: Record<string, number> = { count, srcOffset: src.offset, dstOffset: dst.offset };
  padded.forEach(({ n, s, d }, i) => {
    if (i > 0) params[`n${i}`] = n;
    params[`s${i}`] = s;
    params[`d${i}`] = d;
  });
  return {
    kernel: STRIDED,
    constants: { RANK: rank, ADD: add },
    params,
    operands: { src: src.operand, dst: dst.operand },
    grid: foldGrid(ceilDiv(count, WG)),
  };
}
