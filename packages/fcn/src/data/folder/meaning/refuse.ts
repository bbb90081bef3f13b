import type { TensorError } from "@fcn/tensor";
import { shellWord } from "@fcn/tensor/internal";
import { VOID_LABEL } from "../../../labels/sample.js";
import { formatKey, type LabelRule } from "../../decode/rule.js";
import { classListFor } from "../../files/classFile.js";
import { fileError } from "../../files/errors.js";
import { folderOf } from "../../files/files.js";
import { counted } from "../../files/words.js";
import type { MaskSurvey } from "../../workers/surveyMasks.js";
import { classList, foundText, type KeyUse, usesOf } from "./found.js";

/** What a folder says about its classes: names at most. */
export interface Listed {
  readonly names: readonly string[] | undefined;
  /** The name of the file that lists them. */
  readonly listedIn: string | undefined;
}

type Surveys = readonly [MaskSurvey, ...MaskSurvey[]];

const isSome = (surveys: readonly MaskSurvey[]): surveys is Surveys => surveys.length > 0;

const others = ([, ...more]: Surveys): string =>
  more.length === 0 ? "" : `; the same is true of ${counted(more.length, "more mask")}`;

/** A shell pattern for all masks beside the given one. */
const inFolder = ({ file }: MaskSurvey): string => `${shellWord(folderOf(file))}*.png`;

/** Throws for masks that hold no labels: those with soft edges, and those whose shapes are in alpha alone. */
export function refuseNoLabels(surveys: readonly MaskSurvey[], { listedIn }: Listed): void {
  const soft = surveys.filter(({ isSoft }) => isSoft);
  if (isSome(soft)) throw softEdges(soft, listedIn);
  const clear = surveys.filter(({ hasShapesInAlpha }) => hasShapesInAlpha);
  if (isSome(clear)) throw inAlpha(clear);
}

function softEdges(soft: Surveys, listedIn: string | undefined): TensorError {
  const [first] = soft;
  const { kind, keys } = first;
  const [isGrey, by] = [kind === "grey", kind === "colour" ? "colour" : "value"] as const;
  const [low, high] = [keys[0] as number, keys.at(-1) as number];
  const middle = Number(((50 * (low + high)) / (high > 255 ? 65535 : 255)).toFixed(1));
  const uses = usesOf([first]).sort((a, b) => b.pixels - a.pixels);
  const problem = `it has soft edges: ${isGrey ? "grey levels" : "mixed colours"} lie between those of the classes along borders, as blurring, scaling, smoothing or lossy compression (JPEG) leaves them, and each would become a class; it holds ${foundText(by, uses)}${others(soft)}`;
  const cut = `if there are two classes, by mogrify -threshold ${middle}% ${inFolder(first)}; if there are more, `;
  const paint = `by magick xc:"#000000" xc:"#ff0000" +append levels.png, with the colours of all classes, and mogrify ${isGrey ? "-define png:color-type=0 " : ""}+dither -remap levels.png ${inFolder(first)}`;
  const fix = `export the masks again without smoothing, or remove the soft edges, for example with ImageMagick on a copy of the masks: ${isGrey ? cut : ""}${paint}; if these are labels, give each class its ${by === "colour" ? "color" : "value"} in ${classListFor(by, listedIn)}`;
  return fileError("soft-edges", first.file, problem, fix);
}

function inAlpha(clear: Surveys): TensorError {
  const problem = `all its pixels have one colour, and its shapes are in alpha, which is ignored${others(clear)}`;
  const command = `mogrify -alpha extract -threshold 50% ${inFolder(clear[0])}`;
  const fix = `save the shapes as grey levels or colours, for example with ImageMagick on a copy of the masks: ${command}`;
  return fileError("shapes-in-alpha", clear[0].file, problem, fix);
}

/** Throws for palettes of which one gives a number, or its colour, another meaning than a mask before it. */
export function refuseOtherPalettes(surveys: readonly MaskSurvey[], { listedIn }: Listed): void {
  const [byNumber, byColour] = [new Map<number, MaskSurvey>(), new Map<number, MaskSurvey>()];
  for (const survey of surveys) {
    for (const number of survey.palette ? survey.keys : []) {
      const colour = survey.palette?.[number] as number;
      const earlier = [byNumber.get(number) ?? survey, byColour.get(colour) ?? survey] as const;
      for (const other of earlier) {
        if (other.palette?.[number] !== colour) throw otherPalette(survey, number, other, listedIn);
      }
      byNumber.set(number, earlier[0]);
      byColour.set(colour, earlier[1]);
    }
  }
}

function otherPalette(
  { file, palette }: MaskSurvey,
  number: number,
  other: MaskSurvey,
  listedIn: string | undefined,
): TensorError {
  const [own, theirs] = [palette?.[number], other.palette?.[number]].map((colour) =>
    colour === undefined ? "no colour" : formatKey("colour", colour),
  );
  const problem = `its palette has ${own} for the number ${number}, but that of ${other.file} has ${theirs}: one number may mean two classes`;
  const fix = `list the classes with their colours in ${classListFor("colour", listedIn)}, so that the masks are read by colour; or, if the numbers are the labels after all, give each class its value in ${classListFor("value", listedIn)}`;
  return fileError("palettes-differ", file, problem, fix);
}

/** Throws for grey masks that hold 0 and 255 alone: 255 may be a class, or void. */
export function refuseBlackAndWhite(surveys: readonly MaskSurvey[], listed: Listed): void {
  const found = surveys.filter(({ kind, keys }) => {
    return kind === "grey" && keys.length === 2 && keys[0] === 0 && keys[1] === VOID_LABEL;
  });
  if (!isSome(found)) return;
  const uses = usesOf(surveys);
  const problem = `it holds only 0 and 255${others(found)}: 255 may be a class, or void as in other masks; all masks together hold ${foundText("value", uses)}`;
  throw unlisted("grey-levels", found[0], problem, "value", uses, listed, ", without 255 where it is void");
}

/** The error for a mask with a number or colour that no class has. */
export function withoutClass(
  by: LabelRule["by"],
  survey: MaskSurvey,
  key: number,
  uses: readonly KeyUse[],
  listed: Listed,
): TensorError {
  const { names, listedIn = "classes.json" } = listed;
  const why =
    by === "colour"
      ? `these are not the colours of PASCAL VOC, and ${names ? `${listedIn} does not say which colour each class has` : "no list says which classes they are"}`
      : names
        ? `${listedIn} has ${counted(names.length, "name")}, for the numbers from 0 to ${names.length - 1}, and 255 is void`
        : "without a list of classes, the numbers must be 0, 1, 2 and so on without a gap, and 255 is void";
  const problem = `it holds ${formatKey(by, key)}, and all masks together hold ${foundText(by, uses)}: ${why}`;
  const code = by === "colour" ? "unknown-colour" : "grey-levels";
  return unlisted(code, survey, problem, by, uses, listed, ", or repaint the pixels that are mistakes");
}

function unlisted(
  code: "unknown-colour" | "grey-levels",
  { file }: MaskSurvey,
  problem: string,
  by: LabelRule["by"],
  uses: readonly KeyUse[],
  { names, listedIn }: Listed,
  more: string,
): TensorError {
  // Numbers rise as names do, but colours have no order.
  const list = classList(by, uses, by === "value" ? names : undefined);
  const what = by === "colour" ? "color" : "value";
  return fileError(
    code,
    file,
    problem,
    `give each class its ${what} in ${classListFor("value", listedIn)}: ${list}${more}`,
  );
}
