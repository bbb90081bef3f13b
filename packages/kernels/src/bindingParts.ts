import { BINDING_ALIGNMENT, type Capabilities, type OperandPart, operandPart } from "./plan.js";

// Operands larger than a binding are bound in parts. Kernels number elements from the start of the operand and subtract
// the origin of what is bound, so that the division into parts does not change the arithmetic.

/** The range [begin, end). */
export interface Range {
  readonly begin: number;
  readonly end: number;
}

/** What a step binds, and the number of its first element in the operand. */
export interface BoundPart {
  readonly operand: string | OperandPart;
  readonly origin: number;
}

/** The elements of a range out of `total`: the operand itself where the range is all of it. */
export function boundPart(operand: string, { begin, end }: Range, total: number): BoundPart {
  if (begin === 0 && end === total) return { operand, origin: 0 };
  const part = operandPart(operand, begin, end);
  return { operand: part, origin: part.byteOffset / 4 };
}

/** Elements that fit a binding wherever they begin, since what is bound starts at the aligned element before them. */
export const roomOf = (caps: Capabilities): number => Math.floor(caps.bindingLimit / 4) - BINDING_ALIGNMENT / 4;

export const fits = (elements: number, caps: Capabilities): boolean => elements * 4 <= caps.bindingLimit;

/**
 * Ranges of rows of `length` elements that fit a binding. All but the last are multiples of `multiple` rows. There are
 * none when so many rows do not fit, and one empty range when there are no rows.
 */
export function rowRanges(rows: number, length: number, caps: Capabilities, multiple = 1): Range[] {
  if (fits(rows * length, caps)) return [{ begin: 0, end: rows }];
  const step = Math.floor(roomOf(caps) / length / multiple) * multiple;
  if (step < 1) return [];
  const ranges: Range[] = [];
  for (let begin = 0; begin < rows; begin += step) ranges.push({ begin, end: Math.min(rows, begin + step) });
  return ranges;
}

/** Elements in ranges that fit a binding and begin at aligned offsets. */
export function flatRanges(count: number, caps: Capabilities): Range[] {
  const limit = Math.floor(caps.bindingLimit / 1024) * 256;
  const ranges: Range[] = [];
  for (let begin = 0; begin < count; begin += limit) ranges.push({ begin, end: Math.min(count, begin + limit) });
  return ranges;
}

/** An operand of `count` elements, whole or the range [begin, end) that {@link flatRanges} gave. */
export function flatOperand(operand: string, begin: number, end: number, count: number): string | OperandPart {
  if (begin === 0 && end === count) return operand;
  return { operand, byteOffset: begin * 4, byteLength: (end - begin) * 4 };
}

/** One side of an op on images: the rows of an image, and the elements of a row. */
export interface ImageSide {
  readonly rows: number;
  readonly length: number;
}

/** An op that goes through the rows of `n` images, reading rows of one side and writing rows of the other. */
export interface ImageWalk {
  readonly n: number;
  /** Steps for each image. */
  readonly steps: number;
  readonly from: ImageSide;
  readonly to: ImageSide;
  /** The rows of an image that the steps [begin, end) may read. They are clipped to the image and are at least one. */
  readonly reads: (begin: number, end: number) => Range;
  /** The rows of an image that the steps [begin, end) write. Default: one row for each step. */
  readonly writes?: (begin: number, end: number) => Range;
}

/** Steps of a walk, numbered through all images, with the elements that they read and write. */
export interface ImagePart {
  readonly steps: Range;
  readonly from: Range;
  readonly to: Range;
}

/**
 * A walk in parts whose two sides each fit a binding: one part, or several that each lie within an image. There are
 * none when a single step does not fit.
 */
