import { boundPart, type Range, rowRanges } from "../bindingParts.js";
import { ofIntegers } from "../integers.js";
import { type Capabilities, ceilDiv, foldGrid, NAN_BITS, type Plan, type Step } from "../plan.js";
import { selectGatherBackward as BACKWARD, selectGather as GATHER, selectRank as RANK } from "../wgsl.generated.js";

const WG = 64;
const [INTEGER_GATHER, INTEGER_RANK] = [ofIntegers(GATHER), ofIntegers(RANK)];

/** A tensor [outer, size, inner], of which `places` elements along the middle dimension are taken. */
export interface Selection {
  readonly outer: number;
  readonly size: number;
  readonly places: number;
  readonly inner: number;
}

export interface GatherGeometry extends Selection {
  /** Whether the index is [places], and not [outer, places, inner]. */
  readonly shared: boolean;
}

/** Ranges of the outermost dimension in which each operand fits a binding; none where not even one row does. */
const outerRanges = ({ outer, size, places, inner }: Selection, caps: Capabilities): Range[] =>
  rowRanges(outer, Math.max(size, places) * inner, caps);

/** A part of an operand that holds `row` elements for each index of the outermost dimension. */
const part = (operand: string, { begin, end }: Range, row: number, outer: number) => ({
  begin: begin * row,
  ...boundPart(operand, { begin: begin * row, end: end * row }, outer * row),
});

/** The places: those of a part, or all of them where they are shared. */
const indexPart = (g: GatherGeometry, range: Range) =>
  g.shared ? part("index", { begin: 0, end: 1 }, g.places, 1) : part("index", range, g.places * g.inner, g.outer);

const planOf = (ranges: readonly Range[], step: (range: Range) => Step): Plan | undefined =>
  ranges.length > 0 ? { steps: ranges.map(step) } : undefined;

/**
 * Elements by their places along a dimension (torch.gather, torch.index_select). Operands: x and y (float32, or int32
 * with `integer`), index (int32). Undefined where what belongs to one index of the outermost dimension is larger than a
 * binding.
 */
export function planGather(g: GatherGeometry, integer: boolean, caps: Capabilities): Plan | undefined {
  const { outer, size, places, inner, shared } = g;
  return planOf(outerRanges(g, caps), (range) => {
    const [x, index] = [part("x", range, size * inner, outer), indexPart(g, range)];
    const y = part("y", range, places * inner, outer);
    const count = (range.end - range.begin) * places * inner;
    const firsts = { xFirst: x.begin - x.origin, indexFirst: index.begin - index.origin, yFirst: y.begin - y.origin };
    return {
      kernel: integer ? INTEGER_GATHER : GATHER,
      constants: { SHARED: shared, INTEGER: integer },
      params: { count, size, places, inner, ...firsts, nanBits: NAN_BITS },
      operands: { x: x.operand, index: index.operand, y: y.operand },
      grid: foldGrid(ceilDiv(count, WG)),
    };
  });
}

/** The gradient of {@link planGather}. Operands: dy, dx (float32), index (int32). Undefined as there. */
export function planGatherBackward(g: GatherGeometry, caps: Capabilities): Plan | undefined {
  const { outer, size, places, inner, shared } = g;
  return planOf(outerRanges(g, caps), (range) => {
    const [dx, index] = [part("dx", range, size * inner, outer), indexPart(g, range)];
    const dy = part("dy", range, places * inner, outer);
    const count = (range.end - range.begin) * size * inner;
    return {
      kernel: BACKWARD,
      constants: { SHARED: shared },
      params: {
        ...{ count, size, places, inner },
        dyFirst: dy.begin - dy.origin,
        indexFirst: index.begin - index.origin,
        dxFirst: dx.begin - dx.origin,
      },
      operands: { dy: dy.operand, index: index.operand, dx: dx.operand },
      grid: foldGrid(ceilDiv(count, WG)),
    };
  });
}

/**
 * The places of the first elements of each row in order (torch.argsort, torch.topk). Operands: x (float32, or int32
 * with `integer`), index (int32). Undefined as for {@link planGather}.
 */
export function planRank(
  s: Selection,
  { descending, integer }: { readonly descending: boolean; readonly integer: boolean },
  caps: Capabilities,
): Plan | undefined {
  const { outer, size, places, inner } = s;
  return planOf(outerRanges(s, caps), (range) => {
    const [x, index] = [part("x", range, size * inner, outer), part("index", range, places * inner, outer)];
    const count = (range.end - range.begin) * size * inner;
    const firsts = { xFirst: x.begin - x.origin, indexFirst: index.begin - index.origin };
    return {
      kernel: integer ? INTEGER_RANK : RANK,
      constants: { DESCENDING: descending },
      params: { count, size, kept: places, inner, ...firsts },
      operands: { x: x.operand, index: index.operand },
      grid: foldGrid(ceilDiv(count, WG)),
    };
  });
}
