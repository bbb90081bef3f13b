import { io, TensorError } from "@fcn/tensor";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assertProperty } from "../../../support/property.js";

describe("permuteHostArray", () => {
  it("moves every value to where its turned index says", async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 });
    const cases = sizes.chain((shape) =>
      fc.record({
        shape: fc.constant(shape),
        dims: fc.shuffledSubarray(
          shape.map((_, i) => i),
          { minLength: shape.length },
        ),
      }),
    );
    await assertProperty(cases, 50, async ({ shape, dims }) => {
      const count = shape.reduce((a, b) => a * b, 1);
      const data = Int32Array.from({ length: count }, (_, i) => i);
      const turned = io.permuteHostArray({ dtype: "int32", shape, data }, dims);
      expect(turned.shape).toEqual(dims.map((dim) => shape[dim]));
      turned.data.forEach((value, flat) => {
        const index = indexOf(flat, turned.shape);
        const source = indexOf(Number(value), shape);
        expect(index).toEqual(dims.map((dim) => source[dim]));
      });
    });
  });

  it("refuses what is no order of the dimensions", () => {
    const array = { dtype: "int32" as const, shape: [2, 3], data: new Int32Array(6) };
    for (const dims of [[0], [0, 0], [0, 2], [1, 0, 2]]) {
      expect(() => io.permuteHostArray(array, dims)).toThrowError(TensorError);
    }
  });
});

/** Row-major index of a place in an array of `shape`. */
function indexOf(flat: number, shape: readonly number[]): number[] {
  return shape.map((size, i) => Math.floor(flat / shape.slice(i + 1).reduce((a, b) => a * b, 1)) % size);
}
