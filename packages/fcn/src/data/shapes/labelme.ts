import { firstOf } from "@fcn/tensor/internal";
import { decodeMaskPng } from "../decode/mask.js";
import { badShape, emptyShape, type PaintSize, partOfError, type SkippedPart } from "../decode/parts.js";
import { type DecodedPng, isRgb } from "../decode/png.js";
import type { LabelPlane } from "../decode/rule.js";
import { classListFor } from "../files/classFile.js";
import { fileError } from "../files/errors.js";
import { roundHalfEven } from "../files/numbers.js";
import { IN_PIXELS, NO_PIXEL, sizeOf } from "./coco.js";
import { type LabelmeShape, readLabelme } from "./labelmeFile.js";
import { type Paint, type Point, paintDisc, paintLine, paintPolygon } from "./raster.js";

/** The shapes of a labelme file, as a source of labels. */
export interface LabelmeLabels {
  readonly kind: "labelme";
  readonly file: string;
  /** The label of each name; shapes with other names are an error. */
  readonly names: readonly (readonly [name: string, label: number])[];
  /** The label of pixels that no shape covers. Default 0. */
  readonly background?: number;
  /** Width of lines and line strips, and diameter of points, in pixels. Default 10, as labelme draws them. */
  readonly lineWidth?: number;
  /** The file that lists the classes, for messages; `classes.json` by default. */
  readonly listedIn?: string | undefined;
}

/**
 * Draws the label map of a labelme file: background, then the shapes in order, with later ones on top. Polygons are
 * filled by the rule of {@link paintPolygon}. Rectangles and other shapes with four corners are the polygons of their
 * corners. Circles, lines and points cover the pixels whose centres are close enough. Masks are placed like
 * `shapes_to_label` of labelme 6 does, see {@link paintMask}. A shape that cannot be drawn is left out and listed in
 * `skipped`.
 *
 * @param upright the size of the image, for a file that does not state it
 */
export async function labelmeLabels(source: LabelmeLabels, upright?: PaintSize): Promise<LabelPlane> {
  const { file, lineWidth = 10, background = 0 } = source;
  const { shapes, skipped: unread, ...stated } = await readLabelme(file);
  const { height, width } = sizeOf(file, stated, upright);
  const table = new Map(source.names);
  const labels = new Uint8Array(height * width).fill(background);
  const skipped: SkippedPart[] = [...unread];
  const strangers = new Map<string, number[]>();
  for (const shape of shapes) {
    const label = table.get(shape.label);
    if (label === undefined) {
      strangers.set(shape.label, [...(strangers.get(shape.label) ?? []), shape.index]);
      continue;
    }
    let painted = 0;
    const paint: Paint = (row, from, to) => {
      painted += to - from;
      labels.fill(label, row * width + from, row * width + to);
    };
    try {
      const doubt = await paintShape(shape, lineWidth / 2, { height, width }, paint);
      if (doubt !== undefined) skipped.push(doubt);
    } catch (error) {
      skipped.push(partOfError(error));
      continue;
    }
    if (painted === 0) skipped.push(emptyShape(`shape ${shape.index} ("${shape.label}") ${NO_PIXEL}`, IN_PIXELS));
  }
  for (const [name, indices] of strangers) skipped.push(unknownName(name, indices, source));
  return { height, width, labels, strays: [], skipped };
}

/** Type names that forks of labelme and other tools use for rotated rectangles and other shapes with four corners. */
const FOUR_CORNERS = /rotat|orient|rect|box|obb|quad|square|parallelogram|trapez|rhomb/;

