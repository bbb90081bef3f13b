import type { TensorError } from "@fcn/tensor";
import { fileError, type Remedy } from "../files/errors.js";

/** The storage type of an image file's values. */
export type PixelDepth = "uint8" | "int8" | "uint16" | "int16" | "uint32" | "int32" | "float32";

/** The values that map to 0 and 255. Values in between are mapped linearly, values beyond are clipped. */
export type PixelRange = readonly [low: number, high: number];

/** How images with more than 8 bits are mapped to 0 to 255. */
export interface PixelScale {
  /** Applies to images that are not unsigned 8-bit; those keep their values. */
  readonly range?: PixelRange;
  /** The depths of the images that `range` was chosen for. */
  readonly depths?: readonly PixelDepth[];
}

/** Bands of an image as stored, interleaved: one (grey) or three. */
export interface Bands {
  readonly values: ArrayLike<number>;
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  readonly depth: PixelDepth;
  /** The value that marks pixels without a measurement, as declared by GeoTIFF. */
  readonly noData?: number | undefined;
}

/** The range of values in an image file. */
export interface PixelLevels {
  readonly depth: PixelDepth;
  /** Smallest and largest value; NaN if there is no valid value. */
  readonly min: number;
  readonly max: number;
  /** Share of the values, 0 to 1, that are NaN, infinite or declared as no data; they become 0. */
  readonly missing: number;
  /** Share of the values outside the range, 0 to 1. */
  readonly clipped: number;
}

/** The levels of bands, with `clipped` 0. */
export function levelsOf({ values, depth, noData }: Bands): PixelLevels {
  let [min, max, count] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (!Number.isFinite(value) || value === noData) continue;
    count++;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const [least, largest] = count > 0 ? [min, max] : [Number.NaN, Number.NaN];
  return { depth, min: least, max: largest, missing: 1 - count / values.length, clipped: 0 };
}

/** About how many values of an image are sorted, and how many of those are kept at most. */
const SORTED = 2 ** 16;
const KEPT = 1024;

/** Values of the bands at even steps of their rank, ascending; empty if all are missing. */
export function rankedValues({ values, noData }: Bands): number[] {
  const wanted = Math.floor(values.length / SORTED);
  // Divisible by neither 2 nor 3, so that the samples meet all bands, and all columns of the usual widths.
  const step = wanted < 2 ? 1 : 6 * Math.ceil(wanted / 6) - 1;
  const some: number[] = [];
  for (let i = 0; i < values.length; i += step) {
    const value = values[i] as number;
    if (Number.isFinite(value) && value !== noData) some.push(value);
  }
  const sorted = Float64Array.from(some).sort();
  const count = Math.min(KEPT, sorted.length);
  const last = (sorted.length - 1) / Math.max(1, count - 1);
  return Array.from({ length: count }, (_, i) => sorted[Math.round(i * last)] as number);
}

/** Share of the values that may lie beyond either end of a range. */
const TAIL = 0.001;

/** The lowest and highest of ascending values once the tails are removed. */
export function withoutTails(ranked: ArrayLike<number>): [low: number, high: number] {
  const at = (part: number): number => ranked[Math.round(part * (ranked.length - 1))] as number;
  return [at(TAIL), at(1 - TAIL)];
}

/**
 * Converts bands to 8-bit RGB and returns their levels. Throws a TensorError that names `file` if no range is given and
 * none can be inferred.
 */
export function scaleBands(
  file: string,
  bands: Bands,
  { range }: PixelScale,
): { readonly data: Uint8Array; readonly levels: PixelLevels } {
  const levels = levelsOf(bands);
  const [low, high] = range ?? ownRange(file, bands, levels);
  const { values, channels, noData, height, width } = bands;
  const data = new Uint8Array(height * width * 3);
  const step = 255 / (high - low);
  let clipped = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    let level = 0;
    if (Number.isFinite(value) && value !== noData) {
      if (value < low || value > high) clipped++;
      level = Math.round(Math.min(255, Math.max(0, (value - low) * step)));
    }
    if (channels === 3) data[i] = level;
    else for (let c = 0; c < 3; c++) data[3 * i + c] = level;
  }
  return { data, levels: { ...levels, clipped: clipped / values.length } };
}

