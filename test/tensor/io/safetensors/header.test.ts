import { describe, expect, it } from "vitest";
import { withSource } from "../../../../packages/tensor/src/io/files/source.js";
import { encodeHeader, readHeader } from "../../../../packages/tensor/src/io/safetensors/header.js";
import { isSafetensors } from "../../../../packages/tensor/src/io/safetensors/safetensors.js";
import { refusal } from "../../../support/refusals.js";

const read = (file: Uint8Array) => withSource("test", file, readHeader);
/** A file of this header, which claims `more` bytes beyond its own, and so many bytes of data. */
function fileOf(header: unknown, dataLength: number, more = 0): Uint8Array {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + dataLength);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length + more), true);
  bytes.set(json, 8);
  return bytes;
}
const f32 = (shape: unknown, from: unknown, to: unknown) => ({ dtype: "F32", shape, data_offsets: [from, to] });

describe("readHeader", () => {
  it("tells where each tensor lies", async () => {
    const header = { b: f32([1, 2], 4, 12), __metadata__: { x: "y" }, a: f32([], 0, 4), c: f32([0], 12, 12) };
    const begin = fileOf(header, 0).length;
    const entry = (name: string, shape: number[], from: number, to: number) => ({
      ...{ name, dtype: "float32", stored: "F32", shape },
      ...{ begin: begin + from, end: begin + to },
    });
    expect(await read(fileOf(header, 12))).toEqual({
      entries: [entry("b", [1, 2], 4, 12), entry("a", [], 0, 4), entry("c", [0], 12, 12)],
      metadata: { x: "y" },
    });
    expect(await read(fileOf({}, 0))).toEqual({ entries: [], metadata: {} });
    // Empty tensors may lie where others begin.
    const empty = { a: f32([1], 0, 4), b: f32([0], 0, 0), c: f32([0], 4, 4) };
    expect((await read(fileOf(empty, 4))).entries).toHaveLength(3);
  });

  it.each<[string, string | undefined, number]>([
    ["F64", "float64", 8],
    ["F32", "float32", 4],
    ["F16", "float16", 2],
    ["BF16", "bfloat16", 2],
    ["I64", "int64", 8],
    ["I32", "int32", 4],
    ["I16", "int16", 2],
    ["I8", "int8", 1],
    ["U64", "uint64", 8],
    ["U32", "uint32", 4],
    ["U16", "uint16", 2],
    ["U8", "uint8", 1],
    ["BOOL", "bool", 1],
    ["BF32", undefined, 4],
    ["C64", undefined, 8],
    ["C128", undefined, 16],
    ["F8_E4M3", undefined, 1],
    ["F8_E5M2", undefined, 1],
  ])("knows the bytes of %s", async (stored, dtype, size) => {
    const header = (length: number) => ({ a: { dtype: stored, shape: [3], data_offsets: [0, length] } });
    expect((await read(fileOf(header(3 * size), 3 * size))).entries).toMatchObject([{ dtype, stored, shape: [3] }]);
    for (const length of [3 * size - 1, 3 * size + 1]) {
      expect((await refusal(read(fileOf(header(length), length)))).code).toBe("corrupt-file");
    }
  });

  it.each<[string, number]>([
    ["F4", 2],
    ["F6_E2M3", 3],
  ])("rounds numbers of less than a byte up: %s", async (stored, length) => {
    const header = { a: { dtype: stored, shape: [3], data_offsets: [0, length] } };
    expect((await read(fileOf(header, length))).entries).toMatchObject([{ dtype: undefined, stored }]);
  });

  it.each(["toString", "X", "F1234", "8F8", "F8-x", "f8"])("asks no size of the unknown dtype %s", async (stored) => {
    const header = { a: { dtype: stored, shape: [3], data_offsets: [0, 7] } };
    expect((await read(fileOf(header, 7))).entries).toMatchObject([{ dtype: undefined, stored }]);
  });

  it.each<[string, Uint8Array]>([
    ["7 bytes", new Uint8Array(7)],
    ["8 zeros", new Uint8Array(8)],
    ["a header that ends a byte behind it", fileOf("{}", 0, 1)],
    ["a header of 100 MB and a byte", fileOf("{}", 0, 1e8 - 1)],
    ["text that is no UTF-8", fileOf('{"__metadata__": {"a": "b"}}', 0).fill(0xff, 27, 28)],
    ["null", fileOf("null", 0)],
    ["a number", fileOf("1", 0)],
    ["a text", fileOf('"a"', 0)],
    ["a list", fileOf("[]", 0)],
    ["metadata that are a list", fileOf({ __metadata__: [] }, 0)],
    ["metadata that are null", fileOf({ __metadata__: null }, 0)],
    ["metadata of a text and a number", fileOf({ __metadata__: { a: "b", c: 1 } }, 0)],
    ["an entry that is a number", fileOf({ a: 1 }, 0)],
    ["an entry that is null", fileOf({ a: null }, 0)],
    ["an entry that is a list", fileOf({ a: [] }, 0)],
    ["no shape", fileOf({ a: { dtype: "F32", data_offsets: [0, 4] } }, 4)],
    ["a shape of texts", fileOf({ a: f32(["1"], 0, 4) }, 4)],
    ["a shape that is a number", fileOf({ a: f32(1, 0, 4) }, 4)],
    ["no offsets", fileOf({ a: { dtype: "F32", shape: [] } }, 0)],
    ["one offset", fileOf({ a: { dtype: "F32", shape: [], data_offsets: [4] } }, 4)],
    ["three offsets", fileOf({ a: { dtype: "F32", shape: [], data_offsets: [0, 4, 4] } }, 4)],
    ["offsets that are an object", fileOf({ a: { dtype: "F32", shape: [], data_offsets: { length: 2 } } }, 4)],
    ["a negative offset", fileOf({ a: f32([2], -4, 4) }, 4)],
    ["a broken offset", fileOf({ a: f32([], 0.5, 4.5) }, 4)],
    ["a text for an offset", fileOf({ a: f32([], 0, "4") }, 4)],
    ["an unknown dtype the wrong way round", fileOf({ a: { dtype: "X", shape: [], data_offsets: [4, 0] } }, 4)],
    ["no dtype", fileOf({ a: { shape: [], data_offsets: [0, 4] } }, 4)],
    ["a dtype that is a number", fileOf({ a: { dtype: 32, shape: [], data_offsets: [0, 4] } }, 4)],
    ["a tensor that ends a byte behind it", fileOf({ a: f32([1], 0, 4) }, 3)],
    ["a hole at the beginning", fileOf({ a: f32([1], 4, 8) }, 8)],
    ["a hole of one byte", fileOf({ a: f32([1], 0, 4), b: f32([1], 5, 9) }, 9)],
    ["a byte in two tensors", fileOf({ a: f32([1], 0, 4), b: f32([1], 3, 7) }, 7)],
    ["one tensor in two names", fileOf({ a: f32([1], 0, 4), b: f32([1], 0, 4) }, 4)],
    ["a byte behind its tensors", fileOf({ a: f32([1], 0, 4) }, 5)],
    ["data without tensors", fileOf({}, 1)],
  ])("refuses %s", async (_, file) => {
    expect((await refusal(read(file))).code).toBe("corrupt-file");
  });

  it.each<[string, unknown, string]>([
    ["missing", undefined, "missing"],
    ["a number", 5, "number"],
    ["of texts and more", ["1", null, 3], "[string, object, 3]"],
  ])("shows a shape that is %s", async (_, shape, shown) => {
    expect((await refusal(read(fileOf({ a: f32(shape, 0, 4) }, 4)))).message).toContain(`its shape is ${shown}`);
  });

  it.each<[unknown[], string]>([
    [[-4, 4], "[-4, 4]"],
    [[0.5, 4.5], "[0.5, 4.5]"],
    [[0, "4"], "[0, string]"],
    [[4], "[4]"],
  ])("shows the offsets %j", async (offsets, shown) => {
    const error = await refusal(read(fileOf({ a: { dtype: "F32", shape: [1], data_offsets: offsets } }, 4)));
    expect(error.message).toContain(`its data_offsets are ${shown}`);
  });

  it("reads a header of 100 MB and no longer one", async () => {
    const readsOf = async (length: number) => {
      const reads: [number, number][] = [];
      const read = async (begin: number, end: number) => {
        reads.push([begin, end]);
        return begin === 0 ? BigUint64Array.of(BigInt(length)).buffer : new ArrayBuffer(0);
      };
      const error = await refusal(readHeader({ reader: "test", file: "a", size: 3e8, read }));
      return [error.code, ...reads];
    };
    expect(await readsOf(1e8)).toEqual(["corrupt-file", [0, 8], [8, 8 + 1e8]]);
    expect(await readsOf(1e8 + 1)).toEqual(["corrupt-file", [0, 8]]);
  });

  it("names the tensors and bytes that overlap or are left", async () => {
    const message = async (tensors: Record<string, unknown>, size: number) =>
      (await refusal(read(fileOf(tensors, size)))).message;
    const begin = (tensors: Record<string, unknown>) => fileOf(tensors, 0).length;
    const inside = { a: f32([4], 0, 16), b: f32([1], 4, 8) };
    expect(await message(inside, 16)).toContain(`bytes ${begin(inside) + 4} to ${begin(inside) + 8} belong to both`);
    const across = { a: f32([2], 0, 8), b: f32([2], 4, 12) };
    expect(await message(across, 12)).toContain(`bytes ${begin(across) + 4} to ${begin(across) + 8} belong to both`);
    expect(await message({ a: f32([1], 4, 8) }, 8)).toContain("between the header and a");
    expect(await message({ a: f32([1], 0, 4) }, 7)).toContain("3 bytes after a");
    expect(await message({ a: f32([], 4, 0) }, 4)).toContain("hold -4 bytes");
  });
});

