import { VOID_LABEL } from "../../labels/sample.js";
import { badShape, emptyShape, type PaintSize, partOfError, type SkippedPart } from "../decode/parts.js";
import type { LabelPlane } from "../decode/rule.js";
import { fileError } from "../files/errors.js";
import { numberOf, type StatedSize, shownValue } from "../files/numbers.js";
import { type Paint, type Point, paintPolygon } from "./raster.js";
import { paintRuns, type RunLengths } from "./rle.js";

/**
 * What happens to a pixel that several instances claim: "smaller" gives it to the instance with the fewest pixels, and
 * "void" makes it void, as torchvision does.
 */
export const COCO_OVERLAPS = ["smaller", "void"] as const;

export type CocoOverlap = (typeof COCO_OVERLAPS)[number];

/** One instance: the union of polygons (lists x, y, x, y, ... in pixels), or run lengths. */
export interface CocoInstance {
  /** Id of the annotation, for messages. */
  readonly id?: number | string;
  readonly label: number;
  readonly crowd: boolean;
  /** Polygons or {@link RunLengths} as stored in the file; any other form is reported when it is drawn. */
  readonly segmentation: unknown;
}

/** The instances of one image in a COCO file, as a source of labels. */
export interface CocoLabels extends StatedSize {
  readonly kind: "coco";
  readonly file: string;
  /** The image's name in the file, for messages. */
  readonly image?: string;
  readonly instances: readonly CocoInstance[];
  readonly overlap: CocoOverlap;
}

/**
 * Draws the label map of an image, with 0 as background. Polygons are filled by the rule of {@link paintPolygon}, so
 * outlines may differ from pycocotools' masks by a pixel; run lengths are exact. A crowd region is void wherever there
 * is no instance. A piece that cannot be drawn is left out and listed in `skipped`.
 *
 * @param upright the size of the image, for a file that does not state it
 */
export function cocoLabels(source: CocoLabels, upright?: PaintSize): LabelPlane {
  const { file, image = "an image", instances, overlap } = source;
  const { height, width } = sizeOf(file, source, upright);
  const skipped: SkippedPart[] = [];
  const painted = instances.map((instance) => {
    const place = `annotation ${instance.id ?? "without id"} of ${image}`;
    const pixels = pixelsOf(place, instance.segmentation, { height, width }, skipped);
    return { ...instance, pixels };
  });
  const crowds = painted.filter(({ crowd }) => crowd);
  const things = painted.filter(({ crowd }) => !crowd);
  // The sort is stable, so of two instances of equal size the later one is on top.
  if (overlap === "smaller") things.sort((a, b) => b.pixels.length - a.pixels.length);
  const labels = new Uint8Array(height * width);
  for (const { pixels } of crowds) for (const pixel of pixels) labels[pixel] = VOID_LABEL;
  const claimed = new Uint8Array(height * width);
  for (const { pixels, label } of things) {
    for (const pixel of pixels) {
      labels[pixel] = overlap === "void" && claimed[pixel] ? VOID_LABEL : label;
      claimed[pixel] = 1;
    }
  }
  return { height, width, labels, strays: [], skipped };
}

/** The size stated by the file, or the image's own size. */
export function sizeOf(file: string, stated: StatedSize, upright: PaintSize | undefined): PaintSize {
  const { height = upright?.height, width = upright?.width } = stated;
  if (height !== undefined && width !== undefined) return { height, width };
  const problem = "it does not state the size of its image, and the image is not at hand";
  throw fileError("missing-data", file, problem, "repair the image, or write its height and width into the file");
}

type Fields = Readonly<Record<string, unknown>>;
const isRuns = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && "size" in value && "counts" in value;

/** The pixels of an instance, each once. Pieces that cannot be drawn are added to `skipped`. */
function pixelsOf(place: string, segmentation: unknown, size: PaintSize, skipped: SkippedPart[]): readonly number[] {
  const inside = new Uint8Array(size.height * size.width);
  const paint: Paint = (row, from, to) => inside.fill(1, row * size.width + from, row * size.width + to);
  const bad: SkippedPart[] = [];
  const flat: string[] = [];
  let drawn = 0;
  for (const piece of piecesOf(segmentation)) {
    try {
      const draw = pieceOf(place, piece, size);
      if (typeof draw === "string") flat.push(`${place}: ${draw}`);
      else {
        draw(paint);
        drawn++;
      }
    } catch (error) {
      bad.push(partOfError(error));
    }
  }
  // A piece without area does not matter beside sound pieces, but on its own it is the whole object.
  skipped.push(...bad, ...flat.map((problem) => (drawn > 0 ? emptyShape(problem) : badShape(problem))));
  const pixels: number[] = [];
  for (let i = inside.indexOf(1); i >= 0; i = inside.indexOf(1, i + 1)) pixels.push(i);
  if (drawn > 0 && bad.length === 0 && pixels.length === 0) skipped.push(emptyShape(`${place} ${NO_PIXEL}`, IN_PIXELS));
  return pixels;
}

export const NO_PIXEL = "covers no pixel: it lies outside the image or is too small";
export const IN_PIXELS = "give its points in pixels of the image, or remove it";

/** A flat list of numbers is a single polygon. */
function piecesOf(segmentation: unknown): readonly unknown[] {
  if (!Array.isArray(segmentation)) return [segmentation];
  const isPolygon = segmentation.length >= 6 && segmentation.every((value) => numberOf(value) !== undefined);
  return isPolygon ? [segmentation] : segmentation;
}

/** Returns a function that draws the piece, or explains why it has no area. Errors start with `place`. */
function pieceOf(place: string, piece: unknown, size: PaintSize): ((paint: Paint) => void) | string {
  if (Array.isArray(piece)) {
    const numbers = piece.map(numberOf);
    const stray = numbers.indexOf(undefined);
    if (stray >= 0) throw broken(place, `a polygon holds ${shownValue(piece[stray])}, which is not a number`);
    const problem = `a polygon of ${piece.length} numbers is not a list x, y, x, y, ... of 3 points or more`;
    if (piece.length < 6) return problem;
    if (piece.length % 2 !== 0) throw broken(place, problem);
    const points = Array.from({ length: piece.length / 2 }, (_, i) => [numbers[2 * i], numbers[2 * i + 1]] as Point);
    return (paint) => paintPolygon(points, size, paint);
  }
  if (!isRuns(piece)) throw broken(place, "its segmentation is neither polygons nor run lengths");
  const runs = runsOf(place, piece);
  const [height, width] = runs.size;
  if (height !== size.height || width !== size.width) {
    throw broken(place, `run lengths for ${height}x${width} in an image of ${size.height}x${size.width}`);
  }
  return (paint) => paintRuns(place, runs, paint);
}

function runsOf(place: string, { size, counts }: Fields): RunLengths {
  const [height, width] = Array.isArray(size) && size.length === 2 ? size.map(numberOf) : [];
  if (height === undefined || width === undefined) {
    throw broken(place, `the size of its run lengths is ${shownValue(size)}, not [height, width]`);
  }
  if (typeof counts === "string") return { size: [height, width], counts };
  const runs = Array.isArray(counts) ? counts.map(numberOf) : [undefined];
  if (!runs.includes(undefined)) return { size: [height, width], counts: runs as number[] };
  throw broken(place, "its run lengths are neither whole numbers nor text");
}

const broken = (place: string, problem: string) =>
  fileError("bad-shape", place, problem, "correct the annotation, export it again, or remove it");