/** A range in words: "0 to 4095". */
export const rangeText = ([low, high]: PixelRange): string => `${short(low)} to ${short(high)}`;

/** Formats a number with at most six significant digits. */
export const short = (value: number): string => String(Number.isInteger(value) ? value : Number(value.toPrecision(6)));

/** The common scales by their largest value: fractions, bytes and 16-bit values. */
const SCALES = { fraction: 1, byte: 255, word: 65535 } as const;

/**
 * The common scale that values from `min` to `max` are most likely stored on: 0 to 1 (floats only), 0 to 255 or 0 to
 * 65535. The values must fit it and reach its upper half; undefined if there is no such scale.
 */
export function commonScale({ depth, min, max }: Pick<PixelLevels, "depth" | "min" | "max">): PixelRange | undefined {
  const scales = depth === "float32" ? Object.values(SCALES) : [SCALES.byte, SCALES.word];
  const high = scales.find((scale) => max <= scale) ?? Number.NaN;
  return min >= 0 && max > high / 2 ? [0, high] : undefined;
}

/** The range of an image on its own, when neither a folder nor a weights file states one. */
function ownRange(file: string, bands: Bands, levels: PixelLevels): PixelRange {
  if (Number.isNaN(levels.min)) return [0, 1];
  const common = commonScale(levels);
  // One hot pixel must not make a dark image count as one that fills the scale.
  if (common && withoutTails(rankedValues(bands))[1] > common[1] / 2) return common;
  throw rangeNeeded(file, levels);
}

/** The error for values of which nothing says which become 0 and 255. */
export function rangeNeeded(file: string, { depth, min, max }: PixelLevels): TensorError {
  const [low, high] = [Math.min(0, min), max > Math.min(0, min) ? max : Math.min(0, min) + 1];
  const problem = `its values are ${depth}, ${short(min)} to ${short(max)}, and nothing says which of them should become 0 and 255`;
  return fileError("range-needed", file, problem, rangeRemedy([low, high]));
}

/** The levels of unsigned 8-bit values, which keep theirs. */
export const EIGHT_BITS = { depth: "uint8", min: 0, max: 255, missing: 0, clipped: 0 } as const;

/** Explains how to state a range. */
const rangeRemedy = (range: PixelRange): Remedy => {
  const [low, high] = range.map(short);
  const then = "the same for all images, in training and prediction";
  return {
    code: `pass { range: [${low}, ${high}] } or another range, ${then}`,
    command: `pass --range ${low},${high} or another range, ${then}`,
  };
};

/**
 * If a larger share of an image lies outside the range, it is of another kind than the images the range was chosen for.
 */
const MOST_CLIPPED = 0.5;

/** Throws if an image does not match the scale that a net was trained with. */
export function checkScale(file: string, levels: PixelLevels, { range, depths }: PixelScale): void {
  if (range === undefined || depths === undefined) return;
  const trained = `the net was trained on images of ${depths.join(" and ")}, of which ${rangeText(range)} became 0 to 255`;
  const isCommon = range[0] === 0 && range[1] === SCALES.word;
  if (levels.depth === "uint8") {
    if (depths.includes("uint8") || isCommon || (range[0] === 0 && range[1] === SCALES.byte)) return;
    throw fileError("other-depth", file, `it has 8 bits, but ${trained}`, SAME_DEPTH);
  }
  // A dark image of the same instrument may fill very little of the range too, so only other depths count as lost.
  const isOther = !depths.includes(levels.depth);
  const isLost = isOther && levels.min < levels.max && (levels.max - levels.min) * 255 < range[1] - range[0];
  if (levels.clipped <= MOST_CLIPPED && !isLost) return;
  const problem = `its values are ${levels.depth}, ${short(levels.min)} to ${short(levels.max)}, but ${trained}: most of it would be lost`;
  throw fileError("other-depth", file, problem, {
    code: `${SAME_DEPTH}; or state which values become 0 and 255 in all of them: { range: [low, high] }`,
    command: `${SAME_DEPTH}; or state which values become 0 and 255 in all of them: --range LOW,HIGH`,
  });
}

const SAME_DEPTH = "give images of the depth that the net was trained on, as they come from the instrument";
