import { describe, expect, it } from "vitest";
import { withSource } from "../../../../packages/tensor/src/io/files/source.js";
import { readDirectory } from "../../../../packages/tensor/src/io/zip/directory.js";
import { refusal } from "../../../support/refusals.js";
import { fields, join, type ZipPart, zip } from "../../../support/zip.js";

const read = (file: Uint8Array) => withSource("test", file, readDirectory);
const bytes = (count: number) => new Uint8Array(count).fill(7);
const FULL = 0xffffffff;
/** A field of the extra data: its kind, the length that it claims, and values of 8 bytes. */
const extra = (kind: number, length: number, ...values: number[]) =>
  fields([[2, kind], [2, length], ...values.map((value) => [8, value] as const)]);
const five: ZipPart = { data: bytes(5) };
const one = (part: ZipPart) => zip({ a: part });
/** The same bytes with others at a place. */
function patched(file: Uint8Array, at: number, ...values: number[]): Uint8Array {
  const copy = file.slice();
  copy.set(values, at < 0 ? file.length + at : at);
  return copy;
}
const LOCAL = 30;
const ENTRY = 46;

describe("readDirectory", () => {
  it("gives what the directory says, in its order, and where each entry ends", async () => {
    const second = LOCAL + 2 + 3;
    const file = zip([
      ["é", { data: bytes(3), crc: 0x12345678, claimedOffset: second, comment: "the last", extra: extra(9, 0) }],
      ["b2", { data: bytes(3), flags: 0x0802, method: 12, crc: 5, claimedSize: 40, claimedOffset: 0 }],
    ]);
    expect(await read(file)).toEqual([
      {
        name: "é",
        nameBytes: Uint8Array.of(0xc3, 0xa9),
        flags: 0,
        method: 0,
        crc: 0x12345678,
        packed: 3,
        size: 3,
        local: second,
        limit: 2 * second,
      },
      {
        name: "b2",
        nameBytes: Uint8Array.of(0x62, 0x32),
        flags: 0x0802,
        method: 12,
        crc: 5,
        packed: 3,
        size: 40,
        local: 0,
        limit: second,
      },
    ]);
  });

  it("takes an entry without a name, and an archive of nothing", async () => {
    expect(await read(zip({ "": { data: bytes(2) } }))).toMatchObject([{ name: "", local: 0, limit: LOCAL + 2 }]);
    expect(await read(zip({}))).toEqual([]);
  });

  it.each<[string, string]>([
    ["as long as they can be", "x".repeat(0xffff)],
    ["with the mark of the end in them", `PK\u0005\u0006${"x".repeat(40)}`],
    ["of zeros, as an end without its mark has", "\0".repeat(40)],
    ["that begin like the end and are too short", "PK\u0005\u0006"],
  ])("sees the end before comments %s", async (_, comment) => {
    for (const zip64 of [false, true]) {
      expect(await read(zip({ a: { data: bytes(5) } }, { comment, zip64 }))).toMatchObject([{ name: "a", size: 5 }]);
    }
  });

  it.each<[string, ZipPart, object]>([
    ["the size", { data: bytes(5), claimedSize: FULL, extra: extra(1, 8, 5) }, { size: 5, packed: 5, local: 0 }],
    ["the offset", { data: bytes(5), claimedOffset: FULL, extra: extra(1, 8, 0) }, { size: 5, packed: 5, local: 0 }],
    [
      "two, after another field, with more behind",
      {
        data: bytes(5),
        claimedSize: FULL,
        claimedPacked: FULL,
        extra: join(extra(7, 8, 1), extra(1, 16, 2 ** 40, 4), extra(8, 8, 3)),
      },
      { size: 2 ** 40, packed: 4, local: 0 },
    ],
  ])("takes from the zip64 field %s", async (_, part, expected) => {
    expect(await read(one(part))).toMatchObject([expected]);
  });

  it.each<[string, Uint8Array]>([
    ["is not there", bytes(0)],
    ["is cut off in its head", Uint8Array.of(1, 0, 8)],
    ["is another", extra(2, 8, 5)],
    ["is another and cut off", extra(2, 200, 5)],
    ["is empty", extra(1, 0)],
    ["has 7 bytes", extra(1, 7, 5)],
    ["has 7 bytes of the 8 that it claims", extra(1, 8, 5).slice(0, 11)],
    ["claims more than there is", extra(1, 9, 5)],
  ])("refuses a size that is in the zip64 field where that %s", async (_, field) => {
    expect((await refusal(read(one({ data: bytes(5), claimedSize: FULL, extra: field })))).code).toBe("corrupt-file");
  });

  const good = zip({ a: { data: bytes(5) }, b: { data: bytes(5) } });
  const directory = 2 * (LOCAL + 1 + 5);
  const good64 = zip({ a: { data: bytes(5) } }, { zip64: true });
  const behind = zip({ a: { data: bytes(5) } }, { zip64: true, comment: `PK\u0006\u0006${"\0".repeat(52)}` });
  const [end64, locator] = [good64.length - 22 - 20 - 56, good64.length - 22 - 20];
  it.each<[string, Uint8Array]>([
    ["a begin after its end, and nothing in it", patched(zip({}), -6, 1)],
    ["a begin after its end", patched(good, -6, good.length - 21)],
    ["more entries than it has", patched(good, -12, 3)],
    ["very many entries", patched(good, -12, 0xff, 0xff)],
    ["an entry without its mark", patched(good, directory + ENTRY + 1, 0)],
    ["a name that leaves it", patched(good, directory + ENTRY + 1 + 28, 2)],
    ["an extra field that leaves it", patched(good, directory + ENTRY + 1 + 30, 1)],
    ["a comment that leaves it", patched(good, directory + ENTRY + 1 + 32, 1)],
    ["a name twice", patched(good, directory + 2 * ENTRY + 1, 0x61)],
    ["no mark in its zip64 end", patched(good64, end64, 0)],
    ["a zip64 end far away", patched(good64, locator + 8 + 4, 1)],
    ["a zip64 end inside its locator", patched(good64, locator + 8, end64 + 1)],
    ["a zip64 end behind its locator", patched(behind, locator + 8, behind.length - 56)],
    ["a zip64 count beyond all numbers", patched(good64, end64 + 32 + 7, 0xff)],
    ["a zip64 begin beyond all numbers", patched(good64, end64 + 48 + 7, 0xff)],
    ["a packed size that reaches into the directory", zip({ a: { data: bytes(5), claimedPacked: 6 } })],
    ["a packed size that reaches into the next entry", zip({ a: { data: bytes(5), claimedPacked: 6 }, b: five })],
    ["two entries in one place", zip({ a: { data: bytes(5), claimedOffset: 0 }, b: { ...five, claimedOffset: 0 } })],
  ])("refuses one with %s", async (_, file) => {
    expect((await refusal(read(file))).code).toBe("corrupt-file");
  });

  it("refuses what has no end", async () => {
    for (const file of [bytes(0), bytes(21), bytes(100), good.slice(0, -1), join(good, bytes(1))]) {
      expect((await refusal(read(file))).code).toBe("corrupt-file");
    }
  });
});
