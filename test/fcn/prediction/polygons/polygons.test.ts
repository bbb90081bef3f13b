import { type LabelPolygon, type Position, type Ring, toGeoJson, tracePolygons } from "@fcn/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRandom } from "../../../../packages/fcn/src/data/random.js";
import { geoJsonPieces } from "../../../../packages/fcn/src/prediction/polygons/geojson.js";
import { eachPolygon } from "../../../../packages/fcn/src/prediction/polygons/polygons.js";
import { propertySeed } from "../../../support/property.js";

interface Map {
  readonly labels: Uint8Array;
  readonly height: number;
  readonly width: number;
}

const maps: fc.Arbitrary<Map> = fc
  .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 4 }))
  .chain(([height, width, classes]) =>
    fc
      .array(fc.integer({ min: 0, max: classes - 1 }), { minLength: height * width, maxLength: height * width })
      .map((list) => ({ labels: Uint8Array.from(list), height, width })),
  );
const holds = (check: (map: Map) => void, numRuns = 400) =>
  fc.assert(fc.property(maps, check), { seed: propertySeed(), numRuns });

/** Twice the signed area by the shoelace formula. */
const doubleArea = (ring: Ring): number =>
  ring.slice(1).reduce((sum, [x, y], i) => sum + ring[i]![0] * y - x * ring[i]![1], 0);

/** Paints polygons by the even-odd rule; each pixel must be painted at most once. */
function rasterise(polygons: readonly LabelPolygon[], { height, width }: Map): Int16Array {
  const painted = new Int16Array(height * width).fill(-1);
  for (const { label, rings } of polygons) {
    for (let i = 0; i < painted.length; i++) {
      // Near the centre of the pixel, where no simplified line passes.
      const [px, py] = [(i % width) + 0.5003, Math.floor(i / width) + 0.5007];
      let isInside = false;
      for (const ring of rings) {
        for (const [k, [bx, by]] of ring.slice(1).entries()) {
          const [ax, ay] = ring[k]!;
          if (ay > py !== by > py && px < ax + ((py - ay) * (bx - ax)) / (by - ay)) isInside = !isInside;
        }
      }
      if (!isInside) continue;
      expect(painted[i]).toBe(-1);
      painted[i] = label;
    }
  }
  return painted;
}

/** How many sampled places are in several polygons, and in none. */
function coverageOf(polygons: readonly LabelPolygon[], { height, width }: Map): { doubled: number; bare: number } {
  const rings = polygons.map((polygon) => polygon.rings.flatMap((ring) => ring.slice(1).map((b, k) => [ring[k]!, b])));
  const found = { doubled: 0, bare: 0 };
  for (let py = 0.2503; py < height; py += 0.5) {
    for (let px = 0.2507; px < width; px += 0.5) {
      const owners = rings.filter(
        (lines) =>
          lines.filter(([a, b]) => {
            const [[ax, ay], [bx, by]] = [a!, b!];
            return ay > py !== by > py && px < ax + ((py - ay) * (bx - ax)) / (by - ay);
          }).length % 2,
      );
      if (owners.length > 1) found.doubled++;
      if (owners.length === 0) found.bare++;
    }
  }
  return found;
}

/** Pairs of lines that cross in the middle of both. */
function crossings(rings: readonly Ring[]): string[] {
  const lines = rings.flatMap((ring) => ring.slice(1).map((b, k) => [ring[k]!, b] as const));
  const side = ([ax, ay]: Position, [bx, by]: Position, [x, y]: Position): number =>
    Math.sign((bx - ax) * (y - ay) - (by - ay) * (x - ax));
  const cross = ([a, b]: (typeof lines)[number], [p, q]: (typeof lines)[number]): boolean =>
    side(a, b, p) * side(a, b, q) < 0 && side(p, q, a) * side(p, q, b) < 0;
  return lines.flatMap((line, i) =>
    lines
      .slice(i + 1)
      .filter((other) => cross(line, other))
      .map((other) => `${line} x ${other}`),
  );
}

