import type { LabelPlane } from "../decode/rule.js";
import { damagedFile } from "../errors.js";
import { VOID_LABEL } from "../sample.js";
import { type Paint, type Point, paintPolygon } from "./raster.js";
import { paintRuns, type RunLengths } from "./rle.js";

/** What may become of a pixel that several instances claim: the instance with the fewest pixels gets it, or it is void as in torchvision. */
export const COCO_OVERLAPS = ["smaller", "void"] as const;

export type CocoOverlap = (typeof COCO_OVERLAPS)[number];

/** One instance: polygons (lists x, y, x, y, ...) of which the union counts, or run lengths. */
export interface CocoInstance {
  /** Of the annotation, for messages. */
  readonly id?: number;
  readonly label: number;
  readonly crowd: boolean;
  readonly segmentation: readonly (readonly number[])[] | RunLengths;
}

/** The instances of one picture of a COCO file as a source of labels. */
export interface CocoLabels {
  readonly kind: "coco";
  readonly file: string;
  /** The picture's name in the file, for messages. */
  readonly picture?: string;
  readonly height: number;
  readonly width: number;
  readonly instances: readonly CocoInstance[];
  readonly overlap: CocoOverlap;
}

/**
 * The label map of a picture: background 0. Polygons are filled by the rule of {@link paintPolygon}, so they may differ from pycocotools' masks
 * in pixels on the outline; run lengths are exact. A crowd region is void wherever no instance lies.
 */
export function cocoLabels(source: CocoLabels): LabelPlane {
  const { file, picture = "a picture", height, width, instances, overlap } = source;
  const painted = instances.map((instance) => {
    const id = Number.isFinite(instance.id) ? instance.id : "without id";
    const place = `${file}: annotation ${id} of ${picture}`;
    return { ...instance, pixels: pixelsOf(place, instance, { height, width }) };
  });
  const crowds = painted.filter(({ crowd }) => crowd);
  const things = painted.filter(({ crowd }) => !crowd);
  // The sort is stable: of two of one size the later one lies on top.
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
  return { height, width, labels, strays: [] };
}

/** The pixels of an instance, each once. Errors begin with `place`. */
function pixelsOf(
  place: string,
  { segmentation }: CocoInstance,
  size: { readonly height: number; readonly width: number },
): number[] {
  const inside = new Uint8Array(size.height * size.width);
  const paint: Paint = (row, from, to) => inside.fill(1, row * size.width + from, row * size.width + to);
  if ("counts" in segmentation) {
    const [height, width] = segmentation.size;
    if (height !== size.height || width !== size.width) {
      const problem = `run lengths for ${height}x${width} stand in a picture of ${size.height}x${size.width}`;
      throw damagedFile(place, problem);
    }
    paintRuns(place, segmentation, paint);
  } else {
    for (const polygon of segmentation) paintPolygon(pointsOf(place, polygon), size, paint);
  }
  const pixels: number[] = [];
  for (let i = inside.indexOf(1); i >= 0; i = inside.indexOf(1, i + 1)) pixels.push(i);
  return pixels;
}

function pointsOf(place: string, polygon: readonly number[]): Point[] {
  const isSound = polygon.length >= 6 && polygon.length % 2 === 0 && polygon.every(Number.isFinite);
  if (!isSound)
    throw damagedFile(
      place,
      `a polygon of ${polygon.length} numbers is not a list x, y, x, y, ... of 3 points or more`,
    );
  return Array.from({ length: polygon.length / 2 }, (_, i) => [polygon[2 * i] as number, polygon[2 * i + 1] as number]);
}
