import { describe, expect, it } from "vitest";
import { readBlob } from "../../../../packages/tensor/src/io/caffemodel/blobs.js";
import { WireReader } from "../../../../packages/tensor/src/io/caffemodel/wire.js";
import { refusal } from "../../../support/refusals.js";
import { join } from "../../../support/zip.js";

const at = { reader: "test", file: "a" };
const bytes = (...values: number[]) => Uint8Array.from(values);
const varint = (value: number): number[] => (value < 128 ? [value] : [(value % 128) + 128, ...varint(value >> 7)]);
const [VARINT, FIXED64, BYTES, FIXED32] = [0, 1, 2, 5];
const tag = (number: number, wire: number) => bytes(...varint(8 * number + wire));
const whole = (number: number, value: number) => join(tag(number, VARINT), bytes(...varint(value)));
const message = (number: number, ...parts: Uint8Array[]) => {
  const content = join(...parts);
  return join(tag(number, BYTES), bytes(...varint(content.length)), content);
};
const singles = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
const doubles = (...values: number[]) => new Uint8Array(Float64Array.from(values).buffer);
/** Fields of a BlobProto: sizes of old files, the shape, and numbers of both precisions, packed or one by one. */
const legacy = (...sizes: number[]) => join(...sizes.map((size, i) => whole(i + 1, size)));
const shape = (...sizes: number[]) => message(7, ...sizes.map((size) => whole(1, size)));
const packedShape = (...sizes: number[]) => message(7, message(1, bytes(...sizes.flatMap(varint))));
const data = (...values: number[]) => message(5, singles(...values));
const doubleData = (...values: number[]) => message(8, doubles(...values));
const each = (...values: number[]) => join(...values.map((value) => join(tag(5, FIXED32), singles(value))));
const eachDouble = (...values: number[]) => join(...values.map((value) => join(tag(8, FIXED64), doubles(value))));

/** The blob of these fields, which lie in the middle of a file, and what is read for its numbers. */
async function blobOf(...parts: Uint8Array[]) {
  const blob = join(...parts);
  const file = join(bytes(0x2d, 1, 2), blob, each(9, 9));
  const reads: [number, number][] = [];
  const read = async (begin: number, end: number) => {
    reads.push([begin, end]);
    return file.slice(begin, end).buffer;
  };
  const found = await readBlob(new WireReader({ ...at, size: file.length, read }), at, 3, 3 + blob.length);
  if (found === undefined) return undefined;
  reads.length = 0;
  const bits = await found.read();
  const values = [...(found.stored === "float32" ? new Float32Array(bits) : new Float64Array(bits))];
  return { shape: found.shape, stored: found.stored, values, reads };
}

