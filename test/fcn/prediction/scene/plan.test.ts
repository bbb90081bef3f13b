import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planScene, regionsOf, tilesOfRegion } from "../../../../packages/fcn/src/prediction/scene/plan.js";
import { tileOf, tilesOf } from "../../../../packages/fcn/src/prediction/tiling.js";
import { propertySeed } from "../../../support/property.js";

const int = (min: number, max: number) => fc.integer({ min, max });

/** A net that has room for tiles of some side, or for whole images. */
const netOf = (stride: number, side?: number) => ({
  stride,
  tileFor: () => (side === undefined ? undefined : tileOf([side, side], undefined, stride)),
});

describe("the regions of a scene", () => {
  const cases = fc.record({
    ...{ height: int(1, 700), width: int(1, 700), stride: int(1, 20), pixels: int(2000, 200_000) },
    tile: fc.tuple(int(1, 9), int(1, 9)),
    overlap: int(0, 8),
  });

  it("have each pixel once, row by row, and meet where a tile begins", () =>
    fc.assert(
      fc.property(cases, ({ height, width, stride, pixels, tile: [down, across], overlap }) => {
        const tile = [down * stride, across * stride] as const;
        const shared = Math.min(overlap, down - 1, across - 1) * stride;
        const plan = planScene(netOf(stride), { height, width }, { tile, overlap: shared, pixels });
        const { rows, columns } = tilesOf([height, width], { tile, overlap: shared }, stride);
        let [top, left, bottom] = [0, 0, 0];
        for (const region of regionsOf(plan)) {
          if (left === width) [top, left] = [bottom, 0];
          expect(region).toMatchObject({ top, left });
          if (left > 0) expect(top + region.height).toBe(bottom);
          expect(Math.min(region.height, region.width)).toBeGreaterThan(0);
          expect(rows.some(({ begin }) => begin === top) && columns.some(({ begin }) => begin === left)).toBe(true);
          [left, bottom] = [left + region.width, top + region.height];
        }
        expect([left, bottom]).toEqual([width, height]);
      }),
      { seed: propertySeed(), numRuns: 100 },
    ));

  it("are computed from all tiles that reach into them, and no others", () =>
    fc.assert(
      fc.property(cases, ({ height, width, stride, pixels, tile: [down, across], overlap }) => {
        const tile = [down * stride, across * stride] as const;
        const shared = Math.min(overlap, down - 1, across - 1) * stride;
        const plan = planScene(netOf(stride), { height, width }, { tile, overlap: shared, pixels });
        const whole = tilesOf([height, width], { tile, overlap: shared }, stride);
        for (const region of regionsOf(plan)) {
          const { tiling, seen } = tilesOfRegion(plan, region);
          for (const [axis, from, length, origin] of [
            ["rows", region.top, region.height, seen.top],
            ["columns", region.left, region.width, seen.left],
          ] as const) {
            const want = whole[axis].filter(({ begin, end }) => Math.min(end, from + length) > Math.max(begin, from));
            expect(tiling[axis].map(({ begin, end }) => ({ begin: begin + origin, end: end + origin }))).toEqual(want);
          }
          const isAll = tiling.rows.length === whole.rows.length && tiling.columns.length === whole.columns.length;
          expect(tiling.isPart).toBe(!isAll);
        }
      }),
      { seed: propertySeed(), numRuns: 100 },
    ));

  it("are about as large as asked for", () => {
    const sizesOf = (height: number, width: number, pixels: number) =>
      regionsOf(planScene(netOf(32, 512), { height, width }, { pixels })).map((region) => [
        region.height,
        region.width,
      ]);
    for (const [height, width] of sizesOf(40_000, 40_000, 8192 ** 2)) {
      expect(Math.abs(height! - 8192)).toBeLessThan(1000);
      expect(Math.abs(width! - 8192)).toBeLessThan(1000);
    }
    expect(sizesOf(1000, 1_000_000, 2 ** 24)).toHaveLength(60);
    expect(sizesOf(1000, 900, 2 ** 20)).toEqual([[1000, 900]]);
  });
});

describe("the tiles of a scene", () => {
  const size = { height: 40_000, width: 40_000 };
  it("are those given", () => {
    expect(planScene(netOf(32, 512), size, { tile: 256, overlap: 40 })).toMatchObject({
      tile: [256, 256],
      overlap: 64,
    });
    expect(() => planScene(netOf(32, 512), size, { tile: 100 })).toThrow(/tile is 100x100/);
  });

  it("are as large as the device's memory allows, and at most an eighth of a region", () => {
    expect(planScene(netOf(32, 512), size)).toMatchObject({ tile: [512, 512], overlap: 128, stride: 32 });
    expect(planScene(netOf(32, 2048), size)).toMatchObject({ tile: [1024, 1024], overlap: 256 });
    expect(planScene(netOf(32), size, { overlap: 96 })).toMatchObject({ tile: [1024, 1024], overlap: 96 });
    expect(planScene(netOf(32), { height: 500, width: 10 ** 6 })).toMatchObject({ tile: [512, 16_800] });
  });
});
