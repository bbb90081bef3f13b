import type { TensorError } from "@fcn/tensor";
import { VOID_LABEL } from "../../../labels/sample.js";
import { fileError } from "../../files/errors.js";
import type { DataRemark } from "../../files/remarks.js";
import { counted } from "../../files/words.js";
import { VOC_CLASSES } from "../../published/classNames.js";
import type { MaskSurvey } from "../../workers/surveyMasks.js";
import { VOC_VOID, vocKeys } from "../colours.js";
import {
  foundNote,
  fromEntries,
  list,
  type MaskMeaning,
  note,
  numbered,
  sliverRemarks,
  usesOf,
  vocNote,
} from "./meaning.js";
import { paletteRemarks } from "./paletteOrder.js";
import { pasted } from "./softMasks.js";

/**
 * Handles masks whose stored numbers are the labels: 255 is void, or the second class if the masks hold only 0 and 255.
 * Without names, the largest label determines the number of classes.
 */
export function fromNumbers(
  root: string,
  surveys: readonly MaskSurvey[],
  names: readonly string[] | undefined,
): MaskMeaning {
  const uses = usesOf(surveys);
  const keys = new Set(uses.map(({ key }) => key));
  const hasPalette = surveys.some(({ kind }) => kind === "palette");
  const isBinary = keys.has(VOID_LABEL) && [...keys].every((key) => key === 0 || key === VOID_LABEL);
  if (isBinary && !hasPalette && (names === undefined || names.length === 2)) {
    const entries = (names ?? ["background", "foreground"]).map((name, i) => ({ name, value: i * VOID_LABEL }));
    const text = "the masks hold only 0 and 255: 255 is taken as the second class, not as void";
    return fromEntries(entries, "value", [note(root, "binary-masks", text)]);
  }
  const binary = isBinary && !hasPalette ? [voidRemark(root, names?.length ?? 0)] : [];
  const mixed = hasPalette ? binary : [...binary, ...binaryRemarks(surveys, names?.length ?? 0)];
  const palette = surveys.find((survey) => survey.palette)?.palette;
  const voids = [...keys].filter((key) => palette?.[key] === VOC_VOID && key >= (names?.length ?? 0));
  const numbers = [...keys].filter((key) => key !== VOID_LABEL && !voids.includes(key));
  const largest = Math.max(0, ...numbers);
  if (names === undefined && largest >= VOID_LABEL) throw tooManyClasses(surveys, largest);
  if (!hasPalette) refuseEvenLevels(surveys, [...keys], names);
  const count = names?.length ?? largest + 1;
  const isVoc = palette !== undefined && isWholeVoc(palette, keys);
  const classes = names ?? (isVoc ? VOC_CLASSES : numbered(count));
  const real = classes.map((name, value) => ({ name, value, ...colourFrom(palette, value) }));
  const entries = [...real, ...voids.map((value) => ({ name: "void", value, ignore: true }))];
  const gap = names || hasPalette ? undefined : gapRemark(root, numbers, keys.has(VOID_LABEL));
  const slivers = gap
    ? []
    : sliverRemarks(
        surveys,
        uses.filter(({ key }) => numbers.includes(key)),
        String,
      );
  const about = names ? [] : [gap ?? (isVoc ? vocNote(root) : foundNote(root, count)), ...slivers];
  return fromEntries(entries, "value", [...about, ...mixed, ...paletteRemarks(surveys)]);
}

/** Many tools paint any classes in VOC colours, so masks count as VOC only if they contain all of its labels. */
function isWholeVoc(palette: readonly number[], labels: ReadonlySet<number>): boolean {
  const isSame = vocKeys(VOC_CLASSES.length).every((key, label) => palette[label] === key && labels.has(label));
  return isSame && [...labels].every((label) => label < VOC_CLASSES.length || label === VOID_LABEL);
}

const colourFrom = (palette: readonly number[] | undefined, value: number): { colour?: number } => {
  const colour = palette?.[value];
  return colour === undefined ? {} : { colour };
};

/**
 * Finds masks that hold only 0 and 255 beside masks with other numbers: in the former, 255 is probably a class, yet as
 * a label it is void. Throws if they are the majority, or if the others hold nothing above 1 and no void, unless more
 * than two classes are named. Otherwise it warns, because an image may show nothing but background.
 *
 * @param named number of named classes, or 0
 */
