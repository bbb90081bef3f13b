import { firstOf } from "@fcn/tensor/internal";
import { formatKey, type LabelRule } from "../../decode/rule.js";
import { counted } from "../../files/words.js";
import type { MaskSurvey } from "../../workers/surveyMasks.js";

/** A number or colour of the masks, and the number of pixels that have it. */
export interface KeyUse {
  readonly key: number;
  readonly pixels: number;
}

/** The keys of all masks in ascending order. `keysOf` maps each key of a mask, in order. */
export function usesOf(
  surveys: readonly MaskSurvey[],
  keysOf: (survey: MaskSurvey) => readonly number[] = ({ keys }) => keys,
): KeyUse[] {
  const pixels = new Map<number, number>();
  for (const survey of surveys) {
    for (const [i, key] of keysOf(survey).entries()) {
      pixels.set(key, (pixels.get(key) ?? 0) + (survey.pixels[i] as number));
    }
  }
  return [...pixels].map(([key, count]) => ({ key, pixels: count })).sort((a, b) => a.key - b.key);
}

const MOST_SHOWN = 12;

/** What the masks hold, in words: `0 (5 pixels), 128 (1 pixel)`. */
export const foundText = (by: LabelRule["by"], uses: readonly KeyUse[]): string =>
  firstOf(
    uses.map(({ key, pixels }) => `${formatKey(by, key)} (${counted(pixels, "pixel")})`),
    MOST_SHOWN,
  );

/** More entries would not fit in a message. */
const MOST_ENTRIES = 32;

/** The text of a `classes.json` that gives each key a class: these names if there is one for each. */
export function classList(by: LabelRule["by"], uses: readonly KeyUse[], names: readonly string[] = []): string {
  const entries = uses.slice(0, MOST_ENTRIES).map(({ key }, i) => {
    const name = JSON.stringify(names.length === uses.length ? names[i] : `class ${i}`);
    return `{"name": ${name}, ${by === "colour" ? `"color": "${formatKey(by, key)}"` : `"value": ${key}`}}`;
  });
  return `[${entries.join(", ")}${uses.length > MOST_ENTRIES ? ", ..." : ""}]`;
}
