import type { LabelRule } from "../../decode/rule.js";
import type { KnownCounts } from "../../samples/labelCounts.js";
import type { MaskSurvey } from "../../workers/surveyMasks.js";

/**
 * The label counts of a surveyed mask; undefined if finding them, or naming the mask's faults, takes all of its pixels.
 */
export function surveyCounts(survey: MaskSurvey, rule: LabelRule): KnownCounts | undefined {
  const { height, width, stamp, pixels } = survey;
  const table = new Map(rule.labels);
  const counts = new Map<number, number>();
  let sum = 0;
  for (const [i, key] of keysBy(survey, rule.by).entries()) {
    const label = (key === undefined ? undefined : table.get(key)) ?? rule.other;
    if (key === undefined || label === undefined) return undefined;
    const count = pixels[i] as number;
    counts.set(label, (counts.get(label) ?? 0) + count);
    sum += count;
  }
  // A survey stops at too many keys, and then its counts fall short.
  return sum === height * width && stamp !== undefined ? { height, width, pixels: [...counts], stamp } : undefined;
}

/** The keys of a survey in the terms of the rule. */
function keysBy({ kind, isRgb, keys, palette }: MaskSurvey, by: LabelRule["by"]): readonly (number | undefined)[] {
  if (by === "value") return kind === "colour" ? [undefined] : keys;
  if (kind === "colour") return keys;
  if (palette) return keys.map((key) => palette[key]);
  // The levels of grey images depend on their depth.
  return isRgb ? keys.map((key) => key * 0x010101) : [undefined];
}
