import { type Colour, vocColours } from "../../../labels/colours.js";
import { VOID_LABEL } from "../../../labels/sample.js";
import type { LabelRule } from "../../decode/rule.js";
import { fileError } from "../../files/errors.js";
import { joinPath } from "../../files/files.js";
import type { DataRemark } from "../../files/remarks.js";
import { counted } from "../../files/words.js";
import { VOC_CLASSES } from "../../published/classNames.js";
import type { Classes } from "../../samples/dataset.js";
import type { MaskSurvey } from "../../workers/surveyMasks.js";
import { type ClassEntry, classFileOf } from "../classes.js";
import { colourOf, VOC_VOID, vocKeys } from "../colours.js";
import { foundText, usesOf } from "./found.js";
import { type Listed, refuseBlackAndWhite, refuseNoLabels, refuseOtherPalettes, withoutClass } from "./refuse.js";

/** How to interpret the masks of a folder. */
export interface MaskMeaning extends Classes {
  readonly rule: LabelRule;
  readonly remarks: readonly DataRemark[];
}

/**
 * What the masks of a folder mean, without guessing:
 * - classes with values: the stored numbers are those values;
 * - classes with colours: the masks are read by colour;
 * - names only, or no list: the stored numbers are the labels and 255 is void, and RGB masks in the colours of PASCAL
 *   VOC are numbered as VOC numbers them.
 *
 * Throws a TensorError that says what the masks hold and how to list it for anything else.
 *
 * @param root the folder, for remarks
 */
export function chooseRule(
  root: string,
  surveys: readonly MaskSurvey[],
  entries: readonly ClassEntry[] | undefined,
): MaskMeaning {
  if (entries?.some(({ value }) => value !== undefined)) return fromEntries(withNumbers(root, entries), "value");
  if (entries?.some(({ colour }) => colour !== undefined)) return fromEntries(entries, "colour");
  const names = entries && withNumbers(root, entries).map(({ name }) => name);
  const listed = { names, listedIn: classFileOf(entries) };
  refuseNoLabels(surveys, listed);
  // If few masks are RGB, they are a mistake of their own and fail when they are loaded.
  const isColour =
    surveys.some(({ kind }) => kind === "colour") && 2 * surveys.filter(({ isRgb }) => isRgb).length >= surveys.length;
  if (isColour) return fromNumbers(root, "colour", surveys.map(byPlaceInVoc(surveys, listed)), listed);
  const numbered = surveys.filter(({ kind }) => kind !== "colour");
  refuseOtherPalettes(numbered, listed);
  refuseBlackAndWhite(numbered, listed);
  return fromNumbers(root, "value", numbered, listed);
}

/** Throws if an ignored class does not say which number it has. */
function withNumbers(root: string, entries: readonly ClassEntry[]): readonly ClassEntry[] {
  const lost = entries.find(({ ignore, value }) => ignore && value === undefined);
  if (lost === undefined) return entries;
  const fix = "give each class the number in the masks as its value, or leave the ignored class out where it is 255";
  const problem = `"${lost.name}" has "ignore", but no value`;
  throw fileError("invalid-classes", joinPath(root, classFileOf(entries) ?? "classes.json"), problem, fix);
}

/** The meaning given by a list of classes: labels are the indices of the entries that are not ignored. */
function fromEntries(
  entries: readonly ClassEntry[],
  by: LabelRule["by"],
  remarks: readonly DataRemark[] = [],
): MaskMeaning {
  const real = entries.filter(({ ignore }) => !ignore);
  const fallback = vocColours(real.length);
  const voidKey = by === "colour" ? VOC_VOID : VOID_LABEL;
  const keyed = (some: readonly ClassEntry[], labelOf: (place: number) => number) =>
    some.map((entry, place) => [entry[by] as number, labelOf(place)] as const);
  const ignored = entries.filter(({ ignore }) => ignore);
  return {
    // The last entry for a key wins, since a class may use the key that is void elsewhere.
    rule: {
      by,
      labels: [[voidKey, VOID_LABEL], ...keyed(ignored, () => VOID_LABEL), ...keyed(real, (place) => place)],
    },
    classes: real.map(({ name }) => name),
    palette: real.map(({ colour }, i) => (colour === undefined ? (fallback[i] as Colour) : colourOf(colour))),
    remarks,
  };
}

