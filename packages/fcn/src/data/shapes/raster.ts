import type { PaintSize } from "../decode/parts.js";

/** A point in pixels: the first pixel spans 0 to 1, and its centre is 0.5. */
export type Point = readonly [x: number, y: number];

/** Receives non-empty runs of pixels inside the raster: row, first column, and the column after the last. */
export type Paint = (row: number, from: number, to: number) => void;

/**
 * Paints the pixels whose centres lie inside the closed polygon, by the even-odd rule. A centre on an edge belongs to
 * the polygon to its right, or below a horizontal edge, so polygons that share an edge neither overlap nor leave a gap.
 */
export function paintPolygon(points: readonly Point[], { height, width }: PaintSize, paint: Paint): void {
  const rows = points.map(([, y]) => y);
  const first = Math.max(0, Math.ceil(lowest(rows) - 0.5));
  const last = Math.min(height - 1, Math.floor(-lowest(rows.map((y) => -y)) - 0.5));
  for (let row = first; row <= last; row++) {
    const crossings = crossingsAt(points, row + 0.5).sort((a, b) => a - b);
    for (let i = 0; i < crossings.length; i += 2) {
      const from = Math.max(0, Math.ceil((crossings[i] as number) - 0.5));
      const to = Math.min(width, Math.ceil((crossings[i + 1] as number) - 0.5));
      if (from < to) paint(row, from, to);
    }
  }
}

/** The points where the outline crosses a horizontal line; an edge includes its upper end but not its lower one. */
function crossingsAt(points: readonly Point[], y: number): number[] {
  const crossings: number[] = [];
  let [fromX, fromY] = points.at(-1) as Point;
  for (const [toX, toY] of points) {
    if (fromY <= y !== toY <= y) crossings.push(fromX + ((y - fromY) * (toX - fromX)) / (toY - fromY));
    [fromX, fromY] = [toX, toY];
  }
  return crossings;
}

const lowest = (values: readonly number[]): number => values.reduce((least, value) => Math.min(least, value), Infinity);

/** Paints the pixels whose centres are at most `radius` away from `centre`. */
export function paintDisc(centre: Point, radius: number, size: PaintSize, paint: Paint): void {
  paintLine([centre, centre], radius, size, paint);
}

/** Paints the pixels whose centres are at most `radius` away from the line strip. */
export function paintLine(points: readonly Point[], radius: number, { height, width }: PaintSize, paint: Paint): void {
  for (let i = 0; i + 1 < points.length; i++) {
    const [a, b] = [points[i] as Point, points[i + 1] as Point];
    const top = Math.max(0, Math.floor(Math.min(a[1], b[1]) - radius));
    const bottom = Math.min(height - 1, Math.ceil(Math.max(a[1], b[1]) + radius));
    const left = Math.max(0, Math.floor(Math.min(a[0], b[0]) - radius));
    const right = Math.min(width - 1, Math.ceil(Math.max(a[0], b[0]) + radius));
    for (let row = top; row <= bottom; row++) {
      for (let column = left; column <= right; column++) {
        if (isNear([column + 0.5, row + 0.5], a, b, radius)) paint(row, column, column + 1);
      }
    }
  }
}

/** Whether a point is at most `radius` away from a line segment. */
function isNear([x, y]: Point, a: Point, b: Point, radius: number): boolean {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const squared = dx * dx + dy * dy;
  const along = squared === 0 ? 0 : Math.min(1, Math.max(0, ((x - a[0]) * dx + (y - a[1]) * dy) / squared));
  const [offX, offY] = [x - a[0] - along * dx, y - a[1] - along * dy];
  return offX * offX + offY * offY <= radius * radius;
}
