import { describe, expect, it } from "vitest";
import { type Field, Varints, WireReader } from "../../../../packages/tensor/src/io/caffemodel/wire.js";
import { refusal } from "../../../support/refusals.js";

const bytes = (...values: number[]) => Uint8Array.from(values);

describe("Varints", () => {
  it.each<[number[], number]>([
    [[0], 0],
    [[0x7f], 127],
    [[0x80, 1], 128],
    [[0xac, 2], 300],
    [[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f], Number.MAX_SAFE_INTEGER],
    [[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], 2 ** 64],
  ])("reads %j as %d", (values, expected) => {
    const varints = new Varints(bytes(...values, 5));
    expect([varints.next(), varints.at, varints.next(), varints.at]).toEqual([
      expected,
      values.length,
      5,
      values.length + 1,
    ]);
  });

  it.each([[[]], [[0x80]], [[1, 0x80, 0x80]], [Array(11).fill(0x80)]])("does not end in %j", (values) => {
    const varints = new Varints(bytes(...values));
    const at = values[0] === 1 ? 1 : 0;
    if (at === 1) varints.next();
    expect([varints.next(), varints.at]).toEqual([Number.NaN, at]);
  });
});

/** A reader of a file of `size` bytes, zeros but for `parts`, and what is read of it. */
function readerOf(size: number, parts: Record<number, readonly number[]>) {
  const file = new Uint8Array(size);
  for (const [at, part] of Object.entries(parts)) file.set(part, Number(at));
  const reads: [number, number][] = [];
  const read = async (begin: number, end: number) => {
    reads.push([begin, end]);
    return file.slice(begin, end).buffer;
  };
  return { reader: new WireReader({ reader: "test", file: "a", size, read }), reads };
}
async function fieldsOf(values: number[], end = values.length): Promise<Field[]> {
  const found: Field[] = [];
  await readerOf(values.length, { 0: values }).reader.fields(0, end, (field) => void found.push(field));
  return found;
}