/** The colour that a mask shows for each of its keys. */
function coloursOf({ kind, keys, palette }: MaskSurvey): readonly number[] {
  if (kind === "colour") return keys;
  if (palette) return keys.map((key) => palette[key] ?? 0);
  return keys.filter((key) => key < 256).map((key) => key * 0x010101);
}

/**
 * Maps masks to what they would be with VOC's palette. Throws for a colour that VOC, or as many of its colours as there
 * are names, does not have.
 */
function byPlaceInVoc(surveys: readonly MaskSurvey[], listed: Listed): (survey: MaskSurvey) => MaskSurvey {
  const known = vocKeys(listed.names?.length ?? VOC_CLASSES.length);
  for (const survey of surveys) {
    const stray = coloursOf(survey).find((colour) => colour !== VOC_VOID && !known.includes(colour));
    if (stray === undefined) continue;
    const uses = usesOf(surveys, coloursOf).filter(({ key }) => key !== VOC_VOID);
    throw withoutClass("colour", survey, stray, uses, listed);
  }
  const places = (survey: MaskSurvey): number[] =>
    coloursOf(survey).map((colour) => (colour === VOC_VOID ? VOID_LABEL : known.indexOf(colour)));
  return (survey) => ({ ...survey, kind: "palette", keys: places(survey), palette: vocKeys(VOID_LABEL + 1) });
}

/** Handles masks whose numbers are the labels. Without names, the largest one determines the number of classes. */
function fromNumbers(root: string, by: LabelRule["by"], surveys: readonly MaskSurvey[], listed: Listed): MaskMeaning {
  const { names } = listed;
  const palette = surveys.find((survey) => survey.palette)?.palette;
  const isVoid = (key: number): boolean =>
    key === VOID_LABEL || (palette?.[key] === VOC_VOID && key >= (names?.length ?? 0));
  const uses = usesOf(surveys);
  const numbers = uses.map(({ key }) => key).filter((key) => !isVoid(key));
  const voc = vocKeys(VOC_CLASSES.length);
  const isVoc = palette !== undefined && numbers.every((key) => voc[key] === palette[key]);
  // Parts of VOC's classes are numbered as the whole.
  const isStray = (key: number): boolean =>
    !isVoid(key) && (names ? key >= names.length : !isVoc && numbers[key] !== key);
  const strays = surveys.filter(({ keys }) => keys.some(isStray));
  const [first] = strays;
  // If few masks hold numbers without a name, they are a mistake of their own and fail when they are loaded.
  if (first !== undefined && (names === undefined || 2 * strays.length > surveys.length)) {
    throw withoutClass("value", first, first.keys.find(isStray) as number, uses, listed);
  }
  const count = names?.length ?? Math.max(0, ...numbers) + 1;
  // Many tools paint any classes in VOC's colours, so its names are given only where all of its labels occur.
  const isWhole = isVoc && numbers.length === VOC_CLASSES.length;
  const classes = names ?? (isWhole ? VOC_CLASSES : Array.from({ length: count }, (_, label) => `class ${label}`));
  const entries: ClassEntry[] = classes.map((name, value) => {
    const colour = palette?.[value];
    return { name, value, ...(colour === undefined ? {} : { colour }) };
  });
  const voids = uses.filter(({ key }) => isVoid(key) && key !== VOID_LABEL);
  entries.push(...voids.map(({ key }) => ({ name: "void", value: key, colour: VOC_VOID, ignore: true })));
  const note = (code: string, text: string): DataRemark => ({ level: "note", code, file: root, text });
  const painted =
    by === "colour"
      ? [note("voc-colours", "the masks are painted in the colours of PASCAL VOC: a label is the place of its colour")]
      : [];
  if (names) return fromEntries(entries, by, painted);
  const whole =
    "no classes.json: the masks hold all labels of PASCAL VOC in its colours, so they get its names; other names go into classes.json";
  const found = `no classes.json: the largest label in the masks is ${count - 1}, so there ${count === 1 ? "is 1 class without a name; list its name" : `are ${counted(count, "class")} without names; list their names`} in classes.json; the masks hold ${foundText("value", uses)}`;
  return fromEntries(entries, by, [...painted, isWhole ? note("voc-names", whole) : note("classes-found", found)]);
}
