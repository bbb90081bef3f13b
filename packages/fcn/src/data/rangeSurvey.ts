import { decodeDeep } from "./decode/image.js";
import { commonScale, levelsOf, type PixelDepth, type PixelRange } from "./decode/pixelScale.js";
import { readBytes } from "./files.js";

/** What one picture of more than 8 bits adds to the choice of a range. Plain data. */
export interface RangeSurvey {
  readonly depth: PixelDepth;
  readonly min: number;
  readonly max: number;
  /** Its values at even steps of rank, rising; empty where it has none. */
  readonly ranked: readonly number[];
}

/** Values of a picture that are sorted, and kept of those. */
const SORTED = 2 ** 16;
const KEPT = 1024;

/** Looks at one picture (Node); undefined where it has 8 bits. */
export async function surveyRange(file: string): Promise<RangeSurvey | undefined> {
  const bands = await decodeDeep(file, await readBytes(file));
  if (bands === undefined) return undefined;
  const { depth, min, max } = levelsOf(bands);
  const { values, noData } = bands;
  const step = Math.max(1, Math.floor(values.length / SORTED));
  const some: number[] = [];
  for (let i = 0; i < values.length; i += step) {
    const value = values[i] as number;
    if (Number.isFinite(value) && value !== noData) some.push(value);
  }
  const sorted = Float64Array.from(some).sort();
  const count = Math.min(KEPT, sorted.length);
  const ranked = Array.from({ length: count }, (_, i) => {
    return sorted[Math.round((i * (sorted.length - 1)) / Math.max(1, count - 1))] as number;
  });
  return { depth, min, max, ranked };
}

/** Part of the values that may lie beyond either end of a range. */
const TAIL = 0.001;
/** So many times as wide as without its tails a range has outliers. */
const OUTLIERS = 2;

/** The range that suits pictures; undefined where they hold no value. */
export function chooseRange(surveys: readonly RangeSurvey[]): PixelRange | undefined {
  const used = surveys.filter(({ ranked }) => ranked.length > 0);
  const [first] = used;
  if (first === undefined) return undefined;
  const min = used.reduce((least, survey) => Math.min(least, survey.min), Number.POSITIVE_INFINITY);
  const max = used.reduce((most, survey) => Math.max(most, survey.max), Number.NEGATIVE_INFINITY);
  const common = commonScale({ depth: first.depth, min, max });
  if (common && max - min > common[1] / 2) return common;
  const ranked = Float64Array.from(used.flatMap((survey) => survey.ranked)).sort();
  const at = (part: number): number => ranked[Math.round(part * (ranked.length - 1))] as number;
  const [low, high] = [at(TAIL), at(1 - TAIL)];
  if (high > low && max - min > OUTLIERS * (high - low)) return [low, high];
  return [min, max > min ? max : min + 1];
}
