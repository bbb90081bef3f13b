import { decodeDeep } from "../decode/image.js";
import {
  commonScale,
  levelsOf,
  type PixelDepth,
  type PixelRange,
  rankedValues,
  withoutTails,
} from "../decode/pixelScale.js";
import { readBytes } from "../files/files.js";

/** What one image of more than 8 bits contributes to the choice of a range. Plain data. */
export interface RangeSurvey {
  readonly depth: PixelDepth;
  readonly min: number;
  readonly max: number;
  /** Its values at even steps of rank, in ascending order; empty if it has none. */
  readonly ranked: readonly number[];
}

/** Surveys one image; undefined if it has 8 bits (Node). */
export async function surveyRange(file: string): Promise<RangeSurvey | undefined> {
  const bands = await decodeDeep(file, await readBytes(file));
  if (bands === undefined) return undefined;
  const { depth, min, max } = levelsOf(bands);
  return { depth, min, max, ranked: rankedValues(bands) };
}

/** A range has outliers if it is more than this many times as wide as without its tails. */
const OUTLIERS = 2;

/** A range that suits the images, or undefined if they contain no valid value. */
export function chooseRange(surveys: readonly RangeSurvey[]): PixelRange | undefined {
  const used = surveys.filter(({ ranked }) => ranked.length > 0);
  const [first] = used;
  if (first === undefined) return undefined;
  const min = used.reduce((least, survey) => Math.min(least, survey.min), Number.POSITIVE_INFINITY);
  const max = used.reduce((most, survey) => Math.max(most, survey.max), Number.NEGATIVE_INFINITY);
  const [low, high] = withoutTails(Float64Array.from(used.flatMap((survey) => survey.ranked)).sort());
  const common = commonScale({ depth: first.depth, min, max });
  if (common && high - low > common[1] / 2) return common;
  if (high > low && max - min > OUTLIERS * (high - low)) return [low, high];
  return [min, max > min ? max : min + 1];
}
