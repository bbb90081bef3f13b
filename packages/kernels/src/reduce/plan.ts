import { boundPart } from "../bindingParts.js";
import { defect } from "../errors.js";
import { ofIntegers } from "../integers.js";
import type { Kernel, Params } from "../kernel.js";
import {
  type Binding,
  type Capabilities,
  ceilDiv,
  foldGrid,
  MAX_RANK,
  type Plan,
  product,
  type Step,
  UNREAD,
} from "../plan.js";
import { reduceExpand as EXPAND, reduceMax as MAX, reduceSum as SUM } from "../wgsl.generated.js";
import { type Leaf, leavesOf, type MergedDim, mergedDims, type ReductionDim } from "./leaves.js";

export type { ReductionDim } from "./leaves.js";

const WG = 64;

/** The most kept or reduced dimensions after merging: there are most where the two kinds alternate. */
const MAX_MERGED = MAX_RANK / 2;
/** Up to this many reduced elements for each thread, a second pass does not pay for its dispatch. */
const SERIAL = 64;

/** Sizes and strides of merged dimensions in the order of the kernels, which begins with the innermost. */
function dimParams(name: "kept" | "reduced", dims: readonly MergedDim[]): Params {
  if (dims.length > MAX_MERGED) {
    throw defect(`a reduction over ${dims.length} separate ${name} dims, at most ${MAX_MERGED}`);
  }
  const innermostFirst = [...dims].reverse();
  return {
    [`${name}Sizes`]: innermostFirst.map(({ size }) => size),
    [`${name}Strides`]: innermostFirst.map(({ stride }) => stride),
  };
}

/** Slices of the first pass: enough threads to keep the device busy, each with enough work to pay. */
function slicesFor(kept: number, reduced: number, caps: Capabilities): number {
  if (reduced <= SERIAL || kept === 0) return 1;
  return Math.max(1, Math.min(ceilDiv(caps.parallelism * WG, kept), ceilDiv(reduced, SERIAL / 2)));
}

interface Pass {
  readonly params: Params;
  readonly constants: { KEPT: number; REDUCED: number };
  readonly grid: Step["grid"];
  readonly slices: number;
  readonly kept: number;
}

/** The passes of a reduction. Each leaves `slices` partial results, and the last leaves one. */
function passesOf(dims: readonly ReductionDim[], caps: Capabilities): Pass[] {
  const passes: Pass[] = [];
  let merged = mergedDims(dims);
  for (;;) {
    const keptDims = merged.filter((dim) => !dim.reduced);
    const reducedDims = merged.filter((dim) => dim.reduced);
    const kept = product(keptDims.map(({ size }) => size));
    const reduced = product(reducedDims.map(({ size }) => size));
    const slices = slicesFor(kept, reduced, caps);
    const count = kept * slices;
    passes.push({
      params: { count, kept, reduced, slices, ...dimParams("kept", keptDims), ...dimParams("reduced", reducedDims) },
      constants: { KEPT: keptDims.length, REDUCED: reducedDims.length },
      grid: foldGrid(ceilDiv(count, WG)),
      slices,
      kept,
    });
    if (slices === 1) return passes;
    merged = mergedDims(slicesOf(slices, kept));
  }
}

/** Partial results as a tensor [slices, kept], whose slices are reduced. */
const slicesOf = (slices: number, kept: number): ReductionDim[] => [
  { size: slices, reduced: true },
  { size: kept, reduced: false },
];

/** A kernel, and for each of its bindings the scratch that is bound between two passes. */
interface Reducer {
  readonly kernel: Kernel;
  readonly inputs: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, string>>;
  /** What the first pass binds to the inputs other than x. */
  readonly first: Readonly<Record<string, Binding>>;
  /** What the last pass binds to the outputs. */
  readonly last: Readonly<Record<string, string>>;
  /** Those of `last` that the caller does not use, which are scratch. */
  readonly discarded: readonly string[];
  readonly constants: (pass: { first: boolean }) => Readonly<Record<string, boolean>>;
  readonly params: (pass: { first: boolean; last: boolean; leaf: Leaf }) => Params;
}

const between = (names: Readonly<Record<string, string>>, pass: number): Record<string, string> =>
  Object.fromEntries(Object.entries(names).map(([binding, name]) => [binding, `${name}${pass}`]));

/** A reduction of operand x by leaves; each adds its results to those of earlier leaves with the same kept elements. */
function planReduction(dims: readonly ReductionDim[], r: Reducer, caps: Capabilities): Plan {
  const total = product(dims.map(({ size }) => size));
  const keptTotal = product(dims.filter(({ reduced }) => !reduced).map(({ size }) => size));
  const bytes = Math.max(1, keptTotal) * 4;
  const scratch: Record<string, number> = Object.fromEntries(r.discarded.map((name) => [name, bytes]));
  const started = new Set<number>();
  const steps = leavesOf(dims, caps).flatMap((leaf): Step[] => {
    const x = boundPart("x", { begin: leaf.begin, end: leaf.begin + leaf.size }, total);
    const kept = { begin: leaf.keptBegin, end: leaf.keptBegin + leaf.kept };
    const target = (name: string) => boundPart(name, kept, keptTotal);
    const written = Object.entries(r.last).map(([binding, name]) => [binding, target(name).operand] as const);
    const accumulate = started.has(leaf.keptBegin);
    started.add(leaf.keptBegin);
    return passesOf(leaf.dims, caps).map((pass, i): Step => {
      const [first, last] = [i === 0, pass.slices === 1];
      const outputs = last ? Object.fromEntries(written) : between(r.outputs, i);
      if (!last) for (const name of Object.values(outputs)) grow(scratch, name as string, pass.slices * pass.kept * 4);
      return {
        kernel: r.kernel,
        constants: { ...pass.constants, ...r.constants({ first }), ACCUMULATE: accumulate && last },
        params: {
          ...pass.params,
          ...r.params({ first, last, leaf }),
          xFirst: first ? leaf.begin - x.origin : 0,
          yFirst: last ? leaf.keptBegin - target("").origin : 0,
        },
        operands: { ...(first ? { ...r.first, x: x.operand } : between(r.inputs, i - 1)), ...outputs },
        grid: pass.grid,
      };
    });
  });
  const isSummed = steps.some(({ constants }) => constants?.ACCUMULATE === true);
  return { steps, scratch, ...(isSummed ? { sums: keptTotal } : {}) };
}

