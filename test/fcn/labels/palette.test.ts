import { colorize, overlay, vocPalette } from "@fcn/core";
import { describe, expect, it } from "vitest";

const color = (label: number): number[] => Array.from(vocPalette().subarray(3 * label, 3 * label + 3));

describe("vocPalette", () => {
  it("has the published colours", () => {
    expect(vocPalette()).toHaveLength(768);
    expect(color(0)).toEqual([0, 0, 0]);
    expect(color(1)).toEqual([128, 0, 0]);
    expect(color(2)).toEqual([0, 128, 0]);
    expect(color(8)).toEqual([64, 0, 0]);
    expect(color(15)).toEqual([192, 128, 128]);
    expect(color(20)).toEqual([0, 64, 128]);
    expect(color(255)).toEqual([224, 224, 192]);
  });

  it("has 256 different colours", () => {
    expect(new Set(Array.from({ length: 256 }, (_, label) => color(label).join())).size).toBe(256);
  });
});

describe("colorize and overlay", () => {
  it("looks every label up", () => {
    expect(Array.from(colorize([1, 255, 0]))).toEqual([128, 0, 0, 224, 224, 192, 0, 0, 0]);
    expect(Array.from(colorize({ shape: [1, 2], data: Int32Array.of(1, 0) }, Uint8Array.of(1, 2, 3, 4, 5, 6)))).toEqual(
      [4, 5, 6, 1, 2, 3],
    );
  });

  it("blends over labels above 0 only", () => {
    expect(Array.from(overlay([10, 20, 30, 10, 20, 30], [0, 1]))).toEqual([10, 20, 30, 69, 10, 15]);
    expect(Array.from(overlay([10, 20, 30], [1], { alpha: 1 }))).toEqual([128, 0, 0]);
  });

  it("refuses a label without a colour and an image of another size", () => {
    expect(() => colorize([0, 2], Uint8Array.of(0, 0, 0, 1, 1, 1))).toThrow(
      "colorize: label 2 at position 1 has no colour: the palette has 2 colours",
    );
    expect(() => colorize([-1])).toThrow(/label -1/);
    expect(() => overlay([1, 2, 3, 4], [0])).toThrow(
      "overlay: the image has 4 values for 1 labels, but must have 3 a label",
    );
  });
});
