import type { Kernel } from "../kernel.js";
import {
  type Capabilities,
  ceilDiv,
  elementWindow,
  foldGrid,
  type Plan,
  product,
  type Step,
  WINDOW_ALIGNMENT,
  type Window,
} from "../plan.js";
import { wgsl } from "../wgsl.generated.js";

const WG = 64;
const STRIDED: Kernel = { name: "copy/strided", source: wgsl["copy/strided"] };

/** A box in two buffers: sizes, strides in elements of source and destination, and where each begins. */
export interface Box {
  readonly sizes: readonly number[];
  readonly from: readonly number[];
  readonly to: readonly number[];
  readonly fromOffset?: number;
  readonly toOffset?: number;
}

interface Dim {
  n: number;
  s: number;
  d: number;
}

/** Dimensions of size 1 dropped, sorted by destination stride, neighbours that are one run in both buffers joined. */
export function coalesce(box: Box): Dim[] {
  const dims = box.sizes
    .map((n, i) => ({ n, s: box.from[i]!, d: box.to[i]! }))
    .filter(({ n }) => n !== 1)
    .sort((a, b) => b.d - a.d || b.s - a.s);
  const joined: Dim[] = [];
  for (const dim of dims) {
    const outer = joined.at(-1);
    if (outer && outer.s === dim.s * dim.n && outer.d === dim.d * dim.n) {
      joined[joined.length - 1] = { n: outer.n * dim.n, s: dim.s, d: dim.d };
    } else {
      joined.push(dim);
    }
  }
  return joined;
}

/** Elements from the first to past the last that the box touches with these strides. */
const spanOf = (sizes: readonly number[], strides: readonly number[]): number =>
  sizes.reduce((span, n, i) => span + (n - 1) * strides[i]!, 1);

/**
 * The box in parts whose elements lie within `limit` elements of each other in both buffers: halved along the dimension
 * that reaches farthest where they do not.
 */
function splitBox(box: Required<Box>, limit: number): Required<Box>[] {
  const tooFar = [box.from, box.to].find((strides) => spanOf(box.sizes, strides) > limit);
  if (!tooFar) return [box];
  const reach = box.sizes.map((n, i) => (n - 1) * tooFar[i]!);
  const dim = reach.indexOf(Math.max(...reach));
  const half = Math.ceil(box.sizes[dim]! / 2);
  const withSize = (n: number) => box.sizes.map((size, i) => (i === dim ? n : size));
  const first = { ...box, sizes: withSize(half) };
  const second = {
    ...box,
    sizes: withSize(box.sizes[dim]! - half),
    fromOffset: box.fromOffset + half * box.from[dim]!,
    toOffset: box.toOffset + half * box.to[dim]!,
  };
  return [...splitBox(first, limit), ...splitBox(second, limit)];
}

/** Operands: src, dst, shown in windows where they are larger than a binding. At most six dimensions after joining. */
export function planCopy(box: Box, caps: Capabilities): Plan {
  if (product(box.sizes) === 0) return { steps: [] };
  const whole = { fromOffset: 0, toOffset: 0, ...box };
  const extent = (offset: number, strides: readonly number[]) => offset + spanOf(box.sizes, strides);
  const limit = caps.bindingLimit / 4;
  if (Math.max(extent(whole.fromOffset, box.from), extent(whole.toOffset, box.to)) <= limit) {
    return { steps: [copyStep(whole, "src", "dst")] };
  }
  const steps = splitBox(whole, limit - WINDOW_ALIGNMENT / 4).map((part) => {
    const src = elementWindow("src", part.fromOffset, part.fromOffset + spanOf(part.sizes, part.from));
    const dst = elementWindow("dst", part.toOffset, part.toOffset + spanOf(part.sizes, part.to));
    const moved = {
      ...part,
      fromOffset: part.fromOffset - src.byteOffset / 4,
      toOffset: part.toOffset - dst.byteOffset / 4,
    };
    return copyStep(moved, src, dst);
  });
  return { steps };
}

function copyStep(box: Required<Box>, src: string | Window, dst: string | Window): Step {
  const dims = coalesce(box);
  if (dims.length > 6) throw new RangeError(`a copy of ${dims.length} separate dimensions, at most 6`);
  const rank = Math.max(1, dims.length);
  // Kernel dimension 0 is the outermost; the others sit at the fast end.
  const padded: Dim[] = Array.from({ length: 6 }, () => ({ n: 1, s: 0, d: 0 }));
  dims.forEach((dim, i) => {
    padded[i === 0 ? 0 : 6 - rank + i] = dim;
  });
  const count = product(box.sizes);
  const params: Record<string, number> = { count, srcOffset: box.fromOffset, dstOffset: box.toOffset };
  padded.forEach(({ n, s, d }, i) => {
    if (i > 0) params[`n${i}`] = n;
    params[`s${i}`] = s;
    params[`d${i}`] = d;
  });
  return {
    kernel: STRIDED,
    constants: { RANK: rank },
    params,
    operands: { src, dst },
    grid: foldGrid(ceilDiv(count, WG)),
  };
}