describe("WireReader.fields", () => {
  it("tells number, encoding, value and place of each field", async () => {
    const message = [0x08, 0x96, 0x01, 0x11, 1, 2, 3, 4, 5, 6, 7, 8, 0xa2, 0x06, 2, 9, 9, 0x1d, 1, 2, 3, 4, 0x22, 0];
    expect(await fieldsOf(message)).toEqual([
      { number: 1, wire: 0, value: 150, begin: 3, end: 3 },
      { number: 2, wire: 1, value: 0, begin: 4, end: 12 },
      { number: 100, wire: 2, value: 2, begin: 15, end: 17 },
      { number: 3, wire: 5, value: 0, begin: 18, end: 22 },
      { number: 4, wire: 2, value: 0, begin: 24, end: 24 },
    ]);
    expect(await fieldsOf(message, 3)).toHaveLength(1);
    expect(await fieldsOf([])).toEqual([]);
  });

  it.each<[string, number[], number?]>([
    ["its tag", [0x88]],
    ["its value", [0x08, 0x80]],
    ["a number of 8 bytes", [0x09, 1, 2, 3, 4, 5, 6, 7]],
    ["a number of 4 bytes", [0x0d, 1, 2, 3]],
    ["its length", [0x0a]],
    ["its bytes", [0x0a, 3, 1, 2]],
    ["its bytes, of which the file has more", [0x0a, 3, 1, 2, 3], 4],
    ["its value, of which the file has more", [0x08, 0x80, 1], 2],
    ["the end of a group", [0x0b]],
    ["an unknown encoding", [0x0e, 0, 0, 0, 0]],
    ["a tag of field 0", [0x02, 1, 1]],
    ["a varint of 11 bytes", [0x08, ...Array(10).fill(0x80), 1]],
  ])("refuses a message that ends in %s", async (_, values, end) => {
    expect((await refusal(fieldsOf(values, end))).code).toBe("corrupt-file");
  });

  it("skips payloads, and reads 64 KiB at a time", async () => {
    const far = 200_000;
    const length = far - 4;
    const { reader, reads } = readerOf(far + 100_000, {
      0: [0x0a, (length & 0x7f) | 0x80, ((length >> 7) & 0x7f) | 0x80, length >> 14],
      [far]: [0x10, 5],
      [far + 2]: [0x10, 6],
    });
    const found: Field[] = [];
    await reader.fields(0, far + 4, (field) => void found.push(field));
    expect(found.map(({ number, value, end }) => [number, value, end])).toEqual([
      [1, length, far],
      [2, 5, far + 2],
      [2, 6, far + 4],
    ]);
    expect(reads).toEqual([
      [0, 2 ** 16],
      [far, far + 2 ** 16],
    ]);
  });

  it("reads on where a field may reach out of what it holds", async () => {
    const at = 2 ** 16 - 20;
    const length = at - 4;
    const { reader, reads } = readerOf(2 ** 17, {
      0: [0x0a, (length & 0x7f) | 0x80, ((length >> 7) & 0x7f) | 0x80, length >> 14],
      [at]: [0x10, 5, 0x18, 7],
    });
    const values: number[] = [];
    await reader.fields(0, at + 4, ({ number, value }) => void (number > 1 && values.push(value)));
    expect([values, reads]).toEqual([[5, 7], [[0, 2 ** 16]]]);
    await reader.fields(at, at + 2, ({ value }) => void values.push(value));
    expect(values).toEqual([5, 7, 5]);
    expect(reads).toHaveLength(1);
    // Twenty bytes are held from here, and nineteen from the next place.
    await reader.fields(at, 2 ** 17, () => 2 ** 17);
    expect(reads).toHaveLength(1);
    await reader.fields(at + 2, 2 ** 17, () => 2 ** 17);
    expect(reads.at(-1)).toEqual([at + 2, at + 2 + 2 ** 16]);
    // What lies before is read again.
    await reader.fields(at, at + 2, () => undefined);
    expect(reads.at(-1)).toEqual([at, at + 2 ** 16]);
    await reader.fields(at, at + 2, () => undefined);
    expect(reads).toHaveLength(3);
  });

  it("goes on where the visitor says, at once or later", async () => {
    const message = [0x08, 1, 0x08, 2, 0x08, 3, 0x08, 4, 0x08, 5];
    for (const later of [false, true]) {
      const values: number[] = [];
      await readerOf(10, { 0: message }).reader.fields(0, 10, ({ value, end }) => {
        values.push(value);
        const next = value === 2 ? end + 4 : undefined;
        return later ? Promise.resolve(next) : next;
      });
      expect(values).toEqual([1, 2, 5]);
    }
  });
});

describe("WireReader.countFields", () => {
  it.each<[string, number, number, number]>([
    ["those that follow each other", 0, 20, 3],
    ["those that end before the end", 0, 15, 3],
    ["no part of one", 0, 14, 2],
    ["from the middle", 5, 20, 2],
    ["none", 15, 20, 0],
  ])("counts %s", async (_, begin, end, expected) => {
    const { reader } = readerOf(20, { 0: [0x2d, 0, 0, 0, 0, 0x2d, 0, 0, 0, 0, 0x2d, 0, 0, 0, 0, 0x2c] });
    expect(await reader.countFields(0x2d, begin, end, 5)).toBe(expected);
  });

  it("counts more than it holds", async () => {
    const count = 30_000;
    const tags = Object.fromEntries(Array.from({ length: count }, (_, i) => [5 * i + 1, [0x2d]]));
    const { reader, reads } = readerOf(5 * count + 1, tags);
    expect(await reader.countFields(0x2d, 1, 5 * count + 1, 5)).toBe(count);
    expect(reads.map(([begin]) => begin)).toEqual([1, 65_541, 131_081]);
  });
});
