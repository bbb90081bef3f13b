import { describe, expect, it } from "vitest";
import {
  AXES,
  along,
  onBothAxes,
  paddingAlong,
  padsSame,
  windowAlong,
} from "../../../../../packages/fcn/src/models/graph/plane/window.js";

describe("along an axis", () => {
  it("an extent is the number for both, that of the axis, or what stands for none", () => {
    expect(AXES).toEqual([0, 1]);
    expect(onBothAxes((axis) => along([3, 5], axis, 1))).toEqual([3, 5]);
    expect(onBothAxes((axis) => along(4, axis, 1))).toEqual([4, 4]);
    expect(onBothAxes((axis) => along(undefined, axis, 7))).toEqual([7, 7]);
  });

  it("a window has stride and dilation 1 unless it names others, and extends from its first tap to its last", () => {
    expect(windowAlong({ kernelSize: 3 }, 0)).toEqual({ kernel: 3, stride: 1, dilation: 1, extent: 3 });
    const window = { kernelSize: [3, 4], stride: [2, 5], dilation: [6, 7] } as const;
    expect(windowAlong(window, 0)).toEqual({ kernel: 3, stride: 2, dilation: 6, extent: 13 });
    expect(windowAlong(window, 1)).toEqual({ kernel: 4, stride: 5, dilation: 7, extent: 22 });
  });
});

describe("padding", () => {
  const uneven = [
    [1, 2],
    [3, 4],
  ] as const;

  it("is none, the same at both ends, or that of each side", () => {
    expect(onBothAxes((axis) => paddingAlong({}, axis))).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(onBothAxes((axis) => paddingAlong({ padding: 2 }, axis))).toEqual([
      [2, 2],
      [2, 2],
    ]);
    expect(onBothAxes((axis) => paddingAlong({ padding: [1, 3] }, axis))).toEqual([
      [1, 1],
      [3, 3],
    ]);
    expect(onBothAxes((axis) => paddingAlong({ padding: uneven }, axis))).toEqual(uneven);
  });

  it('that is "same" gives an output for each stride, with an odd pixel last and none below 0', () => {
    const same = (kernelSize: number, stride: number, size: number, dilation = 1) =>
      paddingAlong({ kernelSize, stride, dilation, padding: "same" }, 0, size);
    expect(same(3, 1, 8)).toEqual([1, 1]);
    expect(same(4, 1, 8)).toEqual([1, 2]);
    expect(same(3, 2, 8)).toEqual([0, 1]);
    expect(same(3, 2, 7)).toEqual([1, 1]);
    expect(same(3, 1, 8, 3)).toEqual([3, 3]);
    expect(same(1, 3, 8)).toEqual([0, 0]);
    expect(paddingAlong({ padding: "same" }, 0, 5)).toEqual([0, 0]);
    expect(paddingAlong({ kernelSize: [1, 5], padding: "same" }, 1, 5)).toEqual([2, 2]);
  });

  it('that is "same" depends on the size, which must be given', () => {
    const same = { kernelSize: 3, padding: "same" } as const;
    expect(() => paddingAlong(same, 0)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    expect([same, { padding: 1 }, { padding: uneven }, {}].map(padsSame)).toEqual([true, false, false, false]);
  });
});
