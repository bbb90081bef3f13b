import { type Colour, vocColours } from "../../../labels/colours.js";
import { VOID_LABEL } from "../../../labels/sample.js";
import type { LabelRule } from "../../decode/rule.js";
import type { DataRemark } from "../../files/remarks.js";
import { counted } from "../../files/words.js";
import type { Classes } from "../../samples/dataset.js";
import type { MaskSurvey } from "../../workers/surveyMasks.js";
import type { ClassEntry } from "../classes.js";
import { colourOf, VOC_VOID } from "../colours.js";

/** How to interpret the masks of a folder. */
export interface MaskMeaning extends Classes {
  readonly rule: LabelRule;
  readonly remarks: readonly DataRemark[];
}

/** The meaning given by a list of classes: labels are the indices of the entries that are not ignored. */
export function fromEntries(
  entries: readonly ClassEntry[],
  by: LabelRule["by"],
  remarks: readonly DataRemark[],
): MaskMeaning {
  const real = entries.filter(({ ignore }) => !ignore);
  const fallback = vocColours(real.length);
  const voidKey = by === "colour" ? VOC_VOID : VOID_LABEL;
  const keyOf = (entry: ClassEntry): number => (by === "colour" ? entry.colour : entry.value) ?? real.indexOf(entry);
  const ignored = entries.filter(({ ignore }) => ignore).map((entry) => [keyOf(entry), VOID_LABEL] as const);
  const labels = real.map((entry, label) => [keyOf(entry), label] as const);
  return {
    // The last entry for a key wins, since a class may use the key that is void elsewhere.
    rule: { by, labels: [[voidKey, VOID_LABEL], ...ignored.filter(([key]) => key >= 0), ...labels] },
    classes: real.map(({ name }) => name),
    palette: real.map(({ colour }, i) => (colour === undefined ? (fallback[i] as Colour) : colourOf(colour))),
    remarks,
  };
}

/** A key of the masks and where it occurs. */
export interface KeyUse {
  readonly key: number;
  readonly pixels: number;
  /** The masks that contain it, in order. */
  readonly files: readonly string[];
}

/** The keys of masks in ascending order, and where they occur. `keysOf` maps each key of a mask, in order. */
export function usesOf(
  surveys: readonly MaskSurvey[],
  keysOf: (survey: MaskSurvey) => readonly number[] = ({ keys }) => keys,
): KeyUse[] {
  const uses = new Map<number, { key: number; pixels: number; files: string[] }>();
  for (const survey of surveys) {
    keysOf(survey).forEach((key, i) => {
      const use = uses.get(key) ?? { key, pixels: 0, files: [] };
      use.pixels += survey.pixels[i] ?? 0;
      if (use.files.at(-1) !== survey.file) use.files.push(survey.file);
      uses.set(key, use);
    });
  }
  return [...uses.values()].sort((a, b) => a.key - b.key);
}

/** A class with a smaller share of all pixels, in a single mask, is probably a slip of the brush. */
const SLIVER = 1e-3;

/** Warns of keys that became classes because of a few pixels in one of several masks. */
export function sliverRemarks(
  surveys: readonly MaskSurvey[],
  uses: readonly KeyUse[],
  format: (key: number) => string,
): DataRemark[] {
  if (surveys.length < 2) return [];
  const total = surveys.reduce((sum, { pixels }) => sum + pixels.reduce((a, b) => a + b, 0), 0);
  return uses
    .filter(({ files, pixels }) => files.length === 1 && pixels < SLIVER * total)
    .map(({ key, pixels, files: [file = ""] }) => {
      const text = `${format(key)} (${counted(pixels, "pixel")}) is in this mask alone and counts as a class: repaint it if it is a slip, or list the classes in classes.json`;
      return { level: "warning", code: "rare-class", file, text };
    });
}

export function note(file: string, code: string, text: string): DataRemark {
  return { level: "note", code, file, text };
}

export function foundNote(root: string, count: number): DataRemark {
  const text = `no classes.json: the largest label in the masks is ${count - 1}, so there ${count === 1 ? "is" : "are"} ${counted(count, "class")} without ${count === 1 ? "a name; list its name" : "names; list their names"} in classes.json`;
  return note(root, "classes-found", text);
}

export function vocNote(root: string): DataRemark {
  const text =
    "no classes.json: the masks hold all labels of PASCAL VOC in its colours, so they get its names; other names go into classes.json";
  return note(root, "voc-names", text);
}

export const numbered = (count: number): string[] => Array.from({ length: count }, (_, label) => `class ${label}`);

/** The first dozen items of a list, in words. */
export const list = (items: readonly string[]): string =>
  items.slice(0, 12).join(", ") + (items.length > 12 ? ", ..." : "");