describe("isSafetensors", () => {
  const start = [1, 2, 3, 4, 5, 0, 0, 0, 0x7b];
  it("takes a length below 2^40 and a brace", () => {
    expect(isSafetensors(Uint8Array.from(start))).toBe(true);
    for (const at of [5, 6, 7, 8])
      expect([at, isSafetensors(Uint8Array.from(start.map((byte, i) => (i === at ? 1 : byte))))]).toEqual([at, false]);
    expect(isSafetensors(Uint8Array.from(start.slice(0, 8)))).toBe(false);
    expect(isSafetensors(new Uint8Array(0))).toBe(false);
  });
});

describe("encodeHeader", () => {
  it.each([0, 1, 2, 3, 4, 5, 6, 7])("is padded to a multiple of 8 with %i letters more", async (more) => {
    const name = "x".repeat(more);
    const bytes = encodeHeader([{ name, dtype: "int64", shape: [0, 4] }], { a: "é" });
    expect(bytes.length % 8).toBe(0);
    const json = JSON.stringify({
      __metadata__: { a: "é" },
      [name]: { dtype: "I64", shape: [0, 4], data_offsets: [0, 0] },
    });
    expect(new TextDecoder().decode(bytes.subarray(8)).trimEnd()).toBe(json);
    expect(bytes.length - 8 - new TextEncoder().encode(json).length).toBeLessThan(8);
    expect(await read(bytes)).toMatchObject({ entries: [{ name }], metadata: { a: "é" } });
  });
});