export function imageParts(walk: ImageWalk, caps: Capabilities): ImagePart[] {
  const { n, steps, from, to } = walk;
  const [fromTotal, toTotal] = [from, to].map(({ rows, length }) => n * rows * length) as [number, number];
  if (fits(Math.max(fromTotal, toTotal), caps)) {
    return [
      { steps: { begin: 0, end: n * steps }, from: { begin: 0, end: fromTotal }, to: { begin: 0, end: toTotal } },
    ];
  }
  const room = roomOf(caps);
  const rowsOf = (begin: number, end: number) => ({
    from: clip(walk.reads(begin, end), from.rows),
    to: clip(walk.writes?.(begin, end) ?? { begin, end }, to.rows),
  });
  const parts: ImagePart[] = [];
  for (let image = 0; image < n; image++) {
    for (let begin = 0; begin < steps; ) {
      const fit = (end: number): boolean => {
        const rows = rowsOf(begin, end);
        return span(rows.from) * from.length <= room && span(rows.to) * to.length <= room;
      };
      let end = steps;
      while (end > begin + 1 && !fit(end)) end = begin + Math.max(1, Math.floor((end - begin) / 2));
      if (!fit(end)) return [];
      const rows = rowsOf(begin, end);
      parts.push({
        steps: { begin: image * steps + begin, end: image * steps + end },
        from: elementsOf(rows.from, image, from),
        to: elementsOf(rows.to, image, to),
      });
      begin = end;
    }
  }
  return parts;
}

const span = ({ begin, end }: Range): number => end - begin;

/** Steps that read only padding still bind a row, since a part must not begin past the end. */
function clip({ begin, end }: Range, rows: number): Range {
  const first = Math.min(rows - 1, Math.max(0, begin));
  return { begin: first, end: Math.max(first + 1, Math.min(rows, end)) };
}

function elementsOf({ begin, end }: Range, image: number, { rows, length }: ImageSide): Range {
  return { begin: (image * rows + begin) * length, end: (image * rows + end) * length };
}

/**
 * A box in several operands at once: its sizes, and for each operand the strides in elements, which may be negative,
 * and the element of its first corner.
 */
export interface StridedBox {
  readonly sizes: readonly number[];
  readonly operands: Readonly<Record<string, { readonly strides: readonly number[]; readonly offset: number }>>;
}

/** Elements from the lowest to the highest, both included, that a box touches with these strides. */
export const spanOf = (sizes: readonly number[], strides: readonly number[]): number =>
  sizes.reduce((total, n, i) => total + (n - 1) * Math.abs(strides[i] ?? 0), 1);

/** The lowest element that a box touches, relative to its first corner: below 0 where strides are negative. */
const lowestOf = (sizes: readonly number[], strides: readonly number[]): number =>
  sizes.reduce((total, n, i) => total + (n - 1) * Math.min(0, strides[i] ?? 0), 0);

/** The box in parts that fit a binding in every operand; a part that does not is halved along its longest reach. */
export function boxParts(box: StridedBox, caps: Capabilities): StridedBox[] {
  const operands = Object.values(box.operands);
  const endOf = (strides: readonly number[], offset: number): number =>
    offset + lowestOf(box.sizes, strides) + spanOf(box.sizes, strides);
  const whole = operands.every(({ strides, offset }) => fits(endOf(strides, offset), caps));
  return whole ? [box] : halve(box, roomOf(caps));
}

/** One operand of a part of a box: what is bound, the strides, and the element of the first corner in it. */
export interface BoxOperand {
  readonly operand: string | OperandPart;
  readonly strides: readonly number[];
  readonly offset: number;
}

/** A part of a box in one operand, which is bound as it is where the part is the `whole` box. */
export function boxOperand(
  name: string,
  sizes: readonly number[],
  operands: StridedBox["operands"],
  whole: boolean,
): BoxOperand {
  const { strides, offset } = operands[name] as StridedBox["operands"][string];
  if (whole) return { operand: name, strides, offset };
  const lowest = offset + lowestOf(sizes, strides);
  const part = operandPart(name, lowest, lowest + spanOf(sizes, strides));
  return { operand: part, strides, offset: offset - part.byteOffset / 4 };
}

function halve(box: StridedBox, room: number): StridedBox[] {
  const far = Object.values(box.operands).find(({ strides }) => spanOf(box.sizes, strides) > room);
  if (!far) return [box];
  const reach = box.sizes.map((n, i) => (n - 1) * Math.abs(far.strides[i] ?? 0));
  const dim = reach.indexOf(Math.max(...reach));
  const size = box.sizes[dim] ?? 1;
  const half = Math.ceil(size / 2);
  const withSize = (n: number) => box.sizes.map((other, i) => (i === dim ? n : other));
  const moved = Object.entries(box.operands).map(([name, { strides, offset }]) => {
    return [name, { strides, offset: offset + half * (strides[dim] ?? 0) }] as const;
  });
  return [
    ...halve({ sizes: withSize(half), operands: box.operands }, room),
    ...halve({ sizes: withSize(size - half), operands: Object.fromEntries(moved) }, room),
  ];
}
