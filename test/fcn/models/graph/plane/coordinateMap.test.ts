import { describe, expect, it } from "vitest";
import {
  type CoordinateMap,
  composeMaps,
  cropOffset,
  cutMap,
  formatMap,
  identityMap,
  inverseMap,
  mapsEqual,
} from "../../../../../packages/fcn/src/models/graph/plane/coordinateMap.js";
import { rational } from "../../../../../packages/fcn/src/models/graph/plane/rational.js";

type Terms = readonly [num: number, den?: number];
const mapOf = (scale: Terms, shift: Terms): CoordinateMap => ({ scale: rational(...scale), shift: rational(...shift) });
const half = mapOf([1, 2], [-1, 4]);

describe("a coordinate map", () => {
  it("is composed from the inside out", () => {
    expect(composeMaps(half, mapOf([3], [5]))).toEqual(mapOf([3, 2], [9, 4]));
    expect(composeMaps(mapOf([3], [5]), half)).toEqual(mapOf([3, 2], [17, 4]));
    expect(composeMaps(half, identityMap)).toEqual(half);
    expect(composeMaps(identityMap, half)).toEqual(half);
  });

  it("has an inverse", () => {
    expect(inverseMap(half)).toEqual(mapOf([2], [1, 2]));
    expect(inverseMap(mapOf([3], [5]))).toEqual(mapOf([1, 3], [-5, 3]));
  });

  it("counts from the pixel at which it is cut", () => {
    expect(cutMap(half, 3)).toEqual(mapOf([1, 2], [-13, 4]));
  });

  it("equals one of the same scale and shift only", () => {
    expect(mapsEqual(half, mapOf([2, 4], [-2, 8]))).toBe(true);
    expect(mapsEqual(half, mapOf([1, 2], [1, 4]))).toBe(false);
    expect(mapsEqual(half, mapOf([1, 4], [-1, 4]))).toBe(false);
  });

  it("is written with the sign of its shift", () => {
    expect([half, identityMap, mapOf([2], [3, 4])].map(formatMap)).toEqual(["1/2 x - 1/4", "1 x + 0", "2 x + 3/4"]);
  });
});

describe("the offset of a crop", () => {
  const cut = (source: CoordinateMap, reference: CoordinateMap) => () => cropOffset(source, reference, "score");

  it("is that between the shifts of maps of one scale", () => {
    expect(cut(mapOf([1], [19]), identityMap)()).toBe(19);
    expect(cut(mapOf([1, 2], [27, 4]), half)()).toBe(7);
    expect(cut(half, half)()).toBe(0);
  });

  it("is refused at another scale, between pixels and below 0", () => {
    expect(cut(mapOf([1], [-1, 4]), half)).toThrow("crop score: the scale is 2, but it must be 1");
    expect(cut(half, mapOf([1], [-1, 4]))).toThrow("crop score: the scale is 1/2, but it must be 1");
    expect(cut(mapOf([1], [3, 2]), identityMap)).toThrow("crop score: the offset is 3/2, but it must be an integer");
    const problem = { message: "crop score: the offset is -2, but it must not be negative", code: "invalid-argument" };
    expect(cut(mapOf([1], [-2]), identityMap)).toThrow(expect.objectContaining(problem));
    expect(cut(mapOf([1], [-2]), identityMap)).toThrow(
      expect.objectContaining({ fix: expect.stringContaining("by at least 2,") }),
    );
  });
});