function binaryRemarks(surveys: readonly MaskSurvey[], named: number): DataRemark[] {
  const isOther = (key: number): boolean => key !== 0 && key !== VOID_LABEL;
  const others = surveys.filter(({ keys }) => keys.some(isOther));
  const binary = surveys.filter(({ keys }) => keys.length === 2 && keys[0] === 0 && keys[1] === VOID_LABEL);
  const [first, other] = [binary[0], others[0]];
  if (first === undefined || other === undefined) return [];
  const number = other.keys.find(isOther);
  const holders = binary.length === 1 ? "this mask holds" : `this mask and ${binary.length - 1} more hold`;
  const text = `${holders} only 0 and 255, but ${other.file} holds ${number}${others.length > 1 ? ` (and ${others.length - 1} more hold such numbers)` : ""}: as labels 255 is void, not a class`;
  const withVoid = others.filter(({ keys }) => keys.includes(VOID_LABEL)).length;
  const isMixed = binary.length > others.length || (withVoid === 0 && largestOf(others) === 1);
  const fix =
    'save all masks alike; or say what the numbers mean by a "value" for each class in classes.json: 255 where it is a class, the labels where 255 is void';
  if (isMixed && named <= 2) throw fileError("mixed-masks", first.file, text, fix);
  return [{ level: "warning", code: "mixed-masks", file: first.file, text }];
}

function voidRemark(root: string, named: number): DataRemark {
  const text = `the masks hold only 0 and 255, but classes.json has ${counted(named, "name")}: 255 is taken as void; with two names it is the second class`;
  return { level: "warning", code: "binary-masks", file: root, text };
}

const largestOf = (surveys: readonly MaskSurvey[]): number =>
  Math.max(0, ...surveys.flatMap(({ keys }) => keys.filter((key) => key !== VOID_LABEL)));

/** Numbers with more gaps than members are grey levels rather than labels. */
function gapRemark(root: string, numbers: readonly number[], hasVoid: boolean): DataRemark | undefined {
  const largest = Math.max(0, ...numbers);
  if (numbers.length < 2 || 2 * numbers.length > largest) return undefined;
  const values = hasVoid ? [...numbers, VOID_LABEL] : numbers;
  const text = `no classes.json, and the masks hold only the numbers ${list(numbers.map(String))}${hasVoid ? " and 255, which is taken as void" : ""}: as labels they ask for ${largest + 1} classes; if they are ${numbers.length + (hasVoid ? 1 : 0)} classes, list them in classes.json: ${pasted(values)}`;
  return { level: "warning", code: "label-gaps", file: root, text };
}

/** Levels that divide 0 to 255 evenly are at least this far apart. */
const LEAST_STEP = 16;

/**
 * Throws for grey levels that rise from black in even steps, such as 0, 128, 255 or 0, 50, 100, 150. They are not
 * labels: read as such, they would require classes that no mask has, and 255 would be void.
 */
function refuseEvenLevels(
  surveys: readonly MaskSurvey[],
  keys: readonly number[],
  names: readonly string[] | undefined,
): void {
  const levels = [...keys].sort((a, b) => a - b);
  const last = levels.at(-1) ?? 0;
  const step = last / (levels.length - 1);
  const isEven = levels.every((level, i) => Math.abs(level - i * step) <= 1);
  // If there are more names than levels, the masks hold labels and happen to use only some of them.
  const isListed = last < VOID_LABEL && names !== undefined && names.length !== levels.length;
  if (levels.length < 3 || step < LEAST_STEP || !isEven || isListed) return;
  const { file = "" } = surveys.find((survey) => survey.keys.some((key) => key > 0 && key < VOID_LABEL)) ?? {};
  const own = names?.length === levels.length ? names : [];
  const problem = `it and the other masks hold the grey levels ${list(levels.map(String))}, in even steps from black${last === VOID_LABEL ? " to white" : ""}: as labels they would ask for ${(last === VOID_LABEL ? (levels.at(-2) ?? 0) : last) + 1} classes${last === VOID_LABEL ? ", and 255 would be void" : ""}`;
  throw fileError("grey-levels", file, problem, `say what each means in classes.json: ${pasted(levels, own)}`);
}

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