describe("polygons of a label map", () => {
  it("give the map back when they are painted", () =>
    holds((map) => {
      const polygons = tracePolygons(map);
      expect(Array.from(rasterise(polygons, map))).toEqual(Array.from(map.labels));
    }));

  it("give a large noisy map back, in whose rows the upright lines say where labels begin and end", () => {
    const [height, width] = [300, 401];
    const noise = createRandom(1);
    const labels = Uint8Array.from({ length: height * width }, (_, i) => (i % width < 200 ? 21 : 3) * noise());
    const changes = new Int32Array(height * (width + 1));
    for (const { label, rings } of eachPolygon({ labels, height, width })) {
      for (const ring of rings) {
        for (const [k, [x, y]] of ring.slice(1).entries()) {
          const [fromX, fromY] = ring[k]!;
          if (fromX !== x) continue;
          for (let row = Math.min(fromY, y); row < Math.max(fromY, y); row++) {
            // With the region on the right, a line that heads up has it on its east side.
            changes[row * (width + 1) + x]! += y < fromY ? label : -label;
          }
        }
      }
    }
    const painted = labels.map((_, i) => {
      const at = Math.floor(i / width) * (width + 1) + (i % width);
      if (i % width > 0) changes[at]! += changes[at - 1]!;
      return changes[at]!;
    });
    expect(painted).toEqual(labels);
  });

  it("are written in pieces as the text of their GeoJSON", () => {
    const map = { labels: new Uint8Array(90_000).map((_, i) => (i * i) % 7), height: 300, width: 300 };
    const classes = ["a", 'b "', "c"];
    for (const tolerance of [0, 1]) {
      const pieces = [...geoJsonPieces(eachPolygon(map, { tolerance }), classes)];
      expect(pieces.length).toBeGreaterThan(3);
      expect(pieces.join("")).toBe(JSON.stringify(toGeoJson(tracePolygons(map, { tolerance }), classes)));
    }
    expect([...geoJsonPieces([], classes)].join("")).toBe(JSON.stringify(toGeoJson([])));
  });

  it("have closed rings that turn at every place, outlines counterclockwise and holes clockwise, and the area of their pixels", () =>
    holds((map) => {
      for (const { rings, area } of tracePolygons(map)) {
        const [outline, ...holes] = rings.map(doubleArea);
        expect(outline).toBeGreaterThan(0);
        for (const hole of holes) expect(hole).toBeLessThan(0);
        expect(holes.reduce((sum, hole) => sum + hole, outline!)).toBe(2 * area);
        for (const ring of rings) {
          expect(ring.at(-1)).toEqual(ring[0]);
          const places = ring.slice(0, -1);
          expect(new Set(places.map(String)).size).toBe(places.length);
          for (const [i, [x, y]] of places.entries()) {
            const [nx, ny] = ring[i + 1]!;
            const [px, py] = places.at(i - 1)!;
            // Level after upright, upright after level.
            expect([x === px, y === py]).toEqual([y === ny, x === nx]);
            expect(x === px).not.toBe(y === py);
          }
        }
      }
    }));

  it("are one a connected region, in the order of the rows", () => {
    // A ring whose hole touches the outside across a corner, and two pixels that touch across a corner only.
    const rows = ["11100", "10110", "11011", "00002", "00020"];
    const map = { labels: Uint8Array.from(rows.join(""), Number), height: 5, width: 5 };
    const found = tracePolygons(map).map(({ label, area, rings }) => [label, area, rings.length]);
    expect(found).toEqual([
      [1, 10, 2],
      [0, 3, 1],
      [0, 1, 1],
      [0, 8, 1],
      [2, 1, 1],
      [2, 1, 1],
      [0, 1, 1],
    ]);
  });

  it("describe a single pixel and a hole exactly", () => {
    const map = { labels: Uint8Array.from([7, 7, 7, 7, 3, 7, 7, 7, 7]), height: 3, width: 3 };
    const geo = toGeoJson(tracePolygons(map), ["a", "b", "c", "hole"]);
    expect(geo.features.map(({ properties }) => properties)).toEqual([
      { label: 7, class: null, area: 8 },
      { label: 3, class: "hole", area: 1 },
    ]);
    const [frame, pixel] = geo.features.map(({ geometry }) => geometry.coordinates);
    expect(frame?.[0]).toHaveLength(5);
    expect(new Set(frame?.[1]?.map(String))).toEqual(new Set(["1,1", "1,2", "2,2", "2,1"]));
    expect(pixel).toEqual([
      [
        [2, 1],
        [2, 2],
        [1, 2],
        [1, 1],
        [2, 1],
      ],
    ]);
    expect(JSON.parse(JSON.stringify(geo))).toEqual(geo);
  });

  it("still cover every place exactly once when they are simplified", () =>
    holds((coarse) => {
      // Blocks of 6 x 6 pixels: none is thin enough to vanish.
      const [height, width] = [coarse.height * 6, coarse.width * 6];
      const blockOf = (i: number): number => Math.floor(i / width / 6) * coarse.width + Math.floor((i % width) / 6);
      const map = { labels: new Uint8Array(height * width).map((_, i) => coarse.labels[blockOf(i)]!), height, width };
      for (const tolerance of [1, 2.5]) {
        const polygons = tracePolygons(map, { tolerance });
        expect(Array.from(rasterise(polygons, map)).every((label) => label >= 0)).toBe(true);
        const area = polygons.reduce((sum, { rings }) => rings.reduce((all, ring) => all + doubleArea(ring), sum), 0);
        expect(area).toBe(2 * height * width);
      }
    }, 25));

  it("keep what is one pixel wide apart when they are simplified, by any tolerance", () =>
    holds((map) => {
      for (const tolerance of [0.5, 1, 2, 5, 100]) {
        const polygons = tracePolygons(map, { tolerance });
        expect(coverageOf(polygons, map)).toEqual({ doubled: 0, bare: 0 });
        const rings = polygons.flatMap((polygon) => polygon.rings);
        expect(rings.reduce((sum, ring) => sum + doubleArea(ring), 0)).toBe(2 * map.height * map.width);
        for (const {
          rings: [outline, ...holes],
        } of polygons) {
          expect(doubleArea(outline!)).toBeGreaterThan(0);
          for (const hole of holes) expect(doubleArea(hole)).toBeLessThan(0);
        }
        expect(crossings(rings)).toEqual([]);
      }
    }, 120));

  it("do not swallow a small neighbour at the border, or at a corner, when they are simplified", () => {
    for (const rows of [
      ["000", "000", "010"],
      ["000000", "010000", "002222", "002222"],
    ]) {
      const map = { labels: Uint8Array.from(rows.join(""), Number), height: rows.length, width: rows[0]!.length };
      const areas = tracePolygons(map, { tolerance: 1 }).map(({ rings }) => rings.map(doubleArea));
      expect(areas.flat().reduce((sum, area) => sum + area)).toBe(2 * map.height * map.width);
      expect(areas[0]![0]! + (areas[0]![1] ?? 0)).toBeLessThan(2 * map.height * map.width);
      expect(areas[1]![0]).toBeGreaterThan(0);
    }
  });

  it("lose corners and keep straight lines when they are simplified", () => {
    const size = 40;
    const labels = new Uint8Array(size * size).map((_, i) =>
      Math.hypot((i % size) - 19.5, Math.floor(i / size) - 19.5) < 15 ? 1 : 0,
    );
    const map = { labels, height: size, width: size };
    const exact = tracePolygons(map)[1]!;
    const simple = tracePolygons(map, { tolerance: 1 })[1]!;
    expect(simple.rings[0]!.length).toBeLessThan(exact.rings[0]!.length / 3);
    expect(Math.abs(doubleArea(simple.rings[0]!) / 2 - exact.area)).toBeLessThan(0.06 * exact.area);
    const [frame] = tracePolygons(map, { tolerance: 1 });
    const hole = frame!.rings[1]!.map(String);
    expect(new Set(hole)).toEqual(new Set(simple.rings[0]!.map(String)));
  });

  it("refuse a map of the wrong size", () => {
    expect(() => tracePolygons({ labels: [1, 2, 3], height: 2, width: 2 })).toThrow("3 labels for a map of 2x2");
  });
});
