import type { data } from "@fcn/core";
import { describe, expect, it } from "vitest";
import {
  type Bands,
  checkScale,
  commonScale,
  levelsOf,
  rangeText,
  rankedValues,
  scaleBands,
  withoutTails,
} from "../../../../packages/fcn/src/data/decode/pixelScale.js";
import { RANGE } from "../../../../packages/fcn/src/data/open/range.js";

const { rule: pixelRange } = RANGE.range;

const bandsOf = (values: ArrayLike<number>, more: Partial<Bands> = {}): Bands => ({
  values,
  height: 1,
  width: values.length / (more.channels ?? 1),
  channels: 1,
  depth: "uint16",
  ...more,
});
const faultOf = (run: () => unknown): unknown => {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
};

describe("a range as an option", () => {
  it.each<[string, data.PixelRange | undefined]>([
    ["0,4095", [0, 4095]],
    ["-1.5, 2e3", [-1.5, 2000]],
    ["0,0", undefined],
    ["2,1", undefined],
    ["1", undefined],
    ["1,2,3", undefined],
    ["0,", undefined],
    ["0,x", undefined],
    ["0,Infinity", undefined],
    ["", undefined],
  ])("is two numbers, the lower one first: %j", (text, want) => {
    expect(pixelRange.parse(text)).toEqual(want);
    if (want) expect(pixelRange.holds(want)).toBe(true);
  });

  it.each([[[1, 1]], [[2, 1]], [[1]], [[1, 2, 3]], [["0", "1"]], [[0, Number.NaN]], ["0,1"], [undefined], [5]])(
    "is not %j",
    (value) => {
      expect(pixelRange.holds(value)).toBe(false);
    },
  );

  it("reads as its ends", () => {
    expect(pixelRange.what).toContain("0,4095");
    expect(rangeText([0, 4095])).toBe("0 to 4095");
    expect(rangeText([-1 / 3, 2 / 3])).toBe("-0.333333 to 0.666667");
  });
});

describe("levelsOf", () => {
  it("leaves out what is no number, not finite or declared as missing", () => {
    const values = [5, Number.NaN, -3, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -9999, 2, 1];
    const bands = bandsOf(values, { depth: "float32", noData: -9999 });
    expect(levelsOf(bands)).toEqual({ depth: "float32", min: -3, max: 5, missing: 0.5, clipped: 0 });
  });

  it("has no ends where every value is missing", () => {
    const levels = levelsOf(bandsOf([7, 7], { noData: 7 }));
    expect(levels).toEqual({ depth: "uint16", min: Number.NaN, max: Number.NaN, missing: 1, clipped: 0 });
  });
});

describe("rankedValues", () => {
  it("gives all values of a small image in ascending order, without those that are missing", () => {
    const values = [3, 10, -2, Number.NaN, 7, Number.POSITIVE_INFINITY, 0, 7];
    expect(rankedValues(bandsOf(values, { noData: 0 }))).toEqual([-2, 3, 7, 7, 10]);
    expect(rankedValues(bandsOf([4]))).toEqual([4]);
    expect(rankedValues(bandsOf([0, Number.NaN], { noData: 0 }))).toEqual([]);
  });

  it("gives 1024 of many values, at even steps from the lowest to the highest", () => {
    const length = 2 ** 19;
    // 5 has no factor in common with the length, so each value occurs once.
    const ranked = rankedValues(bandsOf(Uint32Array.from({ length }, (_, i) => (i * 5) % length)));
    expect(ranked).toHaveLength(1024);
    const off = ranked.map((value, i) => Math.abs(value - (i * (length - 1)) / 1023));
    expect(Math.max(...off)).toBeLessThan(64);
    const few = rankedValues(bandsOf(Uint16Array.from({ length: 2000 }, (_, i) => i)));
    expect([few.length, few[0], few[1], few.at(-1)]).toEqual([1024, 0, 2, 1999]);
  });

  it.each([2 ** 17 - 1, 2 ** 17, 2 ** 19 + 5])(
    "looks at up to about 2^16 of %i values, of every band and of even and odd columns alike",
    (length) => {
      const seen = [0, 0, 0, 0, 0, 0];
      const values = new Proxy({ length } as unknown as number[], {
        get: (target, key) => {
          if (key === "length") return target.length;
          seen[Number(key) % 6]!++;
          return 1;
        },
      });
      rankedValues(bandsOf(values));
      const reads = seen.reduce((sum, count) => sum + count, 0);
      expect(reads).toBeGreaterThan(2 ** 14);
      expect(reads).toBeLessThan(2 ** 17);
      if (length >= 2 ** 17) expect(reads).toBeLessThanOrEqual(2 ** 16);
      for (const count of seen) expect(Math.abs(count - reads / 6)).toBeLessThanOrEqual(1);
    },
  );
});

