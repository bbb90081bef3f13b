import { describe, expect, it } from "vitest";
import { denseStrides, mergeDims } from "../../packages/kernels/src/dims.js";

it("the strides of a row-major array count the elements of the inner dims", () => {
  expect(denseStrides([2, 3, 4])).toEqual([12, 4, 1]);
  expect(denseStrides([])).toEqual([]);
});

describe("merged dims", () => {
  it("are those that are contiguous in every operand", () => {
    expect(mergeDims([2, 3, 4], [[12, 4, 1]])).toEqual({ sizes: [24], strides: [[1]] });
    const strides = [
      [12, 4, 1],
      [4, 0, 1],
    ];
    expect(mergeDims([2, 3, 4], strides)).toEqual({ sizes: [2, 3, 4], strides });
  });

  it("leave out those of size 1, whatever their stride", () => {
    expect(mergeDims([1, 4, 1, 5, 1], [[7, 5, 999, 1, 3]])).toEqual({ sizes: [20], strides: [[1]] });
    expect(mergeDims([1, 1], [[1, 1]])).toEqual({ sizes: [], strides: [[]] });
  });

  it("begin with the first, also where there is no operand", () => {
    expect(mergeDims([4, 5], [])).toEqual({ sizes: [20], strides: [] });
  });
});
