import { bilinearKernel } from "@fcn/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const row = (k: number): number[] =>
  Array.from(bilinearKernel(1, 1, k).data.subarray(0, k)).map((w, _, all) => w / sum(all));
const sum = (values: Iterable<number>): number => Array.from(values).reduce((a, b) => a + b, 0);

describe("bilinearKernel", () => {
  it("holds the weights of the paper's code for k = 4 and the first of k = 64", () => {
    const four = [0.25, 0.75, 0.75, 0.25];
    expect(Array.from(bilinearKernel(1, 1, 4).data)).toEqual(four.flatMap((a) => four.map((b) => a * b)));
    const first = bilinearKernel(1, 1, 64).data;
    expect(first[0]).toBeCloseTo((1 / 64) ** 2, 8);
    expect(first[1]).toBeCloseTo((1 / 64) * (3 / 64), 8);
    expect(first[64 + 2]).toBeCloseTo((3 / 64) * (5 / 64), 8);
  });

  it("has the odd kernel of FCN-AlexNet, whose centre weighs 1", () => {
    const { data } = bilinearKernel(1, 1, 63);
    expect(data[31 * 63 + 31]).toBe(1);
    expect(data[0]).toBeCloseTo((1 / 32) ** 2, 8);
  });

  it("writes matching class pairs only", () => {
    const { data, shape, dtype } = bilinearKernel(3, 3, 4);
    expect(dtype).toBe("float32");
    expect(shape).toEqual([3, 3, 4, 4]);
    for (let i = 0; i < 9; i++) {
      expect(sum(data.subarray(i * 16, i * 16 + 16))).toBe(i % 4 === 0 ? 4 : 0);
    }
  });

  it("gives every row the kernel when there is one output channel", () => {
    const { data, shape } = bilinearKernel(5, 1, 4);
    expect(shape).toEqual([5, 1, 4, 4]);
    expect(sum(data)).toBe(20);
    expect(data.subarray(64, 80)).toEqual(data.subarray(0, 16));
  });

  it("upsamples linearly: for stride s = ceil(k / 2) the taps that meet in a pixel sum to 1, and lines stay lines", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 66 }), fc.double({ min: -3, max: 3, noNaN: true }), (k, slope) => {
        const s = Math.ceil(k / 2);
        const weights = row(k).map((w) => w * s);
        const centre = (k - 1) / 2;
        for (let phase = 0; phase < s; phase++) {
          const taps = [phase, phase + s].filter((i) => i < k);
          expect(sum(taps.map((i) => weights[i] ?? 0))).toBeCloseTo(1, 5);
          // Cell j of a ramp has the value slope * j; tap i of cell j lands on pixel j * s + i.
          const value = sum(taps.map((i) => ((slope * (phase - i)) / s) * (weights[i] ?? 0)));
          expect(value).toBeCloseTo((slope * (phase - centre)) / s, 4);
        }
      }),
    );
  });

  it("refuses channel numbers that have no meaning", () => {
    expect(() => bilinearKernel(3, 2, 4)).toThrow(
      "bilinearKernel(3, 2, 4): the number of input and output channels must be the same, or the output channels 1",
    );
    for (const bad of [0, -1, 1.5, Number.NaN]) {
      expect(() => bilinearKernel(2, 2, bad)).toThrow(/^bilinearKernel: kernelSize is .*, expected a whole number/);
      expect(() => bilinearKernel(bad, bad, 4)).toThrow(/inChannels is .*, expected a whole number of at least 1/);
    }
  });
});
