import { describe, expect, it } from "vitest";
import { BadPickle } from "../../../../packages/tensor/src/io/pickle/cursor.js";
import {
  extent,
  isNegated,
  rebuildTensor,
  StorageRef,
  StorageType,
  storageOf,
  torchDtypes,
} from "../../../../packages/tensor/src/io/pth/tensors.js";

const dtypes = torchDtypes();
const float32 = dtypes.get("float32")!;
const uint8 = dtypes.get("uint8")!;

it("knows the bytes of PyTorch's dtypes, and which are read", () => {
  const sizes = [...dtypes].map(([key, { name, size, stored }]) => [key === name, name, size, stored]);
  const read = { float64: 8, float32: 4, float16: 2, bfloat16: 2, int64: 8, int32: 4, int16: 2, int8: 1 };
  const more = { uint64: 8, uint32: 4, uint16: 2, uint8: 1, bool: 1 };
  const complex = { complex32: 4, complex64: 8, complex128: 16 };
  const quantised = { qint8: 1, quint8: 1, qint32: 4, quint4x2: 1, quint2x4: 1 };
  const small = { float8_e4m3fn: 1, float8_e5m2: 1, float8_e4m3fnuz: 1, float8_e5m2fnuz: 1 };
  const expected = [
    ...Object.entries({ ...read, ...more }).map(([name, size]) => [true, name, size, name]),
    ...Object.entries({ ...complex, ...quantised, ...small }).map(([name, size]) => [true, name, size, undefined]),
  ];
  expect(sizes.sort()).toEqual(expected.sort());
});

const type = new StorageType("torch.FloatStorage", float32);

describe("a storage", () => {
  it("is made of a persistent id, whole or in part", () => {
    const whole = storageOf(["storage", type, "k", "cpu", 6]);
    expect(whole).toEqual(new StorageRef("k", float32, 6, 0, 6));
    expect(whole.byteLength).toBe(24);
    expect(storageOf(["storage", type, "k", "cpu", 0, null])).toEqual(new StorageRef("k", float32, 0, 0, 0));
    const part = storageOf(["storage", type, "k", "cpu", 6, ["v", 2, 4]]);
    expect(part).toEqual(new StorageRef("k", float32, 4, 2, 6));
    expect(part.byteLength).toBe(24);
  });

  it.each<[string, unknown]>([
    ["text", "storage"],
    ["a tuple of another kind", ["module", type, "k", "cpu", 6]],
    ["no class", ["storage", "FloatStorage", "k", "cpu", 6]],
    ["a key that is no text", ["storage", type, 0, "cpu", 6]],
    ["no length", ["storage", type, "k", "cpu"]],
    ["a negative length", ["storage", type, "k", "cpu", -1]],
    ["a length that is no whole number", ["storage", type, "k", "cpu", 1.5]],
    ["a length beyond all numbers", ["storage", type, "k", "cpu", 2n ** 60n]],
    ["a part that begins before it", ["storage", type, "k", "cpu", 6, ["v", -1, 4]]],
    ["a part of a negative length", ["storage", type, "k", "cpu", 6, ["v", 2, -1]]],
    ["a part that ends behind it", ["storage", type, "k", "cpu", 6, ["v", 2, 5]]],
    ["a part of nothing said", ["storage", type, "k", "cpu", 6, []]],
  ])("is not made of %s", (_, id) => {
    expect(() => storageOf(id)).toThrow(BadPickle);
  });

  it("cannot be called", () => {
    expect(() => type.call([])).toThrow(BadPickle);
  });
});

describe("a tensor", () => {
  const six = new StorageRef("k", float32, 6, 0, 6);
  it.each<[number[], number[], number]>([
    [[2, 3], [3, 1], 0],
    [[3], [2], 1],
    [[], [], 5],
    [[5, 5, 5], [0, 0, 0], 5],
    [[0, 9], [9, 1], 6],
    [[0], [1], 100],
  ])("of shape %j and strides %j lies %i elements into its storage", (shape, strides, offset) => {
    expect(rebuildTensor([six, offset, shape, strides])).toEqual({
      storage: six,
      dtype: float32,
      shape,
      strides,
      offset,
    });
  });

  it("may be of another dtype than its storage, whose bytes count", () => {
    const bytes = new StorageRef("k", uint8, 12, 0, 12);
    expect(rebuildTensor([bytes, 1, [2], [1]], float32).dtype).toBe(float32);
    expect(() => rebuildTensor([bytes, 2, [2], [1]], float32)).toThrow(BadPickle);
    expect(rebuildTensor([six, 0, [24], [1]], uint8).dtype).toBe(uint8);
    expect(rebuildTensor([six, 0, [6], [1]], "float16").dtype).toBe(float32);
  });

  it.each<[string, unknown[]]>([
    ["another storage", ["k", 0, [6], [1]]],
    ["a negative offset", [six, -1, [6], [1]]],
    ["a shape that is no tuple", [six, 0, 6, [1]]],
    ["strides that are no tuple", [six, 0, [], null]],
    ["a stride too few", [six, 0, [2, 3], [1]]],
    ["a stride too many", [six, 0, [6], [1, 1]]],
    ["a negative stride", [six, 5, [6], [-1]]],
    ["one good stride and a bad one", [six, 0, [2, 2], [1, -1]]],
    ["one element too many", [six, 1, [2, 3], [3, 1]]],
    ["a last element behind its end", [six, 0, [2, 2], [5, 1]]],
    ["an offset behind its end", [six, 6, [], []]],
    ["strides beyond all numbers", [six, 0, [3, 3], [2 ** 52, 2 ** 52]]],
  ])("is not made of %s", (_, args) => {
    expect(() => rebuildTensor(args)).toThrow(BadPickle);
  });

  it.each<[number[], number[], number]>([
    [[], [], 1],
    [[2, 3], [3, 1], 6],
    [[2, 3], [1, 5], 12],
    [[1, 1], [100, 100], 1],
    [[4, 0], [9, 9], 0],
    [[2], [2 ** 53 - 2], 2 ** 53 - 1],
    [[2], [2 ** 53], Number.POSITIVE_INFINITY],
  ])("of shape %j and strides %j spans %d elements", (shape, strides, expected) => {
    expect(extent(shape, strides)).toBe(expected);
  });

  it("is negated where its metadata says so", () => {
    expect(
      [new Map([["neg", true]]), new Map([["neg", false]]), new Map(), null, { neg: true }].map(isNegated),
    ).toEqual([...[true, false, false, false, false]]);
  });
});
