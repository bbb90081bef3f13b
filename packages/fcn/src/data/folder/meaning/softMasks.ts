import type { TensorError } from "@fcn/tensor";
import { shellWord } from "@fcn/tensor/internal";
import { formatKey } from "../../decode/rule.js";
import { fileError } from "../../files/errors.js";
import { fileName, folderOf } from "../../files/files.js";
import { counted } from "../../files/words.js";
import type { MaskSurvey } from "../../workers/surveyMasks.js";
import { list } from "./meaning.js";

/** If more than this share of the masks keep their shapes in alpha, all of them are meant that way. */
const MOSTLY = 0.5;

/**
 * Throws for masks without labels: those with soft edges, whose steps would each become a class, and those whose shapes
 * are in alpha, which is not read. A mask whose colours all occur in the class list or in sound masks is sound too,
 * however small its areas are.
 *
 * @param listed colours named by the class list
 */
export function refuseNoLabels(surveys: readonly MaskSurvey[], listed: readonly number[]): void {
  const known = new Set([...listed, ...surveys.flatMap(({ keys, soft }) => (soft === undefined ? keys : []))]);
  const soft = surveys.filter(({ soft, keys }) => soft !== undefined && !keys.every((key) => known.has(key)));
  if (soft.length > 0) throw softEdges(soft, surveys);
  const clear = surveys.filter(({ hasShapesInAlpha }) => hasShapesInAlpha);
  if (clear.length > MOSTLY * surveys.length) throw inAlpha(clear);
}

function softEdges(soft: readonly MaskSurvey[], surveys: readonly MaskSurvey[]): TensorError {
  const all = surveys.length;
  const worst = soft.reduce((a, b) => ((b.soft?.steps ?? 0) > (a.soft?.steps ?? 0) ? b : a));
  const isColour = worst.kind === "colour";
  const format = (key: number): string => (isColour ? formatKey("colour", key) : String(key));
  const sound = surveys.filter((survey) => survey.soft === undefined && survey.kind === worst.kind);
  const areas = apart([...soft.flatMap((survey) => survey.soft?.areas ?? []), ...sound.flatMap(({ keys }) => keys)]);
  const others = soft.filter((survey) => survey !== worst).map(({ file }) => fileName(file));
  const more =
    others.length === 0
      ? all > 1
        ? "; the other masks are sound"
        : ""
      : `; so ${others.length === 1 ? "has" : "have"} ${others.length + 1 === all ? "all" : counted(others.length, "more mask")}, such as ${list(others.slice(0, 3))}`;
  const what = isColour ? "mixed colours" : "grey levels";
  const problem = `it has soft edges: ${worst.soft?.steps} ${what} lie between ${list((worst.soft?.areas ?? []).map(format))} along borders, as blurring, smoothing or lossy compression (JPEG) leave them, and each would become a class${more}`;
  return fileError("soft-edges", worst.file, problem, harden(areas, isColour, { ...worst, at: whereOf(soft, all) }));
}

/** Grey levels of different masks that differ by at most this are one level, if the levels span a wide range. */
const NEAR = 2;

/** Distinct keys in ascending order; of grey levels that differ by a step or two, only the first. */
function apart(keys: readonly number[]): number[] {
  const all = [...new Set(keys)].sort((a, b) => a - b);
  const isWide = (all.at(-1) ?? 0) - (all[0] ?? 0) >= 128;
  return all.filter((key, i) => !isWide || i === 0 || key - (all[i - 1] as number) > NEAR);
}

/** Up to this many soft masks are named individually in the command. */
const FEW = 3;

/** The masks to be made hard, as command arguments. */
function whereOf(soft: readonly MaskSurvey[], all: number): string {
  const files = soft.map(({ file }) => file);
  return files.length <= FEW && files.length < all ? files.map(shellWord).join(" ") : inFolder(files[0] as string);
}

/** A shell pattern for all masks beside the given one. */
const inFolder = (file: string): string => `${shellWord(folderOf(file))}*.png`;
interface Masks {
  readonly keys: readonly number[];
  /** The masks as command arguments. */
  readonly at: string;
}

/** ImageMagick commands that restore masks to the levels of their areas. */
function harden(areas: readonly number[], isColour: boolean, { keys, at }: Masks): string {
  const [least, largest] = [keys[0] ?? 0, keys.at(-1) ?? 0];
  const full = largest > 255 ? 65535 : 255;
  if (!isColour && areas.length <= 2) {
    const [low, high] = areas.length === 2 ? (areas as [number, number]) : [least, largest];
    const middle = Number(((50 * (low + high)) / full).toFixed(1));
    return `${HARD} mogrify -threshold ${middle}% ${at}`;
  }
  const paint = (key: number): string =>
    isColour ? `xc:"${formatKey("colour", key)}"` : `xc:"gray(${Number(((100 * key) / full).toFixed(3))}%)"`;
  const palette = `magick ${areas.map(paint).join(" ")} +append levels.png`;
  const type = isColour ? "" : "-define png:color-type=0 ";
  const hard = `mogrify ${type}+dither -remap levels.png ${at}`;
  return `${HARD} ${palette} && ${hard}${isColour ? "" : `; then list the levels in classes.json: ${pasted(areas)}`}`;
}

const HARD = "make them hard, such as by ImageMagick's, on a copy of the masks:";

/** Longer lists of values are shortened. */
const MOST_VALUES = 40;

/** A `classes.json` list, ready to paste, for masks that hold these numbers. */
export function pasted(values: readonly number[], names: readonly string[] = []): string {
  const entries = values.slice(0, MOST_VALUES).map((value, i) => {
    return `{"name": ${JSON.stringify(names[i] ?? "...")}, "value": ${value}}`;
  });
  return `[${entries.join(", ")}${values.length > MOST_VALUES ? ", ..." : ""}]`;
}

function inAlpha([first, ...others]: readonly MaskSurvey[]): TensorError {
  const problem = `all its pixels have one colour, and its shapes are in alpha, which is not read${others.length > 0 ? `; so it is with ${counted(others.length, "more mask")}` : ""}`;
  const file = first?.file ?? "";
  const command = `mogrify -alpha extract -threshold 50% ${inFolder(file)}`;
  const fix = `save the shapes as grey levels or colours, such as by ImageMagick's, on a copy of the masks: ${command}`;
  return fileError("shapes-in-alpha", file, problem, fix);
}
