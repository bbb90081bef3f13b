import { foldGrid } from "@fcn/kernels";
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

  it("refuses what no grid holds", () => expect(() => foldGrid(65_535 ** 2 + 1)).toThrow(RangeError));
});
