import {
  boundPart,
  boxOperand,
  boxParts,
  fits,
  flatOperand,
  flatRanges,
  type ImageWalk,
  imageParts,
  roomOf,
  rowRanges,
  spanOf,
} from "@fcn/kernels";
import { describe, expect, it } from "vitest";

/** 1024 elements a binding, and 960 wherever a part begins. */
const caps = { subgroupSize: 0, bindingLimit: 4096, parallelism: 4 };
const range = (begin: number, end: number) => ({ begin, end });

describe("a part of an operand", () => {
  it("is the operand itself where it is all of it", () => {
    expect(boundPart("x", range(0, 100), 100)).toEqual({ operand: "x", origin: 0 });
    expect(boundPart("x", range(0, 90), 100)).toEqual({
      operand: { operand: "x", byteOffset: 0, byteLength: 360 },
      origin: 0,
    });
    expect(boundPart("x", range(70, 100), 100)).toEqual({
      operand: { operand: "x", byteOffset: 256, byteLength: 144 },
      origin: 64,
    });
  });

  it("of a flat range begins where it begins", () => {
    expect(flatOperand("x", 0, 100, 100)).toBe("x");
    expect(flatOperand("x", 0, 64, 100)).toEqual({ operand: "x", byteOffset: 0, byteLength: 256 });
    expect(flatOperand("x", 64, 100, 100)).toEqual({ operand: "x", byteOffset: 256, byteLength: 144 });
    expect(flatRanges(2048, caps)).toEqual([range(0, 1024), range(1024, 2048)]);
    expect(flatRanges(1025, { ...caps, bindingLimit: 5000 })).toEqual([range(0, 1024), range(1024, 1025)]);
    expect(flatRanges(0, caps)).toEqual([]);
  });

  it("may be as large as a binding, or as what fits wherever it begins", () => {
    expect([1024, 1025].map((elements) => fits(elements, caps))).toEqual([true, false]);
    expect(roomOf(caps)).toBe(960);
    expect(roomOf({ ...caps, bindingLimit: 4099 })).toBe(960);
  });
});

describe("ranges of rows", () => {
  it("are one where all rows fit, and else as long as fits", () => {
    expect(rowRanges(128, 8, caps)).toEqual([range(0, 128)]);
    expect(rowRanges(0, 8, caps)).toEqual([range(0, 0)]);
    expect(rowRanges(240, 8, caps)).toEqual([range(0, 120), range(120, 240)]);
    expect(rowRanges(300, 7, caps, 16)).toEqual([range(0, 128), range(128, 256), range(256, 300)]);
    expect(rowRanges(3, 960, caps)).toEqual([range(0, 1), range(1, 2), range(2, 3)]);
    expect(rowRanges(3, 961, caps)).toEqual([]);
    expect(rowRanges(100, 60, caps, 16)).toHaveLength(7);
    expect(rowRanges(100, 61, caps, 16)).toEqual([]);
  });
});

