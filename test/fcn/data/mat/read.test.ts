import { constants, deflateRawSync, deflateSync } from "node:zlib";
import { data } from "@fcn/core";
import { describe, expect, it } from "vitest";
import { decodeMatLabels } from "../../../../packages/fcn/src/data/mat/labels.js";

const join = (...parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
const bytes = (...values: number[]) => Uint8Array.from(values);
const word = (value: number) => bytes(value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24);
/** An element, whose content is followed by zeros up to a multiple of 8. */
const element = (type: number, content: Uint8Array, length = content.length) =>
  join(word(type), word(length), content, new Uint8Array((8 - (content.length % 8)) % 8));
/** An element of up to 4 bytes in 8. */
const small = (type: number, ...content: number[]) =>
  join(word(type + content.length * 65536), bytes(...content), new Uint8Array(Math.max(0, 4 - content.length)));
const ints = (...values: number[]) => element(5, join(...values.map(word)));
const text = (value: string) => element(1, new TextEncoder().encode(value));
const [CELL, STRUCT, CHAR, DOUBLE, UINT8, UINT64] = [1, 2, 4, 6, 9, 15];
const content = (matClass: number, shape: number[], name: string, ...parts: Uint8Array[]) =>
  join(element(6, join(word(matClass), word(0))), ints(...shape), text(name), ...parts);
const matrix = (...parts: Parameters<typeof content>) => element(14, content(...parts));
const numbers = (...values: number[]) => matrix(UINT8, [1, values.length], "", element(2, bytes(...values)));
const header = (mark = "IM") => new TextEncoder().encode(`MATLAB 5.0 MAT-file${" ".repeat(105)}\x00\x01${mark}`);
const read = (...parts: Uint8Array[]) => data.readMat("a.mat", join(header(), ...parts));
const one = async (...parts: Uint8Array[]) => (await read(...parts)).get("x");
const corrupt = { code: "corrupt-file" };

describe("readMat", () => {
  it.each<[string, number, Uint8Array, number[]]>([
    ["int8", 1, bytes(0xfe, 3), [-2, 3]],
    ["uint8", 2, bytes(0xfe, 3), [254, 3]],
    ["int16", 3, bytes(0xfe, 0xff, 1, 2), [-2, 513]],
    ["uint16", 4, bytes(0xfe, 0xff, 1, 2), [65534, 513]],
    ["int32", 5, bytes(0xfe, 0xff, 0xff, 0xff), [-2]],
    ["uint32", 6, bytes(0xfe, 0xff, 0xff, 0xff), [2 ** 32 - 2]],
    ["single", 7, bytes(0, 0, 0xc0, 0x3f), [1.5]],
    ["double", 9, bytes(0, 0, 0, 0, 0, 0, 0xf8, 0x3f), [1.5]],
    ["int64", 12, bytes(0xfe, 255, 255, 255, 255, 255, 255, 255), [-2]],
    ["uint64", 13, bytes(0, 0, 0, 0, 0, 0, 0, 1), [2 ** 56]],
    ["UTF-8", 16, bytes(0x41), [65]],
    ["UTF-16", 17, bytes(0x41, 1), [321]],
    ["UTF-32", 18, bytes(0x41, 1, 0, 0), [321]],
  ])("reads numbers stored as %s, in either byte order", async (_, type, content, values) => {
    const little = matrix(DOUBLE, [1, values.length], "x", element(type, content));
    expect(await one(little)).toMatchObject({ kind: "numeric", shape: [1, values.length] });
    const found = (await one(little)) as data.MatNumeric;
    expect([...found.data]).toEqual(values);
    // The same words and values, each with its bytes the other way round.
    const size = content.length / values.length;
    const turn = (part: Uint8Array, width: number) =>
      part.map((_, i) => part[i - (i % width) + width - 1 - (i % width)]!);
    const name = join(turn(word(1), 4), turn(word(1), 4), bytes(0x78, 0, 0, 0, 0, 0, 0, 0));
    const head = turn(join(element(6, join(word(DOUBLE), word(0))), ints(1, values.length)), 4);
    const padding = new Uint8Array((8 - (content.length % 8)) % 8);
    const last = join(turn(join(word(type), word(content.length)), 4), turn(content, size), padding);
    const inner = join(head, name, last);
    const big = join(header("MI"), turn(join(word(14), word(inner.length)), 4), inner);
    const turned = (await data.readMat("a.mat", big)).get("x") as data.MatNumeric;
    expect([...turned.data]).toEqual(values);
  });

  it("reads small elements, of one to four bytes", async () => {
    for (const values of [[1], [1, 2], [1, 2, 3], [1, 2, 3, 4]]) {
      const shape = ints(1, values.length);
      const value = join(element(6, join(word(UINT8), word(0))), shape, small(1, 0x78), small(2, ...values));
      expect(((await one(element(14, value))) as data.MatNumeric).data).toEqual(bytes(...values));
    }
  });

  it.each([DOUBLE, 7, 8, UINT8, 10, 11, 12, 13, 14, UINT64])(
    "takes class %i for numbers, whatever its flags",
    async (matClass) => {
      const value = matrix(matClass + 0x0a00, [2, 1], "x", element(2, bytes(3, 4)));
      expect(await one(value)).toEqual({ kind: "numeric", shape: [2, 1], data: bytes(3, 4) });
    },
  );

  it.each<[number, string]>([
    [3, "object"],
    [5, "sparse array"],
    [16, "function handle"],
  ])("knows class %i, which it does not read", async (matClass, name) => {
    expect(await one(matrix(matClass, [1, 1], "x"))).toEqual({ kind: "other", shape: [1, 1], matClass: name });
  });

  it("knows opaque values, which have no shape", async () => {
    const variables = await read(element(14, element(6, join(word(17), word(0)))));
    expect(variables.get("")).toEqual({ kind: "other", shape: [], matClass: "opaque" });
  });

  it.each<[string, number[], string, string]>([
    ["one row", [1, 3], "abc", "abc"],
    ["rows", [2, 3], "adbecf", "abc\ndef"],
    ["pages beside each other", [1, 2, 2], "abcd", "abcd"],
    ["no columns", [2, 0], "", ""],
    ["no rows", [0, 2], "", ""],
    ["more letters than it shows", [1, 2], "abc", "ab"],
  ])("reads text of %s", async (_, shape, letters, expected) => {
    expect(await one(matrix(CHAR, shape, "x", text(letters)))).toEqual({ kind: "text", shape, text: expected });
  });

  it("reads letters beyond 16 bits, and none beyond Unicode", async () => {
    const letters = element(18, join(word(0x1f600), word(0xffffffff)));
    expect(await one(matrix(CHAR, [1, 2], "x", letters))).toMatchObject({ text: "\u{1f600}\u{10ffff}" });
  });

  it("reads cells and structs", async () => {
    const cells = matrix(CELL, [1, 2], "x", numbers(1), element(14, new Uint8Array(0)));
    const none = { kind: "numeric", shape: [0, 0], data: new Uint8Array(0) };
    const value = (n: number) => ({ kind: "numeric", shape: [1, 1], data: bytes(n) });
    expect(await one(cells)).toEqual({ kind: "cell", shape: [1, 2], cells: [value(1), none] });
    const names = text("a\0\0\0bc\0\0");
    const struct = matrix(STRUCT, [1, 2], "x", small(5, 4, 0, 0, 0), names, ...[1, 2, 3, 4].map((n) => numbers(n)));
    expect(await one(struct)).toEqual({
      ...{ kind: "struct", shape: [1, 2] },
      elements: [
        { a: value(1), bc: value(2) },
        { a: value(3), bc: value(4) },
      ],
    });
    for (const length of [0, 4]) {
      const empty = matrix(
        STRUCT,
        [1, 3],
        "x",
        small(5, length, 0, 0, 0),
        text(""),
        numbers(1),
        numbers(1),
        numbers(1),
      );
      expect(await one(empty)).toEqual({ kind: "struct", shape: [1, 3], elements: [] });
    }
    const half = matrix(STRUCT, [1, 1], "x", small(5, 4, 0, 0, 0), text("a\0\0\0b"), numbers(1));
    expect(await one(half)).toMatchObject({ elements: [{ a: value(1) }] });
  });

  it("takes names up to their end, without their zeros", async () => {
    const value = element(2, bytes(1));
    const named = await read(matrix(UINT8, [1, 1], "ab\0cd", value), matrix(UINT8, [1, 1], "y".repeat(5000), value));
    expect([...named.keys()]).toEqual(["ab", "y".repeat(4096)]);
    expect([...(await read(matrix(UINT8, [1, 1], "\0z", value))).keys()]).toEqual([""]);
    expect([...(await read(element(14, bytes()))).keys()]).toEqual([""]);
  });

  it("reads variables that are compressed, and skips what is no variable", async () => {
    const packed = (part: Uint8Array) => {
      const compressed = deflateSync(part);
      return join(word(15), word(compressed.length), compressed);
    };
    const [x, y] = ["x", "y"].map((name) => matrix(UINT8, [1, 1], name, element(2, bytes(7)))) as [
      Uint8Array,
      Uint8Array,
    ];
    expect([...(await read(packed(x), packed(element(5, word(1))), element(2, new Uint8Array(8)), y)).keys()]).toEqual([
      "x",
      "y",
    ]);
    await expect(read(join(word(15), word(8), new Uint8Array(8)))).rejects.toMatchObject(corrupt);
    await expect(read(packed(word(14)))).rejects.toMatchObject(corrupt);
  });

  it("unpacks 64 MiB and no more", async () => {
    const flush = { finishFlush: constants.Z_FULL_FLUSH };
    const zeros = new Uint8Array(2 ** 20);
    const rest = deflateRawSync(zeros, flush);
    const bomb = join(deflateSync(zeros, flush), ...Array.from({ length: 64 }, () => rest));
    await expect(read(join(word(15), word(bomb.length), bomb))).rejects.toMatchObject(corrupt);
  });

  it("reads what ends in less than the head of an element", async () => {
    expect((await read(new Uint8Array(7))).size).toBe(0);
    expect((await read()).size).toBe(0);
  });

  it("nests 32 deep and no deeper", async () => {
    const nested = (depth: number): Uint8Array =>
      depth === 0 ? numbers(1) : matrix(CELL, [1, 1], "x", nested(depth - 1));
    expect(await one(nested(32))).toMatchObject({ kind: "cell" });
    await expect(one(nested(33))).rejects.toMatchObject(corrupt);
  });

  const three = element(2, bytes(1, 2, 3));
  it.each<[string, Uint8Array]>([
    ["a variable that reaches out", element(14, content(UINT8, [1, 3], "x", three), 1000)],
    ["a variable a byte longer than its file", join(word(14), word(9), new Uint8Array(8))],
    ["a variable without a shape", element(14, element(6, join(word(UINT8), word(0))))],
    ["a variable without values", matrix(UINT8, [1, 3], "x")],
    ["a small element of five bytes", element(14, join(word(6 + 5 * 65536), word(UINT8)))],
    [
      "a small element of five bytes, with more behind it",
      element(14, join(content(UINT8, [1, 5], "x"), word(2 + 5 * 65536), bytes(1, 2, 3, 4), new Uint8Array(8))),
    ],
    ["a negative number of cells", matrix(CELL, [-1, 3], "x")],
    ["an empty struct behind its end", matrix(STRUCT, [1, 1], "x", small(5, 2, 0, 0, 0), text(""))],
    [
      "two empty structs where there is room for one",
      matrix(STRUCT, [1, 2], "x", small(5, 2, 0, 0, 0), text(""), new Uint8Array(8)),
    ],
    ["one size", matrix(UINT8, [3], "x", three)],
    ["no size", matrix(UINT8, [], "x", three)],
    ["a negative size", matrix(UINT8, [-1, -3], "x", three)],
    ["sizes beyond 2^53", matrix(CELL, [2 ** 30, 2 ** 30], "x")],
    ["a value too few", matrix(UINT8, [1, 4], "x", three)],
    ["a value too many", matrix(UINT8, [1, 2], "x", three)],
    ["half a value", matrix(UINT8, [1, 1], "x", element(3, bytes(1, 2, 3)))],
    ["a matrix for numbers", matrix(UINT8, [1, 3], "x", element(14, three))],
    ["a property of objects for its type", matrix(UINT8, [1, 3], "x", element(8, bytes(1, 2, 3)))],
    ["class 0", matrix(0, [1, 1], "x", three)],
    ["class 18", matrix(18, [1, 1], "x", three)],
    ["a letter too few", matrix(CHAR, [2, 2], "x", text("abc"))],
    ["a cell of numbers", matrix(CELL, [1, 1], "x", three)],
    ["a cell too few", matrix(CELL, [1, 2], "x", numbers(1))],
    ["cells beyond its room", matrix(CELL, [2 ** 20, 2 ** 20], "x", numbers(1))],
    ["a field too few", matrix(STRUCT, [1, 1], "x", small(5, 2, 0, 0, 0), text("a\0b\0"), numbers(1))],
    ["structs beyond its room", matrix(STRUCT, [2 ** 20, 2 ** 20], "x", small(5, 2, 0, 0, 0), text("a\0"))],
    ["empty structs beyond its room", matrix(STRUCT, [2 ** 20, 2 ** 20], "x", small(5, 2, 0, 0, 0), text(""))],
  ])("refuses %s", async (_, variable) => {
    await expect(read(variable)).rejects.toMatchObject(corrupt);
  });

  it("takes as many cells as there is room for", async () => {
    const empty = element(14, new Uint8Array(0));
    expect(await one(matrix(CELL, [1, 3], "x", empty, empty, empty))).toMatchObject({ shape: [1, 3] });
  });

  it.each<[string, string, Uint8Array]>([
    ["version 7.3", "unsupported-file", new TextEncoder().encode(`MATLAB 7.3 MAT-file${" ".repeat(107)}IM`)],
    ["HDF5", "unsupported-file", bytes(0x89, 0x48, 0x44, 0x46, 0x0d)],
    ["127 bytes of a header", "corrupt-file", header().subarray(0, 127)],
    ["another mark", "corrupt-file", header("XM")],
    ["half a mark", "corrupt-file", header("IX")],
    ["another beginning", "corrupt-file", new Uint8Array(128).fill(0x20)],
    ["nothing", "corrupt-file", bytes()],
  ])("refuses %s", async (_, code, file) => {
    await expect(data.readMat("a.mat", file)).rejects.toMatchObject({ code });
  });

  it("asks for no words at the beginning, where the mark is there", async () => {
    expect((await data.readMat("a.mat", join(new Uint8Array(126), bytes(0x49, 0x4d)))).size).toBe(0);
  });
});

describe("decodeMatLabels", () => {
  const rule: data.LabelRule = { by: "value", labels: Array.from({ length: 8 }, (_, i) => [i, i]) };
  const decode = (path: string[], ...parts: Uint8Array[]) =>
    decodeMatLabels("a.mat", join(header(), ...parts), path, rule);
  const matrixOf = (...values: number[]) =>
    matrix(DOUBLE, [2, values.length / 2], "x", element(9, new Uint8Array(Float64Array.from(values).buffer)));

  it("reads column after column", async () => {
    const plane = await decode(["x"], matrixOf(0, 1, 2, 3, 4, 5));
    expect([plane.height, plane.width, [...plane.labels]]).toEqual([2, 3, [0, 2, 4, 1, 3, 5]]);
  });

  it.each([0.5, Number.NaN, 2 ** 31, Number.POSITIVE_INFINITY])("refuses the label %d", async (value) => {
    await expect(decode(["x"], matrixOf(0, 1, value, 3))).rejects.toMatchObject({
      code: "label-out-of-range",
      message: expect.stringContaining("column 1, row 0"),
    });
  });

  const field = (value: Uint8Array, name = "a") =>
    matrix(STRUCT, [1, 1], "x", small(5, 8, 0, 0, 0), text(name.padEnd(8, "\0")), value);
  it("takes the variable without a name where none is named", async () => {
    expect([...(await decode([], numbers(1, 2))).labels]).toEqual([1, 2]);
  });

  it("follows fields", async () => {
    expect([...(await decode(["x", "a"], field(numbers(1, 2)))).labels]).toEqual([1, 2]);
  });

  it.each<[string, string[], Uint8Array]>([
    ["another variable", ["y"], matrixOf(0, 1)],
    ["no variable", ["x"], new Uint8Array(0)],
    ["no path", [], matrixOf(0, 1)],
    ["another field", ["x", "b"], field(numbers(1))],
    ["a field of numbers", ["x", "a"], matrixOf(0, 1)],
    ["a field of objects", ["x", "toString"], field(numbers(1))],
    ["a field of no structs", ["x", "a"], matrix(STRUCT, [0, 0], "x", small(5, 8, 0, 0, 0), text("a".padEnd(8, "\0")))],
    ["text", ["x"], matrix(CHAR, [1, 1], "x", text("a"))],
    ["a cube", ["x"], matrix(UINT8, [1, 1, 2], "x", element(2, bytes(1, 2)))],
    ["an empty matrix", ["x"], matrix(UINT8, [0, 2], "x", element(2, bytes()))],
  ])("refuses %s", async (_, path, variable) => {
    await expect(decode(path, variable)).rejects.toMatchObject(corrupt);
  });

  it("names what is there instead", async () => {
    await expect(decode(["y"], matrixOf(0, 1), field(numbers(1)))).rejects.toThrow("its variables are x");
    await expect(decode(["y"])).rejects.toThrow("its variables are none");
    await expect(decode(["x", "b"], field(numbers(1)))).rejects.toThrow("the fields there are a");
    await expect(decode(["x", "b"], matrixOf(0, 1))).rejects.toThrow("the fields there are none");
    await expect(decode(["x", "b"], field(numbers(1)))).rejects.toThrow("label matrix x.b");
  });
});