it("withoutTails leaves out a thousandth at either end", () => {
  expect(withoutTails(Array.from({ length: 2001 }, (_, i) => i))).toEqual([2, 1998]);
  expect(withoutTails([1, 2, 3])).toEqual([1, 3]);
});

describe("commonScale", () => {
  it.each<[data.PixelDepth, number, number, data.PixelRange | undefined]>([
    ["float32", 0, 1, [0, 1]],
    ["float32", 0.2, 0.51, [0, 1]],
    ["float32", 0, 0.5, undefined],
    ["float32", -0.1, 1, undefined],
    ["float32", 0, 200, [0, 255]],
    ["float32", 0, 65535, [0, 65535]],
    ["uint16", 0, 1, undefined],
    ["uint16", 0, 127, undefined],
    ["uint16", 0, 128, [0, 255]],
    ["uint16", 0, 255, [0, 255]],
    ["uint16", 0, 256, undefined],
    ["uint16", 0, 32767, undefined],
    ["uint16", 0, 32768, [0, 65535]],
    ["uint16", 40000, 65535, [0, 65535]],
    ["int16", -1, 255, undefined],
    ["uint32", 0, 65536, undefined],
    ["float32", Number.NaN, Number.NaN, undefined],
  ])("of %s from %d to %d", (depth, min, max, want) => {
    expect(commonScale({ depth, min, max })).toEqual(want);
  });
});