function grow(scratch: Record<string, number>, name: string, bytes: number): void {
  scratch[name] = Math.max(scratch[name] ?? 0, bytes);
}

const [INTEGER_SUM, INTEGER_MAX] = [ofIntegers(SUM), ofIntegers(MAX)];

/** {@link planSum} of integers, modulo 2^32 and without a scale. Operands: x, y (int32). */
export const planIntegerSum = (dims: readonly ReductionDim[], caps: Capabilities): Plan =>
  planReduction(dims, sumReducer(INTEGER_SUM, 1), caps);

/**
 * `y = scale * sum of x` over the reduced dimensions (torch.sum, torch.mean), in the memory order of the kept ones.
 * Operands: x, y (float32). Throws `defect` when there are more than four separate kept or reduced dimensions.
 */
export function planSum(dims: readonly ReductionDim[], scale: number, caps: Capabilities): Plan {
  return planReduction(dims, sumReducer(SUM, scale), caps);
}

const sumReducer = (kernel: Kernel, scale: number): Reducer => ({
  kernel,
  inputs: { x: "partial" },
  outputs: { y: "partial" },
  first: {},
  last: { y: "y" },
  discarded: [],
  constants: () => ({}),
  params: ({ last }) => ({ scale: last ? scale : 1 }),
});

/** What {@link planMax} writes: the maxima, their indices, or both. */
export interface MaxOutputs {
  readonly values: boolean;
  readonly indices: boolean;
  /** Of the smallest elements instead of the largest. */
  readonly smallest?: boolean;
  /** Whether x and y are int32. */
  readonly integer?: boolean;
}

/**
 * The maximum, or minimum, over the reduced dimensions (torch.amax, torch.amin) and its index among the reduced
 * elements, counted in memory order: the first of equals (torch.argmax). At least one element must be reduced.
 * Operands: x, y (float32 or, with `integer`, int32; y with `values`), index (int32, with `indices`). Throws `defect`
 * when there are more than four separate kept or reduced dimensions.
 */
export function planMax(dims: readonly ReductionDim[], outputs: MaxOutputs, caps: Capabilities): Plan {
  const reducer: Reducer = {
    kernel: outputs.integer ? INTEGER_MAX : MAX,
    inputs: { x: "partial", found: "indices" },
    outputs: { y: "partial", index: "indices" },
    first: { found: UNREAD },
    last: { y: "y", index: "index" },
    discarded: [...(outputs.values ? [] : ["y"]), ...(outputs.indices ? [] : ["index"])],
    constants: ({ first }) => ({ MERGE: !first, SMALLEST: outputs.smallest ?? false }),
    params: ({ first, leaf }) => ({ reducedFirst: first ? leaf.reducedBegin : 0 }),
  };
  return planReduction(dims, reducer, caps);
}

/**
 * The gradient of {@link planSum}, or with `select` of {@link planMax}. Operands: dy, dx and, with `select`, index. dx
 * is in the memory order of `dims`, and dy and index are in that of the kept ones.
 */
export function planExpand(dims: readonly ReductionDim[], scale: number, select: boolean, caps: Capabilities): Plan {
  const size = product(dims.map((dim) => dim.size));
  const keptTotal = product(dims.filter(({ reduced }) => !reduced).map((dim) => dim.size));
  const steps = leavesOf(dims, caps).map((leaf): Step => {
    const kept = { begin: leaf.keptBegin, end: leaf.keptBegin + leaf.kept };
    const dy = boundPart("dy", kept, keptTotal);
    const dx = boundPart("dx", { begin: leaf.begin, end: leaf.begin + leaf.size }, size);
    const merged = mergedDims(leaf.dims).reverse();
    if (merged.length > MAX_RANK) throw defect(`a reduction over ${merged.length} separate dims`);
    return {
      kernel: EXPAND,
      constants: { DIMS: merged.length, SELECT: select },
      params: {
        count: leaf.size,
        scale,
        dxFirst: leaf.begin - dx.origin,
        dyFirst: leaf.keptBegin - dy.origin,
        reducedFirst: leaf.reducedBegin,
        dims: merged.flatMap(({ size, keptStride, reducedStride }) => [size, keptStride, reducedStride, 0]),
      },
      operands: {
        dy: dy.operand,
        index: select ? boundPart("index", kept, keptTotal).operand : UNREAD,
        dx: dx.operand,
      },
      grid: foldGrid(ceilDiv(leaf.size, WG)),
    };
  });
  return { steps };
}
