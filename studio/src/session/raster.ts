import { Runs } from "./runs.js";
import type { Area, Line, PaintClass, PaintedImage, Point } from "./types.js";

/** The label of pixels where nothing is painted; losses and scores leave them out. */
export const VOID = 255;

/** The class of each pixel of an image, row by row, or {@link VOID}. */
export interface PaintedLabels {
  /** Without the strokes that are held back. */
  readonly train: Uint8Array<ArrayBuffer>;
  /** Those alone. */
  readonly held: Uint8Array<ArrayBuffer>;
  /** Both. */
  readonly all: Uint8Array<ArrayBuffer>;
}

/** The size of the labels in pixels, and the strokes that are held back. */
export interface RasterOptions {
  readonly height: number;
  readonly width: number;
  readonly heldBack?: ReadonlySet<string>;
}

/** The pixels of the labels; pixel (0, 0) spans `scaleX` x `scaleY` pixels of the full size. */
interface Grid {
  readonly height: number;
  readonly width: number;
  readonly scaleX: number;
  readonly scaleY: number;
}

/**
 * Paints the strokes of an image into labels of any size. A pixel belongs to a stroke if its centre does, once both are
 * measured at full size; so a mask at a whole fraction of the full size is the full one, sampled. Lines are at least a
 * pixel of the labels wide, so that thin ones leave a trace. Strokes of classes that are not in `classes` are left out.
 *
 * @returns three label maps of height x width: a pixel is that of the last stroke over it, and is labelled in `train` or
 *   in `held` by whether that stroke is held back; where the last one is an eraser it is {@link VOID} in all three
 */
export function rasterise(
  image: PaintedImage,
  classes: readonly PaintClass[],
  { height, width, heldBack }: RasterOptions,
): PaintedLabels {
  const grid: Grid = { height, width, scaleX: image.width / width, scaleY: image.height / height };
  const labelOf = new Map(classes.map(({ id }, label) => [id, label]));
  const all = new Uint8Array(height * width).fill(VOID);
  const isHeld = new Uint8Array(height * width);
  const runs = new Runs(height, width);
  for (const { id, classId, shape } of image.strokes) {
    const label = classId === null ? VOID : labelOf.get(classId);
    if (label === undefined) continue;
    const held = heldBack?.has(id) ? 1 : 0;
    if (shape.kind === "line") addLine(shape, grid, runs);
    else addArea(shape, grid, runs);
    runs.take((from, to) => {
      all.fill(label, from, to);
      isHeld.fill(held, from, to);
    });
  }
  const [train, held] = [all.slice(), all.slice()];
  for (let i = 0; i < all.length; i++) {
    if (isHeld[i] === 1) train[i] = VOID;
    else held[i] = VOID;
  }
  return { train, held, all };
}

function addLine({ points, width }: Line, grid: Grid, runs: Runs): void {
  const radius = Math.max(width / 2, grid.scaleX / 2, grid.scaleY / 2);
  for (const [i, point] of points.entries()) {
    addPixelAt(point, grid, runs);
    if (i > 0 || points.length === 1) addCapsule(points[Math.max(0, i - 1)] as Point, point, radius, grid, runs);
  }
}

/** Adds the pixel that a point lies in, which the narrowest lines may miss the centre of. */
function addPixelAt([x, y]: Point, { scaleX, scaleY }: Grid, runs: Runs): void {
  const column = Math.floor(x / scaleX);
  runs.add(Math.floor(y / scaleY), column, column + 1);
}

/** Adds all centres that are at most `radius` from the segment between two points. */
function addCapsule([ax, ay]: Point, [bx, by]: Point, radius: number, grid: Grid, runs: Runs): void {
  const { height, scaleX, scaleY } = grid;
  const [dx, dy] = [bx - ax, by - ay];
  const slope = dx / dy;
  // From the segment to the two straight sides of the capsule.
  const [sideX, sideY] = dy === 0 ? [0, 0] : [(radius * dy) / Math.hypot(dx, dy), (-radius * dx) / Math.hypot(dx, dy)];
  const first = Math.max(0, Math.ceil((Math.min(ay, by) - radius) / scaleY - 0.5));
  const last = Math.min(height - 1, Math.floor((Math.max(ay, by) + radius) / scaleY - 0.5));
  for (let row = first; row <= last; row++) {
    const y = (row + 0.5) * scaleY;
    // A row meets a capsule in one stretch, whose ends are among those on the discs and those on the sides.
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    const fromA = y - ay;
    const fromB = y - by;
    const squareA = radius * radius - fromA * fromA;
    const squareB = radius * radius - fromB * fromB;
    if (squareA >= 0) {
      const reach = Math.sqrt(squareA);
      low = ax - reach;
      high = ax + reach;
    }
    if (squareB >= 0) {
      const reach = Math.sqrt(squareB);
      low = Math.min(low, bx - reach);
      high = Math.max(high, bx + reach);
    }
    for (let side = -1; side <= 1 && dy !== 0; side += 2) {
      const from = fromA - side * sideY;
      if (dy > 0 ? from < 0 || from > dy : from > 0 || from < dy) continue;
      const x = ax + side * sideX + from * slope;
      low = Math.min(low, x);
      high = Math.max(high, x);
    }
    if (low <= high) runs.add(row, Math.ceil(low / scaleX - 0.5), Math.floor(high / scaleX - 0.5) + 1);
  }
}

/** Adds all centres inside the rings by the even-odd rule; one on an edge belongs to the area right of or below it. */
function addArea({ rings }: Area, { height, scaleX, scaleY }: Grid, runs: Runs): void {
  const crossings = new Map<number, number[]>();
  for (const ring of rings) {
    for (const [i, [bx, by]] of ring.entries()) {
      const [ax, ay] = ring.at(i - 1) as Point;
      // Rows whose centre lies in the half-open span of the edge.
      const first = Math.max(0, Math.ceil(Math.min(ay, by) / scaleY - 0.5));
      const last = Math.min(height, Math.ceil(Math.max(ay, by) / scaleY - 0.5));
      for (let row = first; row < last; row++) {
        const x = ax + (((row + 0.5) * scaleY - ay) * (bx - ax)) / (by - ay);
        const list = crossings.get(row);
        if (list === undefined) crossings.set(row, [x]);
        else list.push(x);
      }
    }
  }
  for (const [row, list] of crossings) {
    list.sort((a, b) => a - b);
    for (let i = 0; i + 1 < list.length; i += 2) {
      const [from, to] = [list[i] as number, list[i + 1] as number];
      runs.add(row, Math.ceil(from / scaleX - 0.5), Math.ceil(to / scaleX - 0.5));
    }
  }
}