describe("scaleBands", () => {
  it("maps the ends of the range to 0 and 255, rounds in between, and counts what lies beyond", () => {
    const { data, levels } = scaleBands("a", bandsOf([10, 20, 12, 9, 21, 15, 10, 20]), { range: [10, 20] });
    expect([...data].filter((_, i) => i % 3 === 0)).toEqual([0, 255, 51, 0, 255, 128, 0, 255]);
    expect(levels).toEqual({ depth: "uint16", min: 9, max: 21, missing: 0, clipped: 0.25 });
  });

  it("repeats one band and keeps three", () => {
    expect([...scaleBands("a", bandsOf([0, 5]), { range: [0, 255] }).data]).toEqual([0, 0, 0, 5, 5, 5]);
    const three = bandsOf([1, 2, 3, 4, 5, 6], { channels: 3 });
    expect([...scaleBands("a", three, { range: [0, 255] }).data]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("makes missing values black and counts them as missing alone", () => {
    const values = [-50, Number.NaN, Number.POSITIVE_INFINITY, 100];
    const { data, levels } = scaleBands("a", bandsOf(values, { depth: "float32", noData: -50 }), { range: [50, 100] });
    expect([...data].filter((_, i) => i % 3 === 0)).toEqual([0, 0, 0, 255]);
    expect(levels).toEqual({ depth: "float32", min: 100, max: 100, missing: 0.75, clipped: 0 });
  });

  it("makes an image black of which every value is missing", () => {
    const { data, levels } = scaleBands("a", bandsOf([Number.NaN, Number.NaN], { depth: "float32" }), {});
    expect([...data]).toEqual([0, 0, 0, 0, 0, 0]);
    expect(levels).toMatchObject({ missing: 1, clipped: 0 });
  });

  const spike = (share: readonly [value: number, count: number][]): number[] =>
    share.flatMap(([value, count]) => new Array<number>(count).fill(value));

  it("does not take one bright value among many for a filled scale", () => {
    const dark = bandsOf(
      spike([
        [100, 4999],
        [65535, 1],
      ]),
    );
    expect(faultOf(() => scaleBands("a", dark, {}))).toMatchObject({ code: "range-needed" });
    const half = bandsOf(
      spike([
        [0.5, 4999],
        [1, 1],
      ]),
      { depth: "float32" },
    );
    expect(faultOf(() => scaleBands("a", half, {}))).toMatchObject({ code: "range-needed" });
    const bright = bandsOf(
      spike([
        [100, 4900],
        [65535, 100],
      ]),
    );
    expect(scaleBands("a", bright, {}).data[0]).toBe(0);
  });

  it.each<[string, number[], data.PixelDepth, string]>([
    ["from 0", [3, 4010], "uint16", "0,4010"],
    ["from the least below 0", [-7, 4010], "int16", "-7,4010"],
    ["up to a single value", [7, 7], "uint16", "0,7"],
    ["one wide where all is 0", [0, 0], "uint16", "0,1"],
    ["one wide where all is below 0", [-5, -5], "int16", "-5,-4"],
    ["of values below 0", [-9, -5], "int16", "-9,-5"],
    ["of six digits", [0, 1 / 3], "float32", "0,0.333333"],
  ])("proposes a range that has two ends: %s", (_, values, depth, range) => {
    const [low, high] = range.split(",");
    expect(faultOf(() => scaleBands("a.tif", bandsOf(values, { depth }), {}))).toMatchObject({
      code: "range-needed",
      fix: expect.stringContaining(`{ range: [${low}, ${high}] }`),
      commandFix: expect.stringContaining(`--range ${range} `),
    });
  });
});

describe("checkScale", () => {
  const check = (levels: Partial<data.PixelLevels>, scale: data.PixelScale): boolean => {
    const whole = { depth: "uint16", min: 0, max: 4095, missing: 0, clipped: 0, ...levels } as const;
    const fault = faultOf(() => checkScale("a.tif", whole, scale));
    if (fault !== undefined) {
      expect(fault).toMatchObject({
        code: "other-depth",
        commandFix: expect.stringMatching(/^give images of the depth/),
      });
    }
    return fault === undefined;
  };
  const eight = { depth: "uint8", max: 255 } as const;

  it.each<[string, Partial<data.PixelLevels>, data.PixelScale, boolean]>([
    ["nothing is known of the training", { clipped: 1 }, {}, true],
    ["no depth is known", { clipped: 1 }, { range: [0, 9] }, true],
    ["no range is known", { clipped: 1 }, { depths: ["uint8"] }, true],
    ["8 bits were among the depths", eight, { range: [0, 4095], depths: ["uint16", "uint8"] }, true],
    ["8 bits are few of 12", eight, { range: [0, 4095], depths: ["uint16"] }, false],
    ["8 bits stand for the whole of 16", eight, { range: [0, 65535], depths: ["uint16"] }, true],
    ["the range of 16 bits began above 0", eight, { range: [100, 65535], depths: ["uint16"] }, false],
    ["8 bits fill the range", eight, { range: [0, 255], depths: ["uint16"] }, true],
    ["the range began above 0", eight, { range: [10, 255], depths: ["uint16"] }, false],
    ["half of it is clipped", { clipped: 0.5 }, { range: [0, 4095], depths: ["uint16"] }, true],
    ["more than half is clipped", { clipped: 0.51 }, { range: [0, 4095], depths: ["uint16"] }, false],
    ["a dark image is of the same depth", { max: 1 }, { range: [0, 65280], depths: ["uint16"] }, true],
    ["another depth fills one of 255 steps", { max: 256 }, { range: [0, 65280], depths: ["int32"] }, true],
    ["another depth fills less than one", { max: 255 }, { range: [0, 65280], depths: ["int32"] }, false],
    ["it does so far from 0", { min: 1000, max: 1255 }, { range: [0, 65280], depths: ["int32"] }, false],
    ["the range is far from 0", { min: 1000, max: 1010 }, { range: [1000, 3550], depths: ["int32"] }, true],
    ["another depth has one value", { min: 7, max: 7 }, { range: [0, 65280], depths: ["int32"] }, true],
  ])("judges an image where %s", (_, levels, scale, isGood) => {
    expect(check(levels, scale)).toBe(isGood);
  });
});
