import { ceilDiv, foldGrid, operandPart, product, roundUp, UNREAD, unwritten } from "@fcn/kernels";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { propertySeed } from "../support/property.js";

describe("foldGrid", () => {
  it("covers every workgroup within the limits, with less than one row to spare", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.integer({ min: 1, max: 200_000 }), fc.integer({ min: 1, max: 2 ** 32 - 2 ** 18 })),
        (count) => {
          const [x, y, z] = foldGrid(count);
          expect(z).toBe(1);
          expect(Math.max(x, y)).toBeLessThanOrEqual(65_535);
          expect(x * y).toBeGreaterThanOrEqual(count);
          expect(x * (y - 1)).toBeLessThan(count);
        },
      ),
      { seed: propertySeed(), numRuns: 300 },
    );
  });

  it("refuses what no grid holds", () =>
    expect(() => foldGrid(65_535 ** 2 + 1)).toThrow(expect.objectContaining({ code: "defect" })));

  it("is a row of workgroups as long as that is possible, and never empty", () => {
    expect([0, 1, 65_535].map(foldGrid)).toEqual([
      [1, 1, 1],
      [1, 1, 1],
      [65_535, 1, 1],
    ]);
    expect(foldGrid(65_536)).toEqual([256, 256, 1]);
    expect(foldGrid(65_535 ** 2)).toEqual([65_535, 65_535, 1]);
  });
});

it("a part begins at the aligned place before its first element", () => {
  expect(operandPart("x", 0, 3)).toEqual({ operand: "x", byteOffset: 0, byteLength: 12 });
  expect(operandPart("x", 64, 65)).toEqual({ operand: "x", byteOffset: 256, byteLength: 4 });
  expect(operandPart("x", 130, 140)).toEqual({ operand: "x", byteOffset: 512, byteLength: 48 });
});

it("operands that are not read share a dummy, those that are not written have one each", () => {
  expect(UNREAD).toEqual({ dummy: "unread" });
  expect(unwritten("y")).toEqual({ dummy: "y" });
});

it("numbers are rounded up to a multiple, and lists multiplied", () => {
  expect([0, 1, 4, 5].map((n) => [ceilDiv(n, 4), roundUp(n, 4)])).toEqual([
    [0, 0],
    [1, 4],
    [1, 4],
    [2, 8],
  ]);
  expect([product([]), product([2, 3, 4])]).toEqual([1, 24]);
});
