import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { heldBackOf } from "../../../studio/src/session/heldBack.js";
import { type PaintedLabels, type RasterOptions, rasterise, VOID } from "../../../studio/src/session/raster.js";
import type { Area, Line, Point, Session, Stroke } from "../../../studio/src/session/types.js";
import { propertySeed } from "../../support/property.js";
import { area, line, painted, paintings, shapes } from "./sessions.js";

const SIZE = { height: 24, width: 36 };
const RUNS = { seed: propertySeed(), numRuns: 200 };

function labels(session: Session, options: RasterOptions = SIZE): PaintedLabels {
  return rasterise(session.images[0]!, session.classes, options);
}

/** The distance of a place from a segment, by the angle at its ends instead of a projection. */
function distance([x, y]: Point, a: Point, b: Point): number {
  const [fromA, fromB, length] = [
    Math.hypot(x - a[0], y - a[1]),
    Math.hypot(x - b[0], y - b[1]),
    Math.hypot(b[0] - a[0], b[1] - a[1]),
  ];
  if (length === 0) return fromA;
  if (fromA ** 2 + length ** 2 < fromB ** 2) return fromA;
  if (fromB ** 2 + length ** 2 < fromA ** 2) return fromB;
  return Math.abs((b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])) / length;
}

/** How far inside a line a place is, negative outside. */
function depthInLine({ points, width }: Line, place: Point, least: number): number {
  const nearest = points.map((point, i) => distance(place, points[Math.max(0, i - 1)]!, point));
  return Math.max(width / 2, least) - Math.min(...nearest);
}

/** Whether a place is inside by the even-odd rule, by a ray downwards, and how far from the nearest edge. */
function insideArea({ rings }: Area, place: Point): { readonly inside: boolean; readonly margin: number } {
  let [inside, margin] = [false, Number.POSITIVE_INFINITY];
  for (const ring of rings) {
    for (const [i, b] of ring.entries()) {
      const a = ring.at(i - 1)!;
      margin = Math.min(margin, distance(place, a, b));
      if (a[0] > place[0] === b[0] > place[0]) continue;
      const share = (place[0] - a[0]) / (b[0] - a[0]);
      if (a[1] + share * (b[1] - a[1]) > place[1]) inside = !inside;
    }
  }
  return { inside, margin };
}

