import { crc32 } from "node:zlib";
import { expect, it } from "vitest";
import { Crc32, makeTables } from "../../../../packages/tensor/src/io/zip/crc32.js";

const bytes = Uint8Array.from({ length: 1030 }, (_, i) => (i * 167 + (i >> 8)) & 0xff);

it("gives the check value of CRC-32, and 0 of nothing", () => {
  expect(new Crc32().update(new TextEncoder().encode("123456789")).value).toBe(0xcbf43926);
  expect(new Crc32().value).toBe(0);
});

it.each([1, 2, 3, 4, 5, 7, 8, 1030])("gives zlib's value of %i bytes, wherever they are cut", (length) => {
  const part = bytes.subarray(3, 3 + length);
  for (const cut of new Set([0, 1, 2, 5, length].map((at) => Math.min(at, length)))) {
    const value = new Crc32().update(part.subarray(0, cut)).update(part.subarray(cut)).value;
    expect([cut, value]).toEqual([cut, crc32(part)]);
  }
});

it("has the value of each byte, followed by up to three zeros, in its tables", () => {
  const tables = makeTables();
  expect(tables).toHaveLength(4);
  for (const [zeros, table] of tables.entries()) {
    // Without the inversions at the beginning and the end.
    const value = (byte: number) => ~crc32(Uint8Array.of(byte, ...Array<number>(zeros).fill(0)), 0xffffffff);
    expect(table).toEqual(Int32Array.from({ length: 256 }, (_, byte) => value(byte)));
  }
});
