import { showValue } from "@fcn/tensor/internal";
import { badShape, type SkippedPart } from "../decode/parts.js";
import { fileError, MOST_PIXELS } from "../files/errors.js";
import { readJson } from "../files/files.js";
import { numberOf, type StatedSize, shownValue, statedSize } from "../files/numbers.js";
import type { Point } from "./raster.js";

/** The contents of a labelme file. Files of early versions do not state the size of the image. */
export interface LabelmeFile extends StatedSize {
  /** As written by labelme: relative to the file, or "" if absent. */
  readonly imagePath: string;
  readonly shapes: readonly LabelmeShape[];
  /** Shapes that cannot be interpreted. */
  readonly skipped: readonly SkippedPart[];
}

export interface LabelmeShape {
  /** Position in the file, from 0. */
  readonly index: number;
  readonly label: string;
  /** "polygon", "rectangle", "circle", "line", "linestrip", "point", "mask", or the file's own type in lower case. */
  readonly type: string;
  readonly points: readonly Point[];
  /** A mask as base64 PNG; its points are the first and last pixels of its box. */
  readonly mask?: string;
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

const IMAGE_KEYS = ["imagePath", "imageData", "imageHeight"];

/** Whether a JSON value is meant as a labelme file, valid or not. */
export function isLabelme(json: unknown): boolean {
  if (!isRecord(json) || Array.isArray(json)) return false;
  const hasImage = IMAGE_KEYS.some((key) => key in json);
  return Array.isArray(json.shapes) ? hasImage || "version" in json : hasImage;
}

/**
 * Reads a labelme file without its `imageData`. Throws a TensorError that names the file if it is not one, or states an
 * impossible size.
 */
export async function readLabelme(file: string): Promise<LabelmeFile> {
  return parseLabelme(file, await readJson(file));
}

/** Does the work of {@link readLabelme} for a JSON value. */
export function parseLabelme(file: string, json: unknown): LabelmeFile {
  const { shapes, imagePath, imageHeight, imageWidth } = isRecord(json) ? json : {};
  if (!Array.isArray(shapes)) {
    const fix = 'write "shapes": [] where nothing is drawn, export it again, or leave it out';
    throw fileError("corrupt-file", file, "it is not a labelme file: it has no list of shapes", fix);
  }
  const size = statedSize(imageHeight, imageWidth, MOST_PIXELS);
  if (size === undefined) {
    const problem = `it says that the image is ${shownValue(imageHeight)}x${shownValue(imageWidth)} (imageHeight x imageWidth)`;
    throw fileError("corrupt-file", file, problem, "write the height and width of the image in pixels there");
  }
  const parsed = shapes.map(parseShape);
  return {
    ...size,
    imagePath: typeof imagePath === "string" ? imagePath : "",
    shapes: parsed.filter(isShape),
    skipped: parsed.filter((shape): shape is SkippedPart => !isShape(shape)),
  };
}

const isShape = (shape: LabelmeShape | SkippedPart): shape is LabelmeShape => "points" in shape;

function parseShape(shape: unknown, index: number): LabelmeShape | SkippedPart {
  const fail = (problem: string, fix?: string): SkippedPart => badShape(`shape ${index} ${problem}`, fix);
  if (!isRecord(shape)) return fail(`is ${shownValue(shape)}, which is not a shape`);
  const { label, mask } = shape;
  if (typeof label !== "string" || label.trim() === "") {
    if (label === undefined || label === null || typeof label === "string") return fail("has no label");
    const text = showValue(label);
    return fail(`has the label ${text}, which is not text`, `write it in quotation marks: "${text}"`);
  }
  if (!Array.isArray(shape.points)) return fail(`("${label}") has no points`);
  const points: Point[] = [];
  for (const point of shape.points) {
    const [x, y] = Array.isArray(point) && point.length === 2 ? point.map(numberOf) : [];
    if (x === undefined || y === undefined) {
      return fail(`("${label}") has a point that is not a pair of numbers: ${shownValue(point)}`);
    }
    points.push([x, y]);
  }
  // Files from before version 3 have no types, because all shapes were polygons.
  const type = shape.shape_type ?? "polygon";
  if (typeof type !== "string") return fail(`("${label}") has the type ${shownValue(type)}, which is not text`);
  const about = { index, label, type: type.toLowerCase(), points };
  if (about.type !== "mask") return about;
  return typeof mask === "string" ? { ...about, mask } : fail(`("${label}") is a mask without its image`);
}

/** The meaning, background or void, that labelme's own tools give to a name. */
export function reservedName(name: string): "background" | "void" | undefined {
  if (name === "_background_" || name === "background") return "background";
  return name === "__ignore__" || name === "ignore" || name === "void" ? "void" : undefined;
}