/** Throws a TensorError about a shape that cannot be drawn. May return a warning about one that was drawn. */
async function paintShape(
  { index, type, points, mask, label }: LabelmeShape,
  radius: number,
  size: PaintSize,
  paint: Paint,
): Promise<SkippedPart | undefined> {
  const place = `shape ${index}`;
  const needs = (isEnough: boolean, wanted: string): void => {
    if (isEnough) return;
    const problem = `a ${type} ("${label}") has ${points.length} points, but needs ${wanted}`;
    throw fileError("bad-shape", place, problem, "correct or remove the shape");
  };
  const [a, b] = points as readonly [Point, Point];
  if (type === "polygon") {
    needs(points.length >= 3, "at least 3");
    paintPolygon(points, size, paint);
  } else if (type === "rectangle") {
    needs(points.length === 2 || points.length === 4, "2 or 4");
    paintPolygon(points.length === 2 ? [a, [b[0], a[1]], b, [a[0], b[1]]] : points, size, paint);
  } else if (type === "circle") {
    needs(points.length === 2, "2 (its centre and a point on it)");
    paintDisc(a, Math.hypot(a[0] - b[0], a[1] - b[1]), size, paint);
  } else if (type === "line" || type === "linestrip") {
    needs(points.length >= 2, "at least 2");
    paintLine(points, radius, size, paint);
  } else if (type === "point" || type === "points") {
    needs(points.length >= 1, "1");
    for (const point of points) paintDisc(point, radius, size, paint);
  } else if (type === "mask" && mask !== undefined) {
    needs(points.length === 2, "2");
    const named = `${place} ("${label}")`;
    return paintMask(named, await decodeShapeMask(named, mask), [a, b], size, paint);
  } else if (FOUR_CORNERS.test(type) && points.length === 4) {
    paintPolygon(points, size, paint);
  } else {
    const corners = FOUR_CORNERS.test(type) ? ` with ${points.length} points instead of 4` : "";
    const fix = "draw polygons, rectangles, circles, lines, points or masks";
    throw fileError("bad-shape", place, `a shape of the unknown type "${type}" ("${label}")${corners}`, fix);
  }
  return undefined;
}

async function decodeShapeMask(place: string, mask: string): Promise<DecodedPng> {
  let letters: string;
  try {
    letters = atob(mask.replace(/^data:[^,]*,/, ""));
  } catch (cause) {
    const fix = "export the shape again, draw it as a polygon, or remove it";
    throw fileError("bad-shape", place, "its mask is cut off or not base64", fix, cause);
  }
  return decodeMaskPng(
    `${place}: its mask`,
    Uint8Array.from(letters, (letter) => letter.charCodeAt(0)),
  );
}

/**
 * Paints the pixels of a mask that are not 0. Its first pixel lies at its first point, with coordinates rounded half to
 * even (NumPy's `round`, as in labelme 6; earlier versions truncated, but wrote whole numbers unless the mask had been
 * moved). If the points are whole numbers, the second one is the last pixel, and anything beyond it is cut off, as in
 * labelme; a mask of another size causes a warning.
 */
function paintMask(
  place: string,
  image: DecodedPng,
  points: readonly [Point, Point],
  size: PaintSize,
  paint: Paint,
): SkippedPart | undefined {
  const { height, width, channels, samples } = image;
  const [[left, top], [right, bottom]] = points;
  const [column0, row0] = [roundHalfEven(left), roundHalfEven(top)];
  const isWhole = points.flat().every(Number.isInteger);
  const [rows, columns] = isWhole ? [bottom - top + 1, right - left + 1] : [height, width];
  if (rows < 1 || columns < 1) {
    const where = `(${left}, ${top}) lies to the right of or below its second (${right}, ${bottom})`;
    const problem = `it is a mask whose first point ${where}`;
    throw fileError("bad-shape", place, problem, "correct its points, or export it again");
  }
  const isColour = isRgb(image);
  const isSet = (at: number): boolean =>
    samples[at] !== 0 || (isColour && (samples[at + 1] !== 0 || samples[at + 2] !== 0));
  for (let y = 0; y < Math.min(rows, height); y++) {
    for (let x = 0; x < Math.min(columns, width); x++) {
      const [row, column] = [row0 + y, column0 + x];
      const isInside = row >= 0 && column >= 0 && row < size.height && column < size.width;
      if (isInside && isSet((y * width + x) * channels)) paint(row, column, column + 1);
    }
  }
  if (rows === height && columns === width) return undefined;
  const sizes = `is a mask of ${height}x${width} whose points say ${rows}x${columns}`;
  const problem = `${place} ${sizes}: the smaller of both counts, from the first point on`;
  return { ...emptyShape(problem, "correct its points, or export it again"), code: "mask-size" };
}

function unknownName(name: string, indices: readonly number[], { names, listedIn }: LabelmeLabels): SkippedPart {
  const known = names.map(([own]) => own);
  const places = `shape ${firstOf(indices.map(String), 5)}`;
  const problem = `it has a shape named "${name}", but the classes are ${firstOf(known, 12)} (${places})`;
  return badShape(
    problem,
    `correct the name in the file, or add it to ${classListFor("name", listedIn)}`,
    "unknown-label",
  );
}
