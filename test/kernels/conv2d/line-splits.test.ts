import { expect, it } from "vitest";
import { lineSplits } from "../../../packages/kernels/src/conv2d/line-splits.js";
import { largeDevice, smallDevice } from "../../support/plans.js";

const parts = (...lengths: number[]) => {
  let at = 0;
  const range = { begin: 0, end: 1 };
  return lengths.map((length) => {
    at += length;
    return { steps: { begin: at - length, end: at }, from: range, to: range };
  });
};

it("a gradient is split into as many slices as keep the device busy, and no more than the longest part has lines", () => {
  const splits = (wanted: number) => lineSplits(parts(3, 8, 7), 10, wanted, smallDevice);
  expect(splits(5)).toEqual({ perPart: 5, accumulate: false, slices: 15, target: "slices" });
  expect(splits(100)).toEqual({ perPart: 8, accumulate: false, slices: 24, target: "slices" });
  expect(lineSplits(parts(9), 10, 1, smallDevice)).toMatchObject({ slices: 1, target: "dw" });
});

it("the slices of all parts fit a binding and 32 MiB, or else the parts add to the gradient", () => {
  expect(lineSplits(parts(8, 8, 8), 170, 8, smallDevice)).toMatchObject({ perPart: 2, accumulate: false, slices: 6 });
  expect(lineSplits(parts(8, 8, 8), 341, 8, smallDevice)).toMatchObject({ perPart: 1, accumulate: false, slices: 3 });
  const adding = { perPart: 1, accumulate: true, slices: 1, target: "dw" };
  expect(lineSplits(parts(8, 8, 8), 342, 8, smallDevice)).toEqual(adding);
  expect(lineSplits(parts(8), 2 ** 20, 8, largeDevice)).toMatchObject({ perPart: 8, slices: 8 });
  expect(lineSplits(parts(8), 2 ** 21, 8, largeDevice)).toMatchObject({ perPart: 4, slices: 4 });
});