describe("rasterise", () => {
  it("paints the pixels whose centres a float64 reference finds inside, at any size", () => {
    const sizes = fc.record({ height: fc.integer({ min: 1, max: 40 }), width: fc.integer({ min: 1, max: 50 }) });
    let [compared, covered] = [0, 0];
    fc.assert(
      fc.property(shapes(SIZE.height, SIZE.width), sizes, (shape, work) => {
        const { all } = labels(painted(SIZE.height, SIZE.width, [[1, shape]]), work);
        const [scaleX, scaleY] = [SIZE.width / work.width, SIZE.height / work.height];
        for (let i = 0; i < all.length; i++) {
          const [column, row] = [i % work.width, Math.floor(i / work.width)];
          const centre: Point = [(column + 0.5) * scaleX, (row + 0.5) * scaleY];
          let isPainted: boolean;
          if (shape.kind === "line") {
            const depth = depthInLine(shape, centre, Math.max(scaleX, scaleY) / 2);
            if (Math.abs(depth) < 1e-6) continue;
            const holds = ([x, y]: Point): boolean =>
              Math.floor(x / scaleX) === column && Math.floor(y / scaleY) === row;
            isPainted = depth > 0 || shape.points.some(holds);
          } else {
            const { inside, margin } = insideArea(shape, centre);
            if (margin < 1e-6) continue;
            isPainted = inside;
          }
          compared++;
          if (isPainted) covered++;
          if ((all[i] === 1) !== isPainted) expect({ row, column, painted: all[i] === 1 }).toBe(isPainted);
        }
      }),
      RUNS,
    );
    expect(covered).toBeGreaterThan(compared / 10);
    expect(covered).toBeLessThan(compared);
  });

  it("does not depend on the unit: an image and its strokes twice as large give the same labels", () => {
    const larger = (shape: Stroke["shape"], by: number): Stroke["shape"] =>
      shape.kind === "line"
        ? line(
            shape.points.map(([x, y]): Point => [by * x, by * y]),
            by * shape.width,
          )
        : area(...shape.rings.map((ring) => ring.map(([x, y]): Point => [by * x, by * y])));
    fc.assert(
      fc.property(shapes(SIZE.height, SIZE.width), fc.constantFrom(0.25, 2, 8), (shape, by) => {
        const plain = labels(painted(SIZE.height, SIZE.width, [[1, shape]]));
        expect(labels(painted(by * SIZE.height, by * SIZE.width, [[1, larger(shape, by)]]))).toEqual(plain);
      }),
      RUNS,
    );
  });

  it("at a third of the size gives every third label of the full size", () => {
    const lines = fc.double({ min: 3, max: 12, noNaN: true });
    fc.assert(
      fc.property(shapes(SIZE.height, SIZE.width), lines, (shape, width) => {
        const session = painted(SIZE.height, SIZE.width, [[1, shape.kind === "line" ? { ...shape, width } : shape]]);
        const [full, small] = [labels(session).all, labels(session, { height: 8, width: 12 }).all];
        const points = shape.kind === "line" ? shape.points : [];
        for (let i = 0; i < small.length; i++) {
          const [column, row] = [i % 12, Math.floor(i / 12)];
          // The pixel of a point is painted whole.
          if (points.some(([x, y]) => Math.floor(x / 3) === column && Math.floor(y / 3) === row)) continue;
          expect(small[i]).toBe(full[(3 * row + 1) * SIZE.width + 3 * column + 1]);
        }
      }),
      RUNS,
    );
  });

  it("lets the last stroke over a pixel decide, erasers too", () => {
    fc.assert(
      fc.property(paintings(SIZE.height, SIZE.width), (session) => {
        const image = session.images[0]!;
        const { all } = labels(session);
        const want = new Uint8Array(all.length).fill(VOID);
        for (const stroke of image.strokes) {
          // Where one stroke alone paints, as a class that is always there.
          const classId = session.classes[0]!.id;
          const alone = { ...image, strokes: [{ ...stroke, classId }] };
          const covers = rasterise(alone, session.classes, SIZE).all;
          const label = session.classes.findIndex(({ id }) => id === stroke.classId);
          covers.forEach((value, i) => {
            if (value !== VOID) want[i] = label < 0 ? VOID : label;
          });
        }
        expect(all).toEqual(want);
      }),
      RUNS,
    );
  });

  it("divides what is painted: a pixel is trained on or held back, and both together are all", () => {
    fc.assert(
      fc.property(paintings(SIZE.height, SIZE.width), (session) => {
        const heldBack = heldBackOf(session);
        const { train, held, all } = labels(session, { ...SIZE, heldBack });
        expect(all.map((_, i) => Math.min(train[i]!, held[i]!))).toEqual(all);
        expect(all.every((_, i) => train[i] === VOID || held[i] === VOID)).toBe(true);
        if (heldBack.size === 0) expect(train).toEqual(all);
      }),
      RUNS,
    );
  });

  it("leaves out of training what is held back, and what it covers is void there", () => {
    const left = area([
      [0, 0],
      [20, 0],
      [20, 24],
      [0, 24],
    ]);
    const top = area([
      [0, 0],
      [36, 0],
      [36, 12],
      [0, 12],
    ]);
    const session = painted(24, 36, [
      [0, left],
      [1, top],
    ]);
    const { train, held } = labels(session, { ...SIZE, heldBack: new Set([session.images[0]!.strokes[1]!.id]) });
    expect([train[0], train[20 * 36], held[0], held[20 * 36]]).toEqual([VOID, 0, 1, VOID]);
  });

  it("keeps a trace of the thinnest line at the smallest size, without gaps", () => {
    const long = line(
      [
        [10, 10],
        [3990, 2001],
      ],
      0.1,
    );
    const { all } = labels(painted(3000, 4000, [[1, long]]), { height: 48, width: 64 });
    for (let column = 0; column < 64; column++) {
      const rows = Array.from({ length: 48 }, (_, row) => all[row * 64 + column]).filter((label) => label === 1);
      expect(rows.length).toBeGreaterThan(0);
      expect(rows.length).toBeLessThan(4);
    }
    const inside = fc.tuple(
      fc.double({ min: 0, max: 3999.9, noNaN: true }),
      fc.double({ min: 0, max: 2999.9, noNaN: true }),
    );
    fc.assert(
      fc.property(inside, (point) => {
        const dot = labels(painted(3000, 4000, [[1, line([point], 0.1)]]), { height: 48, width: 64 }).all;
        expect(dot.filter((label) => label === 1).length).toBeGreaterThan(0);
      }),
      RUNS,
    );
  });

  it("numbers classes by their place, and leaves out strokes of a class that is gone", () => {
    const dot = line([[5, 5]], 4);
    const session = painted(24, 36, [[1, dot]]);
    const image = session.images[0]!;
    const at = 5 * 36 + 5;
    expect(rasterise(image, session.classes, SIZE).all[at]).toBe(1);
    expect(rasterise(image, [...session.classes].reverse(), SIZE).all[at]).toBe(0);
    expect(rasterise(image, session.classes.slice(0, 1), SIZE).all[at]).toBe(VOID);
  });

  it("paints 200 strokes of fifty points on 512 x 512 in less than 50 ms", () => {
    const wave = (i: number): Line =>
      line(
        Array.from(
          { length: 100 },
          (_, k): Point => [2048 + 1900 * Math.sin(i + k / 40), 2048 + 1900 * Math.cos(1.7 * i + k / 25)],
        ),
        80 + (i % 5) * 40,
      );
    const session = painted(
      4096,
      4096,
      Array.from({ length: 200 }, (_, i) => [i % 2, wave(i)]),
    );
    const heldBack = heldBackOf(session);
    // Time that this process computes, because others may use the cores meanwhile.
    const times = Array.from({ length: 7 }, () => {
      const start = process.cpuUsage();
      labels(session, { height: 512, width: 512, heldBack });
      return process.cpuUsage(start).user / 1000;
    });
    expect(Math.min(...times)).toBeLessThan(50);
  });
});
