import type { TensorError } from "@fcn/tensor";
import { VOID_LABEL } from "../../../labels/sample.js";
import { formatKey } from "../../decode/rule.js";
import { fileError } from "../../files/errors.js";
import { joinPath } from "../../files/files.js";
import type { DataRemark } from "../../files/remarks.js";
import type { MaskSurvey } from "../../workers/surveyMasks.js";
import { type ClassEntry, classFileOf } from "../classes.js";
import { VOC_VOID } from "../colours.js";
import { colourKeys, fromColours } from "./colourRule.js";
import { fromEntries, type MaskMeaning, note } from "./meaning.js";
import { fromNumbers } from "./numberRule.js";
import { refuseNoLabels } from "./softMasks.js";

/**
 * Infers the meaning of the masks from their contents and from `classes.json` if there is one:
 * - classes with values: the stored numbers are those values;
 * - classes with colours: colours decide if the list has every colour of the masks; stored numbers are labels if it has
 * none, or if colours and numbers agree; anything in between is an error;
 * - names only, or nothing: if at least half of the masks are RGB and some show colours, colours decide ({@link
 * fromColours}); otherwise the stored numbers are labels ({@link fromNumbers}).
 *
 * Throws a TensorError that names a mask if the masks are ambiguous or hold no labels ({@link refuseNoLabels}).
 *
 * @param root the folder, for remarks
 */
export function chooseRule(
  root: string,
  surveys: readonly MaskSurvey[],
  entries: readonly ClassEntry[] | undefined,
): MaskMeaning {
  if (entries?.some(({ value }) => value !== undefined)) return fromEntries(byNumber(root, entries), "value", []);
  refuseNoLabels(surveys, entries?.flatMap(({ colour }) => colour ?? []) ?? []);
  // A few RGB masks among others are a separate mistake; they fail when they are loaded.
  const isColour =
    surveys.some(({ kind }) => kind === "colour") && 2 * surveys.filter(({ isRgb }) => isRgb).length >= surveys.length;
  if (entries?.some(({ colour }) => colour !== undefined)) return fromListedColours(root, surveys, entries, isColour);
  const names = entries && byNumber(root, entries).map(({ name }) => name);
  if (isColour) return fromColours(root, surveys, names);
  return fromNumbers(
    root,
    surveys.filter(({ kind }) => kind !== "colour"),
    names,
  );
}

/** Throws if an ignored class does not say which number it has. */
function byNumber(root: string, entries: readonly ClassEntry[]): readonly ClassEntry[] {
  const lost = entries.find(({ ignore, value }) => ignore && value === undefined);
  if (lost === undefined) return entries;
  const fix = "give each class the number in the masks as its value, or leave the ignored class out where it is 255";
  const problem = `"${lost.name}" is to be ignored, but has no value`;
  throw fileError("invalid-classes", joinPath(root, classFileOf(entries) ?? "classes.json"), problem, fix);
}

/** A colour of a mask, and the number that it is stored as. */
interface Shown {
  readonly colour: number;
  readonly number: number;
  readonly survey: MaskSurvey;
}

function fromListedColours(
  root: string,
  surveys: readonly MaskSurvey[],
  entries: readonly ClassEntry[],
  isColour: boolean,
): MaskMeaning {
  const numeric = surveys.filter(({ kind }) => kind !== "colour");
  const listed = new Set([...entries.map(({ colour }) => colour), VOC_VOID]);
  const shown = numeric.flatMap((survey): Shown[] => {
    const colours = colourKeys(survey);
    return survey.keys.map((number, i) => ({ number, colour: colours[i] ?? Number.NaN, survey }));
  });
  const strays = shown.filter(({ colour }) => !listed.has(colour));
  if (strays.length === 0 || isColour) return fromEntries(entries, "colour", []);
  const conflict = shown.find((entry) => listed.has(entry.colour) && contradicts(entry, entries));
  if (conflict) throw twoMeanings(conflict, strays[0] as Shown, entries);
  return fromEntries(byNumber(root, entries), "value", [numbersRemark(root, strays[0] as Shown)]);
}

/**
 * Whether a listed colour means another class than its number does. Black stored as 0 occurs in every grey mask and
 * most palettes, so it proves nothing in a grey mask.
 */
function contradicts({ colour, number, survey }: Shown, entries: readonly ClassEntry[]): boolean {
  if (number === 0 && colour === 0 && survey.kind === "grey") return false;
  const label = labelOf(entries, colour);
  return label !== (number === VOID_LABEL ? VOID_LABEL : number);
}

function labelOf(entries: readonly ClassEntry[], colour: number): number {
  const place = entries.filter(({ ignore }) => !ignore).findIndex((entry) => entry.colour === colour);
  return place >= 0 ? place : VOID_LABEL;
}

function twoMeanings(conflict: Shown, stray: Shown, entries: readonly ClassEntry[]): TensorError {
  const paint = (key: number): string => formatKey("colour", key);
  const named = entries.find(({ colour }) => colour === conflict.colour)?.name ?? "void";
  const [real, what] = [entries.filter(({ ignore }) => !ignore), conflict.number];
  const asNumber = what === VOID_LABEL ? "void" : ((real[what] && `"${real[what].name}"`) ?? "no class");
  const problem = `no class has its colour ${paint(stray.colour)} (stored as ${stray.number}), but ${conflict.survey.file} has ${paint(conflict.colour)} of "${named}" (stored as ${what}, which as a number is ${asNumber})`;
  const fix = `where colours are meant, list ${paint(stray.colour)} in classes.json or repaint it; where the stored numbers are, give each class its "value" there`;
  return fileError("unknown-colour", stray.survey.file, problem, fix);
}

function numbersRemark(root: string, { survey, colour }: Shown): DataRemark {
  const text =
    "the masks do not show the colours of classes.json: their stored numbers are taken as the places in its list";
  if (survey.kind !== "palette") return note(root, "numbers-not-colours", text);
  const more = `${text} (${survey.file} has ${formatKey("colour", colour)}); a "value" for each class says that this is meant`;
  return { level: "warning", code: "numbers-not-colours", file: root, text: more };
}
