import { TensorError } from "@fcn/tensor";
import { VOID_LABEL } from "../../../labels/sample.js";
import { formatKey } from "../../decode/rule.js";
import { fileError } from "../../files/errors.js";
import { counted } from "../../files/words.js";
import { VOC_CLASSES } from "../../published/classNames.js";
import type { MaskSurvey } from "../../workers/surveyMasks.js";
import { VOC_VOID, vocKeys } from "../colours.js";
import {
  foundNote,
  fromEntries,
  type KeyUse,
  list,
  type MaskMeaning,
  note,
  numbered,
  sliverRemarks,
  usesOf,
  vocNote,
} from "./meaning.js";

const paint = (key: number): string => formatKey("colour", key);

/**
 * Handles RGB masks without colours in `classes.json`: VOC colours are recognised, others are numbered in ascending
 * order (0xRRGGBB), and (224, 224, 192) is void.
 */
export function fromColours(
  root: string,
  surveys: readonly MaskSurvey[],
  names: readonly string[] | undefined,
): MaskMeaning {
  const uses = usesOf(surveys, colourKeys).filter(({ key }) => key !== VOC_VOID);
  const found = uses.map(({ key }) => key);
  const voc = vocKeys(names?.length ?? VOC_CLASSES.length);
  if (found.every((key) => voc.includes(key))) {
    const isWhole = names === undefined && found.length === VOC_CLASSES.length;
    const count = 1 + Math.max(0, ...found.map((key) => voc.indexOf(key)));
    const classes = names ?? (isWhole ? VOC_CLASSES : numbered(count));
    const entries = classes.map((name, label) => ({ name, colour: voc[label] as number }));
    const text = "the masks are painted in the colours of PASCAL VOC: a label is the place of its colour among them";
    const about = names ? [] : [isWhole ? vocNote(root) : foundNote(root, count)];
    return fromEntries(entries, "colour", [note(root, "voc-colours", text), ...about]);
  }
  if (found.length >= VOID_LABEL) throw tooManyColours(surveys, found.length);
  if (names && found.length > names.length) throw tooFewNames(root, uses, names.length);
  const classes = names ?? found.map(paint);
  const entries = found.map((colour, i) => ({ name: classes[i] as string, colour }));
  const text = `the colours of the masks are numbered in rising order: ${list(entries.map(({ name, colour }) => (names ? `${paint(colour)} ${name}` : name)))}`;
  const slivers = sliverRemarks(surveys, uses, paint);
  if (names === undefined) return fromEntries(entries, "colour", [note(root, "colours-found", text), ...slivers]);
  const unused = names.slice(found.length);
  const absent =
    unused.length === 0
      ? ""
      : `; classes.json has ${counted(names.length, "name")} for ${counted(found.length, "colour")}, so that the last ${unused.length === 1 ? "is" : "are"} left out (${list(unused)}), and if a colour before ${unused.length === 1 ? "it" : "them"} is absent from the masks, the names are wrong`;
  const guess = `${text}${absent}; give each class its color in classes.json to be sure that the names fit`;
  return fromEntries(entries, "colour", [
    { level: "warning", code: "colours-found", file: root, text: guess },
    ...slivers,
  ]);
}

/** The colour that a mask shows for each of its keys. */
export function colourKeys({ kind, keys, palette }: MaskSurvey): readonly number[] {
  if (kind === "colour") return keys;
  if (palette) return keys.map((key) => palette[key] ?? 0);
  return keys.filter((key) => key < 256).map((key) => key * 0x010101);
}

function tooFewNames(root: string, uses: readonly KeyUse[], names: number): TensorError {
  const rarest = uses.reduce((a, b) => (b.files.length < a.files.length || b.pixels < a.pixels ? b : a));
  const where = rarest.files.length === 1 ? `in ${rarest.files[0]} alone` : `in ${rarest.files.length} masks`;
  const problem = `the masks hold ${uses.length} colours (${list(uses.map(({ key }) => paint(key)))}), but classes.json has ${counted(names, "name")}; the rarest is ${paint(rarest.key)}, ${counted(rarest.pixels, "pixel")} ${where}`;
  return fileError(
    "unknown-colour",
    root,
    problem,
    "repaint what is a slip, or give each class its colour in classes.json",
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