describe("a blob", () => {
  it.each<[string, Uint8Array[], number[], number[], string?]>([
    ["packed numbers", [shape(3), data(1, 2, 3)], [3], [1, 2, 3]],
    ["numbers one by one", [shape(3), each(1, 2, 3)], [3], [1, 2, 3]],
    ["one number with its tag", [shape(1), each(1)], [1], [1]],
    ["doubles", [shape(2), doubleData(0.1, -2)], [2], [0.1, -2], "float64"],
    ["doubles one by one", [shape(2, 1), eachDouble(0.1, -2)], [2, 1], [0.1, -2], "float64"],
    [
      "numbers in pieces of both kinds",
      [shape(7), data(1, 2), each(3, 4), data(5), each(6), data(), data(7)],
      [7],
      [1, 2, 3, 4, 5, 6, 7],
    ],
    ["numbers before the shape", [data(1, 2), shape(2)], [2], [1, 2]],
    ["a packed shape", [packedShape(2, 1, 300), data(...Array(600).fill(4))], [2, 1, 300], Array(600).fill(4)],
    ["a shape in two parts", [shape(2), packedShape(3), data(1, 2, 3, 4, 5, 6)], [2, 3], [1, 2, 3, 4, 5, 6]],
    ["doubles of no number beside it", [shape(1), data(1), doubleData()], [1], [1]],
    ["a shape of no sizes", [shape(), data(5)], [], [5]],
    [
      "a shape with other fields",
      [message(7, whole(2, 9), message(3, bytes(4)), whole(1, 2)), data(1, 2)],
      [2],
      [1, 2],
    ],
    ["a shape of no numbers", [shape(0, 3)], [0, 3], []],
    ["old sizes", [legacy(2, 1, 1, 3), data(1, 2, 3, 4, 5, 6)], [2, 1, 1, 3], [1, 2, 3, 4, 5, 6]],
    ["some of the old sizes, and none", [whole(2, 5)], [0, 5, 0, 0], []],
    ["old sizes beside a shape", [legacy(2, 1, 1, 3), shape(1), data(5)], [1], [5]],
    [
      "other fields",
      [whole(9, 5), message(6, singles(7)), whole(7, 4), join(tag(1, FIXED32), singles(1)), shape(1), data(5)],
      [1],
      [5],
    ],
  ])("has %s", async (_, parts, sizes, values, stored = "float32") => {
    expect(await blobOf(...parts)).toMatchObject({ shape: sizes, stored, values });
  });

  it("is none without sizes and numbers", async () => {
    expect(await blobOf()).toBe(undefined);
    expect(await blobOf(whole(9, 5), message(6, singles(7)))).toBe(undefined);
    expect(await blobOf(join(tag(1, FIXED32), singles(1)))).toBe(undefined);
    expect(await blobOf(whole(7, 4))).toBe(undefined);
  });

  it("reads packed numbers as they lie, and others in pieces", async () => {
    expect((await blobOf(shape(2), data(1, 2)))?.reads).toEqual([[9, 17]]);
    expect((await blobOf(shape(2), each(1, 2)))?.reads).toEqual([[8, 17]]);
    const count = 2 ** 18 + 2;
    const many = new Uint8Array(5 * count);
    for (let i = 0; i < count; i++) many[5 * i] = 0x2d;
    many.set(singles(6), many.length - 4);
    many.set(singles(5), 5 * 2 ** 18 - 4);
    const packed = await blobOf(shape(count), message(5, new Uint8Array(4 * count)));
    expect(packed?.reads).toHaveLength(1);
    const blob = await blobOf(shape(count), many);
    const begin = 3 + shape(count).length + 1;
    expect(blob?.reads).toEqual([
      [begin, begin + 5 * 2 ** 18 - 1],
      [begin + 5 * 2 ** 18, begin + 5 * count - 1],
    ]);
    expect([blob?.values[2 ** 18 - 1], blob?.values.at(-1), blob?.values.length]).toEqual([5, 6, count]);
    const first = await blobOf(shape(2 ** 18), many.subarray(0, 5 * 2 ** 18));
    expect([first?.reads.length, first?.values.at(-1)]).toEqual([1, 5]);
  });

  it.each<[string, number, Uint8Array[]]>([
    ["1024 pieces", 1024, [shape(1024), ...Array.from({ length: 1024 }, () => data(1))]],
    ["640 bytes of sizes", 0, [message(7, message(1, bytes(...sized(64))))]],
  ])("may have %s", async (_, count, parts) => {
    expect((await blobOf(...parts))?.values).toHaveLength(count);
  });

  it.each<[string, string, Uint8Array[]]>([
    ["1025 pieces", "unsupported-file", [shape(1025), ...Array.from({ length: 1025 }, () => data(1))]],
    ["641 bytes of sizes", "corrupt-file", [message(7, message(1, bytes(...sized(64), 1)))]],
    ["a shape without numbers", "unsupported-file", [shape(2)]],
    ["numbers without a shape", "corrupt-file", [data(1)]],
    ["a number too few", "corrupt-file", [shape(2), data(1)]],
    ["a number too many", "corrupt-file", [shape(2), data(1, 2, 3)]],
    ["singles and doubles", "corrupt-file", [shape(2), data(1), doubleData(2)]],
    ["half a number", "corrupt-file", [shape(1), message(5, bytes(1, 2, 3, 4, 5, 6))]],
    [
      "half a number in two places",
      "corrupt-file",
      [shape(3), ...[1, 2].map(() => message(5, bytes(1, 2, 3, 4, 5, 6)))],
    ],
    ["65 sizes", "corrupt-file", [shape(...Array(65).fill(1)), data(1)]],
    ["half a double", "corrupt-file", [shape(1), message(8, singles(1))]],
    ["numbers as whole numbers", "corrupt-file", [shape(1), whole(5, 1)]],
    ["singles of 8 bytes", "corrupt-file", [shape(1), join(tag(5, FIXED64), doubles(1))]],
    ["doubles of 4 bytes", "corrupt-file", [shape(1), join(tag(8, FIXED32), singles(1))]],
    ["a size of 4 bytes", "corrupt-file", [message(7, join(tag(1, FIXED32), bytes(1, 0, 0, 0)))]],
    ["a size that does not end", "corrupt-file", [message(7, message(1, bytes(1, 0x80))), data(1)]],
    ["a size beyond all numbers", "corrupt-file", [message(7, message(1, bytes(...Array(9).fill(0xff), 1))), data(1)]],
  ])("is refused with %s", async (_, code, parts) => {
    expect((await refusal(blobOf(...parts))).code).toBe(code);
  });
});

it("reads no shape that is too long", async () => {
  const blob = message(7, message(1, new Uint8Array(2 ** 20)));
  const read = async (begin: number, end: number) => {
    if (end - begin > 2 ** 16) throw new Error("reads too much");
    return blob.slice(begin, end).buffer;
  };
  const reader = new WireReader({ ...at, size: blob.length, read });
  expect((await refusal(readBlob(reader, at, 0, blob.length))).code).toBe("corrupt-file");
});

/** So many sizes in ten bytes each, which are all 0. */
function sized(count: number): number[] {
  return Array.from({ length: count }, () => [...Array<number>(9).fill(0x80), 0]).flat();
}