describe("parts of images", () => {
  const side = (rows: number, length: number) => ({ rows, length });
  const walk: ImageWalk = {
    n: 2,
    steps: 8,
    from: side(8, 240),
    to: side(8, 100),
    reads: (begin, end) => range(begin - 1, end + 1),
  };

  it("are one where both sides fit", () => {
    const small = { ...walk, from: side(8, 64), to: side(8, 50) };
    expect(imageParts(small, caps)).toEqual([{ steps: range(0, 16), from: range(0, 1024), to: range(0, 800) }]);
    expect(imageParts({ ...small, to: side(8, 65) }, caps).length).toBeGreaterThan(1);
  });

  it("are halved until what they read and what they write fits, image by image", () => {
    const parts = imageParts(walk, caps);
    expect(parts.slice(0, 5)).toEqual([
      // Three rows are read at the edge, and four within.
      { steps: range(0, 2), from: range(0, 720), to: range(0, 200) },
      { steps: range(2, 3), from: range(240, 960), to: range(200, 300) },
      { steps: range(3, 5), from: range(480, 1440), to: range(300, 500) },
      { steps: range(5, 8), from: range(960, 1920), to: range(500, 800) },
      { steps: range(8, 10), from: range(1920, 2640), to: range(800, 1000) },
    ]);
    expect(parts[4]).toEqual({ steps: range(8, 10), from: range(1920, 2640), to: range(800, 1000) });
    expect(parts).toHaveLength(8);
  });

  it("may write other rows than a row a step, and read none but padding", () => {
    const doubled = { ...walk, to: side(15, 240), writes: (begin: number, end: number) => range(2 * begin, 2 * end) };
    const parts = imageParts({ ...doubled, reads: () => range(-9, -5) }, caps);
    expect(parts[0]).toEqual({ steps: range(0, 2), from: range(0, 240), to: range(0, 960) });
    expect(parts[4]).toEqual({ steps: range(6, 8), from: range(0, 240), to: range(2880, 3600) });
    const past = imageParts({ ...doubled, reads: () => range(20, 30) }, caps);
    expect(past[0]?.from).toEqual(range(1680, 1920));
  });

  it("are none where a step does not fit", () => {
    expect(imageParts({ ...walk, from: side(8, 320) }, caps)).toHaveLength(12);
    expect(imageParts({ ...walk, from: side(8, 321) }, caps)).toEqual([]);
    expect(imageParts({ ...walk, from: side(8, 1), to: side(8, 960) }, caps)).toHaveLength(16);
    expect(imageParts({ ...walk, from: side(8, 1), to: side(8, 961) }, caps)).toEqual([]);
  });
});

describe("parts of boxes", () => {
  const box = (sizes: number[], strides: number[], offset = 0) => ({ sizes, operands: { x: { strides, offset } } });

  it("are the box where it ends within a binding", () => {
    expect(boxParts(box([32, 32], [32, 1]), caps)).toHaveLength(1);
    expect(boxParts(box([32, 32], [-32, 1], 992), caps)).toHaveLength(1);
    expect(boxParts(box([32, 32], [32, 1], 1), caps).length).toBeGreaterThan(1);
    expect(spanOf([3, 4], [-10, 2])).toBe(27);
    expect(spanOf([3], [])).toBe(1);
  });

  it("are halved along what reaches farthest, in every operand", () => {
    const both = {
      sizes: [3, 100, 2],
      operands: { x: { strides: [1, 20, 0], offset: 5 }, y: { strides: [0, -1], offset: 99 } },
    };
    const parts = boxParts(both, caps);
    expect(parts.map(({ sizes }) => sizes)).toEqual([
      [3, 25, 2],
      [3, 25, 2],
      [3, 25, 2],
      [3, 25, 2],
    ]);
    expect(parts.map(({ operands }) => [operands.x!.offset, operands.y!.offset])).toEqual([
      [5, 99],
      [505, 74],
      [1005, 49],
      [1505, 24],
    ]);
    expect(boxParts({ ...both, sizes: [3, 48, 2] }, caps)).toHaveLength(1);
    expect(boxParts(box([2, 7], [1020, 1]), caps).map(({ sizes }) => sizes)).toEqual([
      [1, 7],
      [1, 7],
    ]);
    expect(boxParts(box([961, 2], [1, 0], 200), caps).map(({ sizes }) => sizes[0])).toEqual([481, 480]);
    expect(boxParts(box([960, 2], [1, 0], 200), caps).map(({ sizes }) => sizes[0])).toEqual([960]);
  });

  it("lie in the operand, or in a part that begins with what they touch first", () => {
    const { operands, sizes } = box([3, 4], [-100, 2], 400);
    expect(boxOperand("x", sizes, operands, true)).toEqual({ operand: "x", strides: [-100, 2], offset: 400 });
    expect(boxOperand("x", sizes, operands, false)).toEqual({
      operand: { operand: "x", byteOffset: 768, byteLength: 860 },
      strides: [-100, 2],
      offset: 208,
    });
  });
});
