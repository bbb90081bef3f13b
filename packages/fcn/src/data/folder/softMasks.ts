import type { TensorError } from "@fcn/tensor";
import { formatKey } from "../decode/rule.js";
import { fileError } from "../errors.js";
import { fileName } from "../files.js";
import { counted } from "../words.js";
import { list } from "./meaning.js";
import type { MaskSurvey } from "./surveyMasks.js";

/** Part of the masks that are a picture of alpha, above which all are meant so. */
const MOSTLY = 0.5;

/**
 * Throws for masks that hold no labels: those with soft edges, whose steps would each become a class, and those that keep their shapes in alpha, which
 * is not read.
 */
export function refuseNoLabels(surveys: readonly MaskSurvey[]): void {
  const soft = surveys.filter((survey) => survey.soft !== undefined);
  if (soft.length > 0) throw softEdges(soft, surveys.length);
  const clear = surveys.filter(({ hasShapesInAlpha }) => hasShapesInAlpha);
  if (clear.length > MOSTLY * surveys.length) throw inAlpha(clear);
}

function softEdges(soft: readonly MaskSurvey[], all: number): TensorError {
  const worst = soft.reduce((a, b) => ((b.soft?.steps ?? 0) > (a.soft?.steps ?? 0) ? b : a));
  const isColour = worst.kind === "colour";
  const format = (key: number): string => (isColour ? formatKey("colour", key) : String(key));
  const areas = apart(soft.flatMap((survey) => survey.soft?.areas ?? []));
  const others = soft.filter((survey) => survey !== worst).map(({ file }) => fileName(file));
  const more =
    others.length === 0
      ? all > 1
        ? "; the other masks are sound"
        : ""
      : `; so ${others.length === 1 ? "has" : "have"} ${others.length + 1 === all ? "all" : counted(others.length, "more mask")}, such as ${list(others.slice(0, 3))}`;
  const what = isColour ? "mixed colours" : "grey levels";
  const problem = `it has soft edges: ${worst.soft?.steps} ${what} lie between ${list((worst.soft?.areas ?? []).map(format))} along borders, as blurring, smoothing or lossy compression (JPEG) leave them, and each would become a class${more}`;
  return fileError("soft-edges", worst.file, problem, harden(areas, isColour, worst.keys));
}

/** Levels as close as this in different masks are one, where others lie far off. */
const NEAR = 2;

/** Distinct keys, rising; of grey levels of several masks that differ by a step or two the first alone. */
function apart(keys: readonly number[]): number[] {
  const all = [...new Set(keys)].sort((a, b) => a - b);
  const isWide = (all.at(-1) ?? 0) - (all[0] ?? 0) >= 128;
  return all.filter((key, i) => !isWide || i === 0 || key - (all[i - 1] as number) > NEAR);
}

/** ImageMagick's commands that bring masks back to the levels that fill areas. */
function harden(areas: readonly number[], isColour: boolean, keys: readonly number[]): string {
  const [least, largest] = [keys[0] ?? 0, keys.at(-1) ?? 0];
  const full = largest > 255 ? 65535 : 255;
  if (!isColour && areas.length <= 2) {
    const [low, high] = areas.length === 2 ? (areas as [number, number]) : [least, largest];
    const middle = Number(((50 * (low + high)) / full).toFixed(1));
    return `make them hard, such as by ImageMagick's: mogrify -threshold ${middle}% masks/*.png`;
  }
  const paint = (key: number): string =>
    isColour ? `xc:"${formatKey("colour", key)}"` : `xc:"gray(${Number(((100 * key) / full).toFixed(3))}%)"`;
  const palette = `magick ${areas.map(paint).join(" ")} +append levels.png`;
  const type = isColour ? "" : "-define png:color-type=0 ";
  const hard = `mogrify ${type}+dither -remap levels.png masks/*.png`;
  return `make them hard, such as by ImageMagick's: ${palette} && ${hard}${isColour ? "" : `; then list the levels in classes.json: ${pasted(areas)}`}`;
}

/** More values than this are cut short. */
const MOST_VALUES = 40;

/** The list of `classes.json` for masks that hold these numbers, to be pasted. */
export function pasted(values: readonly number[], names: readonly string[] = []): string {
  const entries = values.slice(0, MOST_VALUES).map((value, i) => {
    return `{"name": ${JSON.stringify(names[i] ?? "...")}, "value": ${value}}`;
  });
  return `[${entries.join(", ")}${values.length > MOST_VALUES ? ", ..." : ""}]`;
}

function inAlpha([first, ...others]: readonly MaskSurvey[]): TensorError {
  const problem = `all its pixels have one colour, and its shapes are in alpha, which is not read${others.length > 0 ? `; so it is with ${counted(others.length, "more mask")}` : ""}`;
  const fix =
    "save the shapes as grey levels or colours, such as by ImageMagick's: mogrify -alpha extract -threshold 50% masks/*.png";
  return fileError("shapes-in-alpha", first?.file ?? "", problem, fix);
}
