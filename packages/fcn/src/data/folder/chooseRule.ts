import { TensorError } from "@fcn/tensor";
import type { Colour } from "../../report/colours.js";
import type { Classes, DataRemark } from "../dataset.js";
import { formatKey, type LabelRule } from "../decode/rule.js";
import { fileError } from "../errors.js";
import { VOC_CLASSES } from "../layouts/classNames.js";
import { VOID_LABEL } from "../sample.js";
import type { ClassEntry } from "./classes.js";
import { colourOf, defaultPalette, VOC_VOID, vocKeys } from "./colours.js";
import type { MaskSurvey } from "./surveyMasks.js";

/** How the masks of a folder are to be understood. */
export interface MaskMeaning extends Classes {
  readonly rule: LabelRule;
  readonly remarks: readonly DataRemark[];
}

/**
 * Finds out what the masks mean, from what they hold and from `classes.json` where there is one:
 * - classes with values: the stored numbers are those values;
 * - classes with colours: colours decide, unless the masks are grey or have a palette of other colours; then numbers are labels;
 * - names alone, or nothing: where most masks are RGB and some show colours, colours decide; else numbers are labels and 255 is void; masks that hold
 *   only 0 and 255 have two classes. Of RGB masks the VOC colours are recognised, others are numbered in rising order (0xRRGGBB); (224, 224, 192) is
 *   void. Without names there are as many classes as the largest label asks for; VOC's names are given where all of its labels occur.
 *
 * @param root the folder, for remarks
 */
export function chooseRule(
  root: string,
  surveys: readonly MaskSurvey[],
  entries: readonly ClassEntry[] | undefined,
): MaskMeaning {
  // A few RGB masks among others are a mistake of their own; they fail when they are loaded.
  const isColour =
    surveys.some(({ kind }) => kind === "colour") && 2 * surveys.filter(({ isRgb }) => isRgb).length >= surveys.length;
  if (entries?.some(({ value }) => value !== undefined)) return fromEntries(entries, "value", []);
  if (entries?.some(({ colour }) => colour !== undefined)) {
    return fromEntries(entries, isColour || paintedIn(surveys, entries) ? "colour" : "value", []);
  }
  const names = entries?.filter(({ ignore }) => !ignore).map(({ name }) => name);
  if (isColour) return fromColours(root, surveys, names);
  return fromValues(
    root,
    surveys.filter(({ kind }) => kind !== "colour"),
    names,
  );
}

/** Whether the masks, which are grey or have a palette, show the colours of the classes. */
function paintedIn(surveys: readonly MaskSurvey[], entries: readonly ClassEntry[]): boolean {
  const colours = new Set<number | undefined>([...entries.map(({ colour }) => colour), VOC_VOID]);
  return surveys.every(({ keys, palette }) => {
    return keys.every((key) => colours.has(palette ? palette[key] : key * 0x010101));
  });
}

/** Labels are the places in the list, ignored classes left out of the count. */
function fromEntries(entries: readonly ClassEntry[], by: LabelRule["by"], remarks: readonly DataRemark[]): MaskMeaning {
  const real = entries.filter(({ ignore }) => !ignore);
  const fallback = defaultPalette(real.length);
  const voidKey = by === "colour" ? VOC_VOID : VOID_LABEL;
  const keyOf = (entry: ClassEntry): number => (by === "colour" ? entry.colour : entry.value) ?? real.indexOf(entry);
  const ignored = entries.filter(({ ignore }) => ignore).map((entry) => [keyOf(entry), VOID_LABEL] as const);
  const labels = real.map((entry, label) => [keyOf(entry), label] as const);
  return {
    // The last entry of a key counts: a class may use the key that is void elsewhere.
    rule: { by, labels: [[voidKey, VOID_LABEL], ...ignored.filter(([key]) => key >= 0), ...labels] },
    classes: real.map(({ name }) => name),
    palette: real.map(({ colour }, i) => (colour === undefined ? (fallback[i] as Colour) : colourOf(colour))),
    remarks,
  };
}

function fromValues(root: string, surveys: readonly MaskSurvey[], names: readonly string[] | undefined): MaskMeaning {
  const keys = new Set(surveys.flatMap((survey) => survey.keys));
  const isBinary = keys.has(VOID_LABEL) && [...keys].every((key) => key === 0 || key === VOID_LABEL);
  const hasPalette = surveys.some(({ kind }) => kind === "palette");
  if (isBinary && !hasPalette && (names === undefined || names.length === 2)) {
    const entries = (names ?? ["background", "foreground"]).map((name, i) => ({ name, value: i * VOID_LABEL }));
    const text = "the masks hold only 0 and 255: 255 is taken as the second class, not as void";
    return fromEntries(entries, "value", [note(root, "binary-masks", text)]);
  }
  const palette = surveys.find((survey) => survey.palette)?.palette;
  const voids = [...keys].filter((key) => palette?.[key] === VOC_VOID && key >= (names?.length ?? 0));
  const largest = Math.max(0, ...[...keys].filter((key) => key !== VOID_LABEL && !voids.includes(key)));
  if (names === undefined && largest >= VOID_LABEL) throw tooManyClasses(surveys, largest);
  const count = names?.length ?? largest + 1;
  const isVoc = palette !== undefined && isWholeVoc(palette, keys);
  const classes = names ?? (isVoc ? VOC_CLASSES : numbered(count));
  const real = classes.map((name, value) => ({ name, value, ...colourFrom(palette, value) }));
  const entries = [...real, ...voids.map((value) => ({ name: "void", value, ignore: true }))];
  const remarks = [...(names ? [] : [isVoc ? vocNote(root) : foundNote(root, count)]), ...paletteRemarks(surveys)];
  return fromEntries(entries, "value", remarks);
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, label) => `class ${label}`);

