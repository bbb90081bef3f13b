import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Point, paintDisc, paintLine, paintPolygon } from "../../../../packages/fcn/src/data/shapes/raster.js";
import { assertProperty } from "../../../support/property.js";

type Painter = (paint: (row: number, from: number, to: number) => void) => void;

/** How often each pixel was painted. */
function painted(height: number, width: number, draw: Painter): number[] {
  const counts = new Array<number>(height * width).fill(0);
  draw((row, from, to) => {
    expect(row >= 0 && row < height && from >= 0 && from < to && to <= width).toBe(true);
    for (let x = from; x < to; x++) counts[row * width + x]!++;
  });
  return counts;
}

const draw = (height: number, width: number, points: readonly Point[]): number[] =>
  painted(height, width, (paint) => paintPolygon(points, { height, width }, paint));
const image = (counts: readonly number[], width: number): string[] =>
  Array.from({ length: counts.length / width }, (_, y) => counts.slice(y * width, (y + 1) * width).join(""));

/**
 * Whether a pixel's centre is inside, by a ray to the left in whole numbers (eighths of a pixel): an edge counts when
 * it reaches from above the centre's level (or on it) to below it, and passes left of the centre or through it.
 */
function isInside(points: readonly Point[], column: number, row: number): boolean {
  const whole = points.map(([x, y]) => [BigInt(Math.round(x * 8)), BigInt(Math.round(y * 8))] as const);
  const [px, py] = [BigInt(column * 8 + 4), BigInt(row * 8 + 4)];
  let inside = false;
  whole.forEach(([bx, by], i) => {
    const [ax, ay] = whole.at(i - 1) as readonly [bigint, bigint];
    if (ay <= py === by <= py) return;
    // Sign of the cross product: which side of the edge, taken downwards, the centre lies on.
    const cross = (px - ax) * (by - ay) - (py - ay) * (bx - ax);
    if (by > ay ? cross >= 0n : cross <= 0n) inside = !inside;
  });
  return inside;
}

describe("paintPolygon", () => {
  it("paints whole pixels of rectangles and the centres of a triangle", () => {
    const box: Point[] = [
      [1, 1],
      [4, 1],
      [4, 3],
      [1, 3],
    ];
    expect(image(draw(4, 5, box), 5)).toEqual(["00000", "01110", "01110", "00000"]);
    expect(
      image(
        draw(4, 4, [
          [0, 0],
          [4, 0],
          [0, 4],
        ]),
        4,
      ),
    ).toEqual(["1110", "1100", "1000", "0000"]);
    const ring: Point[] = [
      [0, 0],
      [5, 0],
      [5, 5],
      [0, 5],
      [0, 0],
      [1, 1],
      [1, 4],
      [4, 4],
      [4, 1],
      [1, 1],
    ];
    expect(image(draw(5, 5, ring), 5)).toEqual(["11111", "10001", "10001", "10001", "11111"]);
    expect(
      image(
        draw(3, 3, [
          [-9, -9],
          [99, -9],
          [99, 99],
          [-9, 99],
        ]),
        3,
      ),
    ).toEqual(["111", "111", "111"]);
  });

  it("agrees with an exact test of each centre, on any polygon of eighths of pixels", async () => {
    const coordinate = fc.integer({ min: -24, max: 104 }).map((v) => v / 8);
    const centre = fc.integer({ min: 0, max: 9 }).map((v) => v + 0.5);
    const value = fc.oneof(coordinate, centre);
    const polygon = fc.array(fc.tuple(value, value), { minLength: 3, maxLength: 9 });
    await assertProperty(polygon, 300, async (points) => {
      const counts = draw(9, 10, points);
      counts.forEach((count, i) => {
        expect(count).toBe(isInside(points, i % 10, Math.floor(i / 10)) ? 1 : 0);
      });
    });
  });

  it("shares no pixel between polygons that share an edge, and leaves none out", async () => {
    const eighth = fc.integer({ min: 0, max: 64 }).map((v) => v / 8);
    await assertProperty(fc.tuple(eighth, eighth), 100, async (middle) => {
      const corners: Point[] = [
        [0, 0],
        [8, 0],
        [8, 8],
        [0, 8],
      ];
      const all = painted(8, 8, (paint) => {
        corners.forEach((corner, i) => {
          paintPolygon([corner, corners[(i + 1) % 4] as Point, middle], { height: 8, width: 8 }, paint);
        });
      });
      expect(all.every((count) => count === 1)).toBe(true);
    });
  });
});

describe("paintDisc and paintLine", () => {
  it("paint the centres that are near enough", async () => {
    const at = fc.integer({ min: -16, max: 96 }).map((v) => v / 8);
    const cases = fc.record({ a: fc.tuple(at, at), b: fc.tuple(at, at), radius: fc.constantFrom(0.5, 1, 2.5, 6) });
    await assertProperty(cases, 100, async ({ a, b, radius }) => {
      const size = { height: 9, width: 11 };
      const disc = painted(9, 11, (paint) => paintDisc(a, radius, size, paint));
      const line = painted(9, 11, (paint) => paintLine([a, b], radius, size, paint));
      for (let i = 0; i < 99; i++) {
        const [x, y] = [(i % 11) + 0.5, Math.floor(i / 11) + 0.5];
        expect(disc[i]).toBe(Math.hypot(x - a[0], y - a[1]) <= radius ? 1 : 0);
        // The nearest of many points of the line, but for points that are just on the limit.
        const steps = Array.from({ length: 401 }, (_, k) =>
          Math.hypot(x - a[0] - ((b[0] - a[0]) * k) / 400, y - a[1] - ((b[1] - a[1]) * k) / 400),
        );
        const nearest = Math.min(...steps);
        if (Math.abs(nearest - radius) > 0.01) expect(line[i]).toBe(nearest < radius ? 1 : 0);
      }
    });
  });
});
