import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { io, TensorError } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readGolden } from "../../../support/golden.js";
import { refusal } from "../../../support/refusals.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "safetensors-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** A file by hand: any header, any data. */
function fileOf(header: unknown, dataLength: number): Uint8Array {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + dataLength);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

/** Ten bytes that claim a header of any length. */
function lengthOnly(length: bigint): Uint8Array {
  const bytes = new Uint8Array(10).fill(0x7b);
  new DataView(bytes.buffer).setBigUint64(0, length, true);
  return bytes;
}

const numbers = (array: io.HostArray | undefined) => Array.from(array?.data as Float32Array);
const f32 = (shape: number[], from: number, to: number) => ({ dtype: "F32", shape, data_offsets: [from, to] });

describe("readSafetensors", () => {
  it("reads a file of another writer", async () => {
    const path = new URL("../../../golden/optimisers.safetensors", import.meta.url);
    const own = await io.readSafetensors(path);
    const golden = readGolden("optimisers");
    expect(Object.keys(own).sort()).toEqual([...golden.tensors.keys()].sort());
    for (const [name, { data, shape }] of golden.tensors) {
      expect(own[name]).toMatchObject({ dtype: "float32", shape });
      expect(numbers(own[name])).toEqual(Array.from(data));
    }
    expect(await io.readSafetensorsMetadata(path)).toEqual(golden.metadata);
  });

  it("widens half precision exactly", async () => {
    const file = fileOf(
      {
        half: { dtype: "F16", shape: [6], data_offsets: [0, 12] },
        brain: { dtype: "BF16", shape: [2], data_offsets: [12, 16] },
      },
      16,
    );
    const half = [0x3c00, 0xc000, 0x0001, 0x7bff, 0x8000, 0xfc00, 0x3f80, 0xc120];
    const view = new DataView(file.buffer, file.length - 16);
    half.forEach((bits, i) => {
      view.setUint16(2 * i, bits, true);
    });
    const read = await io.readSafetensors(file);
    expect(numbers(read.half)).toEqual([1, -2, 2 ** -24, 65504, -0, Number.NEGATIVE_INFINITY]);
    expect(numbers(read.brain)).toEqual([1, -10]);
    expect(read.half?.dtype).toBe("float32");
  });

  it("widens each of the 65536 halves by their definition", async () => {
    const file = fileOf({ half: { dtype: "F16", shape: [65536], data_offsets: [0, 131072] } }, 131072);
    const view = new DataView(file.buffer, file.length - 131072);
    for (let bits = 0; bits < 65536; bits++) view.setUint16(2 * bits, bits, true);
    const wanted = Array.from({ length: 65536 }, (_, bits) => {
      const [exponent, fraction] = [(bits >> 10) & 31, (bits & 1023) / 1024];
      if (exponent === 31 && fraction > 0) return Number.NaN;
      const size =
        exponent === 31
          ? Number.POSITIVE_INFINITY
          : 2 ** Math.max(exponent - 15, -14) * (Number(exponent > 0) + fraction);
      return bits < 32768 ? size : -size;
    });
    expect(numbers((await io.readSafetensors(file)).half)).toEqual(wanted);
  });

  it.each<[string, Uint8Array, string]>([
    ["too short", new Uint8Array(5), "it has 5 bytes, but a safetensors file has at least 8"],
    ["a header longer than the file", fileOf("{}", 0).fill(9, 0, 1), "its header claims to have 9 bytes"],
    ["a header that is no JSON", fileOf("{nonsense", 0), "its header is not JSON"],
    ["a header that is a list", fileOf("[1]", 0), "its header is not a JSON object"],
    ["a negative size", fileOf({ a: f32([-1], 0, 4) }, 4), "tensor a: its shape is [-1]"],
    ["a size that does not fit", fileOf({ a: f32([3], 0, 8) }, 8), "shape [3] of F32 needs 12 bytes"],
    ["missing data", fileOf({ a: f32([3], 0, 12) }, 11), "tensor a: it ends at byte"],
    ["overlaps", fileOf({ a: f32([2], 0, 8), b: f32([2], 4, 12) }, 12), "tensors a and b overlap"],
    ["holes", fileOf({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12), "between a and b belong to no tensor"],
    ["data at its end", fileOf({ a: f32([1], 0, 4) }, 8), "4 bytes after a belong to no tensor"],
    ["metadata of numbers", fileOf({ __metadata__: { a: 1 } }, 0), "its __metadata__ is not a record of strings"],
  ])("refuses a file with %s", async (_, file, problem) => {
    const error = await io.readSafetensors(file).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(TensorError);
    expect(error).toMatchObject({ code: "corrupt-file" });
    expect((error as TensorError).message).toContain(`readSafetensors: the given bytes: `);
    expect((error as TensorError).message).toContain(problem);
  });

  const deep = `{"a": {"dtype": "F32", "shape": ${"[".repeat(200_000)}1${"]".repeat(200_000)}, "data_offsets": [0, 4]}}`;
  const scalar = f32([], 0, 4);
  it.each<[string, Uint8Array, string]>([
    ["a header of 4 GiB", lengthOnly(2n ** 32n), "its header claims to have 4294967296 bytes, but the file has 10"],
    ["a header of 2^64 - 1", lengthOnly(2n ** 64n - 1n), "its header claims to have 18446744073709552000 bytes"],
    ["a header that nests deeply", fileOf(deep, 4), "its header nests deeper than 3 levels"],
    ["a header of brackets", fileOf("[".repeat(1_000_000), 0), "its header nests deeper than 3 levels"],
    ["a string without end", fileOf(`{"${'\\"'.repeat(300_000)}`, 0), "its header is not JSON"],
    ["a name twice", fileOf(`{"a": ${JSON.stringify(scalar)}, "a": ${JSON.stringify(scalar)}}`, 4), "the name a twice"],
    [
      "a name in two spellings",
      fileOf(`{"a": ${JSON.stringify(scalar)}, "\\u0061": ${JSON.stringify(scalar)}}`, 4),
      "the name a twice",
    ],
    [
      "a field twice",
      fileOf('{"a": {"dtype": "F32", "dtype": "I32", "shape": [], "data_offsets": [0, 4]}}', 4),
      "the name dtype twice",
    ],
    [
      "65 dimensions",
      fileOf({ a: f32(Array(65).fill(1), 0, 4) }, 4),
      "tensor a: its shape is [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 and 53 more]",
    ],
    [
      "sizes beyond 2^53",
      fileOf({ a: f32([2 ** 40, 2 ** 40], 0, 4) }, 4),
      "tensor a: its shape is [1099511627776, 1099511627776]",
    ],
    ["sizes that overflow to the right number", fileOf({ a: f32([2 ** 32, 2 ** 32 + 1], 0, 4) }, 4), "its shape is"],
    ["offsets the wrong way round", fileOf({ a: f32([], 4, 0) }, 4), "its data_offsets [4, 0] hold -4"],
    [
      "offsets that are no numbers",
      fileOf({ a: { dtype: "F32", shape: [], data_offsets: "04" } }, 4),
      "its data_offsets are string",
    ],
    ["offsets far away", fileOf({ a: f32([], 2 ** 50, 2 ** 50 + 4) }, 4), "but the file has"],
    ["one tensor inside another", fileOf({ a: f32([4], 0, 16), b: f32([1], 4, 8) }, 16), "tensors a and b overlap"],
    ["an empty tensor inside another", fileOf({ a: f32([2], 0, 8), b: f32([0], 4, 4) }, 8), "tensors a and b overlap"],
    [
      "a name that would write to the terminal",
      fileOf({ "a\u001b[2J": f32([9], 0, 4) }, 4),
      "tensor a\\u001b[2J: shape [9]",
    ],
    ["a long name", fileOf({ ["x".repeat(100_000)]: f32([9], 0, 4) }, 4), `tensor ${"x".repeat(80)}...: shape [9]`],
  ])("refuses a file with %s", async (_, file, problem) => {
    const error = await refusal(io.readSafetensors(file));
    expect(error.code).toBe("corrupt-file");
    expect(error.message).toContain(problem);
  });

  it("takes names of Object.prototype as names, and tensors without elements", async () => {
    const header = `{"__proto__": ${JSON.stringify(scalar)}, "constructor": ${JSON.stringify(f32([1], 4, 8))}, "none": ${JSON.stringify(f32([0, 3], 4, 4))}}`;
    const read = await io.readSafetensors(fileOf(header, 8));
    expect(Object.keys(read)).toEqual(["__proto__", "constructor", "none"]);
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
    expect(read.none).toEqual({ dtype: "float32", shape: [0, 3], data: new Float32Array(0) });
    expect(await io.readSafetensors(await io.encodeSafetensors(read))).toEqual(read);
  });

  it("refuses every truncation of a good file", async () => {
    const whole = await io.encodeSafetensors({ a: { dtype: "float32", shape: [2, 3], data: new Float32Array(6) } });
    for (let length = 0; length < whole.length; length++) {
      await expect(io.readSafetensors(whole.slice(0, length))).rejects.toMatchObject({ code: "corrupt-file" });
    }
  });

  it("names a path that it cannot read", async () => {
    await expect(io.readSafetensors(join(folder, "absent"))).rejects.toMatchObject({ code: "unreadable-file" });
    await expect(io.readSafetensors(folder)).rejects.toMatchObject({ code: "unreadable-file" });
    const unknown = fileOf({ a: { dtype: "F8_E4M3", shape: [1], data_offsets: [0, 1] } }, 1);
    await expect(io.readSafetensors(unknown)).rejects.toMatchObject({ code: "unsupported-file" });
  });
});

describe("tensors that cannot be read", () => {
  it("are left out, and told by name", async () => {
    const header = { a: f32([1], 0, 4), b: { dtype: "F8_E4M3", shape: [1], data_offsets: [4, 5] } };
    const skipped: string[] = [];
    const read = await io.readSafetensors(fileOf(header, 5), { onSkipped: (name) => skipped.push(name) });
    expect([Object.keys(read), skipped]).toEqual([["a"], ["b"]]);
  });
});

describe("messages of safetensors", () => {
  it("name the function that was called", async () => {
    const bad = { a: { dtype: "float32", shape: [3], data: new Float32Array(2) } } as const;
    const [read, metadata, write, whole, encode] = await Promise.all([
      refusal(io.readSafetensors(new Uint8Array(5))),
      refusal(io.readSafetensorsMetadata(new Uint8Array(5))),
      refusal(io.writeSafetensors(join(folder, "bad"), bad)),
      refusal(io.writeSafetensors(join(folder, "no", "w"), {})),
      refusal(io.encodeSafetensors(bad)),
    ]);
    for (const { message } of [read!, metadata!]) expect(message).toMatch(/^readSafetensors: /);
    for (const { message } of [write!, whole!]) expect(message).toMatch(/^writeSafetensors: /);
    expect(encode!.message).toMatch(/^encodeSafetensors: /);
  });
});

describe("encodeSafetensors", () => {
  it("refuses data of another type than the dtype, and metadata that is no string", async () => {
    const write = (dtype: io.HostDtype, data: io.HostData) =>
      io.encodeSafetensors({ a: { dtype, shape: [1], data } }).then(() => "written");
    await expect(write("int32", Float32Array.of(1))).rejects.toMatchObject({
      code: "invalid-argument",
      message: expect.stringContaining("its dtype is int32, its data a Float32Array"),
    });
    await expect(write("uint32", Int32Array.of(1))).rejects.toMatchObject({ code: "invalid-argument" });
    await expect(write("int8", Uint8Array.of(1))).rejects.toMatchObject({ code: "invalid-argument" });
    expect(await write("bool", Uint8Array.of(1))).toBe("written");
    const metadata = { epoch: 3 } as unknown as Record<string, string>;
    await expect(io.encodeSafetensors({}, { metadata })).rejects.toMatchObject({
      code: "invalid-argument",
      message: expect.stringContaining("the metadata epoch is a number"),
    });
  });

  it("writes the widest values first, each in its own bytes, and leaves what it is given as it is", async () => {
    const record = {
      flag: { dtype: "bool", shape: [1], data: Uint8Array.of(1) },
      wide: { dtype: "float64", shape: [], data: Float64Array.of(1.5) },
      half: { dtype: "int16", shape: [2, 1], data: Int16Array.of(2, 3) },
      long: { dtype: "int64", shape: [1], data: BigInt64Array.of(4n) },
    } as const;
    const file = await io.encodeSafetensors(record);
    const length = Number(new DataView(file.buffer).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    expect(JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)))).toEqual({
      wide: { dtype: "F64", shape: [], data_offsets: [0, 8] },
      long: { dtype: "I64", shape: [1], data_offsets: [8, 16] },
      half: { dtype: "I16", shape: [2, 1], data_offsets: [16, 20] },
      flag: { dtype: "BOOL", shape: [1], data_offsets: [20, 21] },
    });
    expect(await io.readSafetensors(file)).toEqual(record);
  });

  it("writes metadata where there are some, and no tensor of their name", async () => {
    const header = async (metadata?: Record<string, string>) =>
      new TextDecoder().decode(await io.encodeSafetensors({}, metadata && { metadata })).slice(8);
    expect([await header(), await header({}), await header({ a: "b" })].map((text) => JSON.parse(text))).toEqual([
      ...[{}, {}, { __metadata__: { a: "b" } }],
    ]);
    const path = join(await mkdtemp(join(folder, "own-")), "metadata");
    await io.writeSafetensors(path, {});
    expect(await io.readSafetensorsMetadata(path)).toEqual({});
    const array = { dtype: "uint8", shape: [1], data: Uint8Array.of(1) } as const;
    expect((await refusal(io.encodeSafetensors({ __metadata__: array }))).code).toBe("invalid-argument");
  });
});
