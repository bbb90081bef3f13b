import { data } from "@fcn/core";
import { beforeAll, describe, expect, it } from "vitest";
import { earthLabels } from "../../../../packages/fcn/src/demo/earth/labels.js";
import { loadEarth } from "../../../../packages/fcn/src/demo/earth/load.js";
import { EARTH_SPLIT, earthTilePositions, isWorthKeeping } from "../../../../packages/fcn/src/demo/earth/split.js";

const WIDTH = 2048;
const HEIGHT = 1024;
const longitude = (column: number): number => (column / WIDTH) * 360 - 180;

describe("tile positions on the world map", () => {
  const { train, validation } = earthTilePositions(WIDTH, HEIGHT, EARTH_SPLIT);

  it("lie on the map, within the latitudes asked for", () => {
    const edge = ((90 - EARTH_SPLIT.maxLatitude) / 180) * HEIGHT;
    for (const { left, top, width, height } of [...train, ...validation]) {
      expect(left).toBeGreaterThanOrEqual(0);
      expect(left + width).toBeLessThanOrEqual(WIDTH);
      expect(top).toBeGreaterThanOrEqual(edge);
      expect(top + height).toBeLessThanOrEqual(HEIGHT - edge);
    }
  });

  it("never touch across the split: at least the gap lies between", () => {
    for (const a of train) {
      for (const b of validation) {
        const between = Math.max(b.left - (a.left + a.width), a.left - (b.left + b.width));
        expect(between).toBeGreaterThanOrEqual(EARTH_SPLIT.gap);
      }
    }
  });

  it("hold validation tiles in their bands only, without overlap", () => {
    const inside = (west: number, east: number): boolean =>
      EARTH_SPLIT.validation.some((band) => west >= band.west && east <= band.east);
    for (const tile of validation) expect(inside(longitude(tile.left), longitude(tile.left + tile.width))).toBe(true);
    const places = validation.map(({ left, top }) => `${left % 128} ${top % 128}`);
    expect(new Set(places).size).toBeLessThanOrEqual(EARTH_SPLIT.validation.length);
    expect(new Set(validation.map(({ left, top }) => `${left} ${top}`)).size).toBe(validation.length);
  });

  it("stay apart for other bands too, and the bands keep their order out of the answer", () => {
    const bands = [
      { west: 10, east: 60 },
      { west: -170, east: -120 },
    ];
    const split = { ...EARTH_SPLIT, validation: bands, gap: 1 };
    const forward = earthTilePositions(WIDTH, HEIGHT, split);
    const backward = earthTilePositions(WIDTH, HEIGHT, { ...split, validation: [...bands].reverse() });
    expect(backward).toEqual(forward);
    expect(forward.validation.length).toBeGreaterThan(0);
    const touching = forward.train.filter((a) =>
      forward.validation.some((b) => a.left <= b.left + b.width && b.left <= a.left + a.width),
    );
    expect(touching).toEqual([]);
  });
});

describe("labels", () => {
  it("are water, void or land by the mask, and lowland or mountain by the elevation", () => {
    const water = Uint8Array.of(255, 192, 191, 65, 64, 0, 0);
    const elevation = Uint8Array.of(90, 0, 90, 90, 40, 41, 248);
    expect([...earthLabels(water, elevation)]).toEqual([0, 0, 255, 255, 1, 2, 2]);
  });

  it("decide whether a tile is kept: half known, a twentieth of that land", () => {
    const tile = (voids: number, land: number): Uint8Array =>
      Uint8Array.from({ length: 100 }, (_, i) => (i < voids ? 255 : i < voids + land ? 1 : 0));
    expect(isWorthKeeping(tile(100, 0), EARTH_SPLIT)).toBe(false);
    expect(isWorthKeeping(tile(51, 49), EARTH_SPLIT)).toBe(false);
    expect(isWorthKeeping(tile(50, 25), EARTH_SPLIT)).toBe(true);
    expect(isWorthKeeping(tile(0, 4), EARTH_SPLIT)).toBe(false);
    expect(isWorthKeeping(tile(0, 5), EARTH_SPLIT)).toBe(true);
    expect(isWorthKeeping(tile(0, 100), EARTH_SPLIT)).toBe(true);
  });
});

describe("the imagery of three-globe", () => {
  let earth: Awaited<ReturnType<typeof loadEarth>>;
  beforeAll(async () => {
    earth = await loadEarth();
  });

  it("gives tiles of 128 x 128 pixels in both splits, all three classes in each", () => {
    expect(earth.train.length).toBeGreaterThan(100);
    expect(earth.validation.length).toBeGreaterThan(15);
    for (const sample of [...earth.train, ...earth.validation]) {
      data.checkSample("test", sample, 3);
      expect([sample.image.height, sample.image.width, sample.image.channels]).toEqual([128, 128, 3]);
    }
    for (const split of [earth.train, earth.validation]) {
      const counts = data.countLabels(split, 3);
      const all = counts.reduce((a, b) => a + b, 0);
      for (const count of counts) expect(count / all).toBeGreaterThan(0.05);
    }
  });

  it("agrees with itself: what is called open water is dark and blue in the photograph", () => {
    const sums = [0, 0, 0];
    let count = 0;
    for (const { image, labels } of earth.validation) {
      labels.forEach((label, i) => {
        if (label !== 0) return;
        count++;
        for (let c = 0; c < 3; c++) sums[c] = (sums[c] as number) + (image.data[i * 3 + c] as number);
      });
    }
    const [red, green, blue] = sums.map((sum) => sum / count) as [number, number, number];
    expect(blue).toBeGreaterThan(green + 10);
    expect(green).toBeGreaterThan(red);
  });
});