/** Many tools paint any classes in the colours of PASCAL VOC: only masks with all its labels are taken for its classes. */
function isWholeVoc(palette: readonly number[], labels: ReadonlySet<number>): boolean {
  const isSame = vocKeys(VOC_CLASSES.length).every((key, label) => palette[label] === key && labels.has(label));
  return isSame && [...labels].every((label) => label < VOC_CLASSES.length || label === VOID_LABEL);
}

const colourFrom = (palette: readonly number[] | undefined, value: number): { colour?: number } => {
  const colour = palette?.[value];
  return colour === undefined ? {} : { colour };
};

/** Palettes that differ: one number may mean two classes. */
function paletteRemarks(surveys: readonly MaskSurvey[]): DataRemark[] {
  const coloured = surveys.filter((survey) => survey.palette);
  const [first] = coloured;
  const other = coloured.find(({ keys, palette }) => keys.some((key) => palette?.[key] !== first?.palette?.[key]));
  if (!first || !other) return [];
  const text = `its palette gives its numbers other colours than that of ${first.file}: one number may mean two classes; list the classes with colours in classes.json`;
  return [{ level: "warning", code: "palettes-differ", file: other.file, text }];
}

function fromColours(root: string, surveys: readonly MaskSurvey[], names: readonly string[] | undefined): MaskMeaning {
  const keys = new Set(surveys.flatMap((survey) => [...coloursOf(survey)]));
  keys.delete(VOC_VOID);
  const voc = vocKeys(names?.length ?? VOC_CLASSES.length);
  if ([...keys].every((key) => voc.includes(key))) {
    const isWhole = names === undefined && keys.size === VOC_CLASSES.length;
    const count = 1 + Math.max(0, ...[...keys].map((key) => voc.indexOf(key)));
    const classes = names ?? (isWhole ? VOC_CLASSES : numbered(count));
    const entries = classes.map((name, label) => ({ name, colour: voc[label] as number }));
    const text = "the masks are painted in the colours of PASCAL VOC: a label is the place of its colour among them";
    const remarks = [
      note(root, "voc-colours", text),
      ...(names ? [] : [isWhole ? vocNote(root) : foundNote(root, count)]),
    ];
    return fromEntries(entries, "colour", remarks);
  }
  const found = [...keys].sort((a, b) => a - b);
  if (found.length >= VOID_LABEL) throw tooManyColours(surveys, found.length);
  if (names && found.length > names.length) {
    const problem = `the masks hold ${found.length} colours (${list(found.map((key) => formatKey("colour", key)))}), but classes.json has ${names.length} names`;
    throw fileError("unknown-colour", root, problem, "give each class its colour in classes.json");
  }
  const classes = names ?? found.map((key) => formatKey("colour", key));
  const entries = found.map((colour, i) => ({ name: classes[i] as string, colour }));
  const text = `the colours of the masks are numbered in rising order: ${list(entries.map(({ name, colour }) => (names ? `${formatKey("colour", colour)} ${name}` : name)))}`;
  return fromEntries(entries, "colour", [note(root, "colours-found", text)]);
}

function coloursOf({ kind, keys, palette }: MaskSurvey): readonly number[] {
  if (kind === "colour") return keys;
  if (palette) return keys.map((key) => palette[key] ?? 0);
  return keys.filter((key) => key < 256).map((key) => key * 0x010101);
}

function foundNote(root: string, count: number): DataRemark {
  const text = `no classes.json: the largest label in the masks is ${count - 1}, so there are ${count} classes without names; list their names in classes.json`;
  return note(root, "classes-found", text);
}

function vocNote(root: string): DataRemark {
  const text =
    "no classes.json: the masks hold all labels of PASCAL VOC in its colours, so they get its names; other names go into classes.json";
  return note(root, "voc-names", text);
}

function note(file: string, code: string, text: string): DataRemark {
  return { level: "note", code, file, text };
}

const list = (items: readonly string[]): string => items.slice(0, 12).join(", ") + (items.length > 12 ? ", ..." : "");

function tooManyClasses(surveys: readonly MaskSurvey[], largest: number): TensorError {
  const { file = "" } = surveys.find(({ keys }) => keys.includes(largest)) ?? {};
  const fix = "if masks hold grey levels or 16-bit numbers, list the classes with their value in classes.json";
  return fileError(
    "label-out-of-range",
    file,
    `it holds the number ${largest}, labels are 0 to 254, and 255 is void`,
    fix,
  );
}

function tooManyColours(surveys: readonly MaskSurvey[], count: number): TensorError {
  const most = surveys.reduce((a, b) => (b.keys.length > a.keys.length ? b : a));
  return new TensorError({
    code: "unknown-colour",
    message: `${most.file}: the masks hold ${count} colours, ${most.keys.length} in this one: too many for classes`,
    fix: "list the classes with their colours in classes.json; soft brushes and lossy saving make such colours",
  });
}
