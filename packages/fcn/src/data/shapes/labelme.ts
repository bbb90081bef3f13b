import type { TensorError } from "@fcn/tensor";
import { decodeMaskPng } from "../decode/mask.js";
import type { LabelPlane } from "../decode/rule.js";
import { damagedFile, fileError, MOST_PIXELS } from "../errors.js";
import { readJson } from "../files.js";
import { type Paint, type Point, paintDisc, paintLine, paintPolygon } from "./raster.js";

/** The shapes of a labelme file as a source of labels. */
export interface LabelmeLabels {
  readonly kind: "labelme";
  readonly file: string;
  /** The label of each name; shapes of another name are an error. */
  readonly names: readonly (readonly [name: string, label: number])[];
  /** The label of what no shape covers. Default 0. */
  readonly background?: number;
  /** Width in pixels of lines and line strips, diameter of points. Default 10, as labelme draws them. */
  readonly lineWidth?: number;
}

/** What a labelme file says. */
export interface LabelmeFile {
  readonly height: number;
  readonly width: number;
  /** As written by labelme: relative to the file. */
  readonly imagePath: string;
  readonly shapes: readonly LabelmeShape[];
}

export interface LabelmeShape {
  readonly label: string;
  /** "polygon", "rectangle", "circle", "line", "linestrip", "point", "mask". */
  readonly type: string;
  readonly points: readonly Point[];
  /** Base64 PNG of a mask; its points are the first and last pixel of its box. */
  readonly mask?: string;
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

/** Whether a JSON value looks like a labelme file. */
export function isLabelme(json: unknown): boolean {
  return isRecord(json) && Array.isArray(json.shapes) && typeof json.imagePath === "string";
}

/** Reads and checks a labelme file; `imageData` is ignored. Throws a TensorError that names the file. */
export async function readLabelme(file: string): Promise<LabelmeFile> {
  const json = await readJson(file);
  if (!isLabelme(json)) throw damagedFile(file, "it is not a labelme file (no shapes or no imagePath)");
  const { shapes, imagePath, imageHeight, imageWidth } = json as Record<string, unknown> & { shapes: unknown[] };
  const [height, width] = [Number(imageHeight), Number(imageWidth)];
  if (!(height >= 1 && width >= 1 && height * width <= MOST_PIXELS)) {
    const problem = `it says that the picture is ${imageHeight}x${imageWidth} (imageHeight x imageWidth)`;
    throw fileError("corrupt-file", file, problem, "write the height and width of the picture in pixels there");
  }
  return { height, width, imagePath: String(imagePath), shapes: shapes.map((shape, i) => parseShape(file, shape, i)) };
}

function parseShape(file: string, shape: unknown, index: number): LabelmeShape {
  const fail = (problem: string, fix = "correct or remove the shape"): TensorError =>
    fileError("corrupt-file", file, `shape ${index} ${problem}`, fix);
  if (!isRecord(shape)) throw fail("is no shape");
  const { label } = shape;
  if (typeof label !== "string") {
    if (label === undefined || label === null) throw fail("has no label");
    const text = JSON.stringify(label);
    throw fail(`has the label ${text}, which is no text`, `write it in quotation marks: "${text}"`);
  }
  if (!Array.isArray(shape.points)) throw fail(`("${label}") has no points`);
  const points = shape.points.map((point: unknown): Point => {
    const [x, y]: unknown[] = Array.isArray(point) ? point : [];
    if (Number.isFinite(x) && Number.isFinite(y)) return [x as number, y as number];
    throw fail(`("${label}") has a point that is no pair of numbers`);
  });
  // Files from before version 3 have no type: all shapes were polygons.
  const type = typeof shape.shape_type === "string" ? shape.shape_type : "polygon";
  if (type === "mask" && typeof shape.mask !== "string") throw fail(`("${label}") is a mask without its picture`);
  return { label, type, points, ...(typeof shape.mask === "string" ? { mask: shape.mask } : {}) };
}

/**
 * The label map of a labelme file: background, then shapes in their order, later ones on top. Polygons are filled by the rule of
 * {@link paintPolygon}; a rectangle is the polygon of its corners; circles, lines and points take the pixels whose centre is near enough.
 */
export async function labelmeLabels(source: LabelmeLabels): Promise<LabelPlane> {
  const { file, lineWidth = 10, background = 0 } = source;
  const { height, width, shapes } = await readLabelme(file);
  const table = new Map(source.names);
  const labels = new Uint8Array(height * width).fill(background);
  for (const shape of shapes) {
    const label = table.get(shape.label);
    if (label === undefined) throw unknownName(file, shape.label, source);
    const paint: Paint = (row, from, to) => labels.fill(label, row * width + from, row * width + to);
    await paintShape(file, shape, lineWidth / 2, { height, width }, paint);
  }
  return { height, width, labels, strays: [] };
}

async function paintShape(
  file: string,
  { type, points, mask, label }: LabelmeShape,
  radius: number,
  size: { readonly height: number; readonly width: number },
  paint: Paint,
): Promise<void> {
  const needs = (count: number, wanted: string): void => {
    if (points.length >= count) return;
    throw damagedFile(file, `a ${type} ("${label}") has ${points.length} points, but needs ${wanted}`);
  };
  const [a, b] = points as readonly [Point, Point];
  if (type === "polygon") {
    needs(3, "at least 3");
    paintPolygon(points, size, paint);
  } else if (type === "rectangle") {
    needs(2, "2");
    paintPolygon(points.length === 2 ? [a, [b[0], a[1]], b, [a[0], b[1]]] : points, size, paint);
  } else if (type === "circle") {
    needs(2, "2 (its centre and a point on it)");
    paintDisc(a, Math.hypot(a[0] - b[0], a[1] - b[1]), size, paint);
  } else if (type === "line" || type === "linestrip") {
    needs(2, "at least 2");
    paintLine(points, radius, size, paint);
  } else if (type === "point" || type === "points") {
    for (const point of points) paintDisc(point, radius, size, paint);
  } else if (type === "mask" && mask !== undefined) {
    needs(2, "2");
    await paintMask(file, mask, a, size, paint);
  } else {
    const fix = "draw polygons, rectangles, circles, lines, points or masks";
    throw fileError("unsupported-file", file, `it holds a shape of the unknown type "${type}" ("${label}")`, fix);
  }
}

async function paintMask(
  file: string,
  mask: string,
  [left, top]: Point,
  size: { readonly height: number; readonly width: number },
  paint: Paint,
): Promise<void> {
  const bytes = Uint8Array.from(atob(mask), (letter) => letter.charCodeAt(0));
  const { height, width, channels, samples } = await decodeMaskPng(`${file} (mask)`, bytes);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [row, column] = [Math.round(top) + y, Math.round(left) + x];
      const isInside = row >= 0 && column >= 0 && row < size.height && column < size.width;
      if (isInside && samples[(y * width + x) * channels] !== 0) paint(row, column, column + 1);
    }
  }
}

function unknownName(file: string, name: string, { names }: LabelmeLabels): TensorError {
  const known = names.map(([known]) => known).slice(0, 12);
  const problem = `it has a shape named "${name}", but the classes are ${known.join(", ")}${names.length > 12 ? ", ..." : ""}`;
  return fileError("unknown-label", file, problem, "correct the name in the file, or add it to classes.json");
}

/** Names that labelme's own tools give a meaning: background and void. */
export function reservedName(name: string): "background" | "void" | undefined {
  if (name === "_background_" || name === "background") return "background";
  return name === "__ignore__" || name === "ignore" || name === "void" ? "void" : undefined;
}
