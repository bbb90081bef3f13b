import { rules } from "@fcn/tensor/internal";
import { type FlagRule, numbers } from "../../options/rules.js";
import { fileError, type Remedy } from "../files/errors.js";

/** How the values of an image file are stored. */
export type PixelDepth = "uint8" | "int8" | "uint16" | "int16" | "uint32" | "int32" | "float32";

/** The values that become 0 and 255; those between lie on a line, those beyond are clipped. */
export type PixelRange = readonly [low: number, high: number];

/** How images of more than 8 bits come to the scale of 0 to 255. */
export interface PixelScale {
  /** Of images that are not of unsigned 8 bits; those keep their values. */
  readonly range?: PixelRange;
  /** The depths of the images for which `range` was chosen. */
  readonly depths?: readonly PixelDepth[];
}

/** Bands of an image as they are stored, interleaved: one (grey) or three. */
export interface Bands {
  readonly values: ArrayLike<number>;
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  readonly depth: PixelDepth;
  /** The value of pixels that were not measured, as GeoTIFF tells it. */
  readonly noData?: number | undefined;
}

/** What an image holds in its file. */
export interface PixelLevels {
  readonly depth: PixelDepth;
  /** Least and largest value; NaN where no value is one. */
  readonly min: number;
  readonly max: number;
  /** Part of the values, 0 to 1, that is NaN, infinite or said to be no data; they become 0. */
  readonly missing: number;
  /** Part of the values that lies outside the range. */
  readonly clipped: number;
}

const twoNumbers = numbers("two numbers, the lower one first, such as 0,4095", rules.finite);
const isRange = (value: unknown): value is PixelRange =>
  twoNumbers.holds(value) && value.length === 2 && (value[0] as number) < (value[1] as number);

/** Of {@link PixelRange}. */
export const pixelRange: FlagRule<PixelRange> = {
  what: twoNumbers.what,
  holds: isRange,
  parse: (text) => [twoNumbers.parse(text)].find(isRange),
};

/** What bands hold; `clipped` is 0. */
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

/** Values of an image that are sorted, and kept of those. */
const SORTED = 2 ** 16;
const KEPT = 1024;

/** Values of bands at even steps of their rank, rising; none where all are missing. */
export function rankedValues({ values, noData }: Bands): number[] {
  const wanted = Math.floor(values.length / SORTED);
  // Neither 2 nor 3 divides it, so that all bands are met, and all columns of the usual widths.
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

/** Part of the values that may lie beyond either end of a range. */
const TAIL = 0.001;

/** The ends of what is left of rising values without their tails. */
export function withoutTails(ranked: ArrayLike<number>): [low: number, high: number] {
  const at = (part: number): number => ranked[Math.round(part * (ranked.length - 1))] as number;
  return [at(TAIL), at(1 - TAIL)];
}

/**
 * Bands as 8-bit RGB, and what they hold. Throws a TensorError that names `file` where the range does not suit it or
 * cannot be told.
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

/** At most six digits, as people write numbers. */
export const short = (value: number): string => String(Number.isInteger(value) ? value : Number(value.toPrecision(6)));

/** The scales in common use, by their largest value: fractions, bytes, and 16 bits. */
const SCALES = { fraction: 1, byte: 255, word: 65535 } as const;

/**
 * The scale in common use on which values from `min` to `max` are most likely stored: 0 to 1 (floats alone), 0 to 255
 * or 0 to 65535. It must hold them, and its upper half must be in use; undefined where there is none.
 */
export function commonScale({ depth, min, max }: Pick<PixelLevels, "depth" | "min" | "max">): PixelRange | undefined {
  const scales = depth === "float32" ? Object.values(SCALES) : [SCALES.byte, SCALES.word];
  const high = scales.find((scale) => max <= scale);
  return high !== undefined && min >= 0 && max > high / 2 ? [0, high] : undefined;
}

/** That of an image by itself, where neither a folder nor a weights file says one. */
function ownRange(file: string, bands: Bands, levels: PixelLevels): PixelRange {
  if (Number.isNaN(levels.min)) return [0, 1];
  const common = commonScale(levels);
  // A hot pixel does not make a dark image one that uses the whole scale.
  if (common && withoutTails(rankedValues(bands))[1] > common[1] / 2) return common;
  const { depth, min, max } = levels;
  const [low, high] = [Math.min(0, min), max > Math.min(0, min) ? max : Math.min(0, min) + 1];
  const problem = `its values are ${depth}, ${short(min)} to ${short(max)}, and nothing says which of them are to become 0 and 255`;
  throw fileError("range-needed", file, problem, rangeRemedy([low, high]));
}

/** How a range is given. */
const rangeRemedy = (range: PixelRange): Remedy => {
  const [low, high] = range.map(short);
  const then = "the same for all images, in training and prediction";
  return {
    code: `say it, { range: [${low}, ${high}] } or another, ${then}`,
    command: `say it, --range ${low},${high} or another, ${then}`,
  };
};

/**
 * More than this part of an image outside the range: it is of another kind than those for which the range was chosen.
 */
const MOST_CLIPPED = 0.5;

/** Throws where an image does not suit the scale with which a net was trained. */
export function checkScale(file: string, levels: PixelLevels, { range, depths }: PixelScale): void {
  if (range === undefined || depths === undefined) return;
  const trained = `the net was trained on images of ${depths.join(" and ")}, of which ${rangeText(range)} became 0 to 255`;
  const isCommon = range[0] === 0 && range[1] === SCALES.word;
  if (levels.depth === "uint8") {
    if (depths.includes("uint8") || isCommon || (range[0] === 0 && range[1] === SCALES.byte)) return;
    throw fileError("other-depth", file, `it has 8 bits, but ${trained}`, SAME_DEPTH);
  }
  // A dark image of the same instrument may fill next to nothing of the range as well.
  const isOther = !depths.includes(levels.depth);
  const isLost = isOther && levels.min < levels.max && (levels.max - levels.min) * 255 < range[1] - range[0];
  if (levels.clipped <= MOST_CLIPPED && !isLost) return;
  const problem = `its values are ${levels.depth}, ${short(levels.min)} to ${short(levels.max)}, but ${trained}: most of it would be lost`;
  throw fileError("other-depth", file, problem, {
    code: `${SAME_DEPTH}; or say which values are to become 0 and 255 in all of them: { range: [low, high] }`,
    command: `${SAME_DEPTH}; or say which values are to become 0 and 255 in all of them: --range LOW,HIGH`,
  });
}

const SAME_DEPTH = "give images of the depth that the net was trained on, as they come from the instrument";
