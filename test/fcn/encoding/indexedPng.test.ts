import { deflateSync } from "node:zlib";
import { data } from "@fcn/core";
import { describe, expect, it } from "vitest";
import { encodeIndexedPng, indexedPngPieces } from "../../../packages/fcn/src/encoding/indexedPng.js";

const palette = Array.from({ length: 256 }, (_, i) => [i, 255 - i, 7] as const);

/** The types of the chunks of a PNG file, and the data of those with pixels. */
function chunksOf(file: Uint8Array): { readonly types: string[]; readonly packed: Buffer } {
  const view = Buffer.from(file.buffer, file.byteOffset, file.length);
  const types: string[] = [];
  const packed: Buffer[] = [];
  for (let at = 8; at < view.length; at += view.readUInt32BE(at) + 12) {
    types.push(view.toString("latin1", at + 4, at + 8));
    if (types.at(-1) === "IDAT") packed.push(view.subarray(at + 8, at + 8 + view.readUInt32BE(at)));
  }
  return { types, packed: Buffer.concat(packed) };
}

/** Labels in blotches and noise of so many bits. */
const labelsOf = (height: number, width: number, bits: number): Uint8Array =>
  Uint8Array.from({ length: height * width }, (_, i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    return ((x >> 5) + (y >> 4) + (Math.imul(i + 1, 0x9e3779b1) >>> (32 - bits))) % 256;
  });

/** Labels that cannot be compressed. */
function noise(count: number): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return new Uint8Array(Buffer.concat(all));
}

describe("a PNG with a palette", () => {
  it("is the same whether its rows come at once or one by one, and has the bytes of zlib", async () => {
    for (const [height, width] of [
      [1, 1],
      [37, 53],
      [1100, 1300],
      [3, 2 ** 21],
    ] as const) {
      const labels = labelsOf(height, width, 2);
      const whole = await encodeIndexedPng({ labels, height, width, palette });
      const rows = Array.from({ length: height }, (_, y) => labels.subarray(y * width, (y + 1) * width));
      expect(Buffer.compare(await collect(indexedPngPieces({ rows, height, width, palette })), whole)).toBe(0);
      const { types, packed } = chunksOf(whole);
      expect(types).toEqual(["IHDR", "PLTE", "IDAT", "IEND"]);
      const lines = Buffer.concat(rows.flatMap((row) => [Buffer.of(0), row]));
      expect(Buffer.compare(packed, deflateSync(lines))).toBe(0);
    }
  });

  it("of many bytes has several chunks, and is read as it was", async () => {
    const [height, width] = [5000, 4000];
    const labels = noise(height * width);
    const file = await encodeIndexedPng({ labels, height, width, palette });
    const { types } = chunksOf(file);
    expect(types.filter((type) => type === "IDAT").length).toBeGreaterThan(1);
    const { samples } = await data.decodePng("a.png", file);
    expect(Buffer.compare(samples as Uint8Array, labels)).toBe(0);
  });

  it("ends with what its rows throw, and ends its rows if it is left", async () => {
    const failing = async function* () {
      yield new Uint8Array(200);
      throw new RangeError("no more rows");
    };
    const header = { height: 100, width: 10, palette };
    await expect(collect(indexedPngPieces({ ...header, rows: failing() }))).rejects.toThrow("no more rows");
    let isEnded = false;
    const endless = async function* () {
      try {
        for (;;) yield noise(10 ** 6);
      } finally {
        isEnded = true;
      }
    };
    for await (const piece of indexedPngPieces({ height: 10 ** 6, width: 10_000, palette, rows: endless() })) {
      if (piece.length > 10_000) break;
    }
    expect(isEnded).toBe(true);
  });
});
