import type { data } from "@fcn/core";
import { describe, expect, it } from "vitest";
import { decodePngImage } from "../../../../packages/fcn/src/data/decode/pngImage.js";
import { chunk, type RawPng, rawPng } from "./rawPng.js";

const [RGB, PALETTE, GREY_ALPHA, RGB_ALPHA] = [2, 3, 4, 6];

const read = async (png: Omit<RawPng, "height">, scale?: data.PixelScale) =>
  decodePngImage("a.png", rawPng({ height: png.rows.length, ...png }), scale);

/** A row of 16-bit samples. */
const words = (...values: readonly number[]): number[] => [0, ...values.flatMap((v) => [v >> 8, v & 255])];

describe("a PNG without a canvas", () => {
  it.each<[string, Omit<RawPng, "height">, number[]]>([
    ["8-bit grey", { width: 2, rows: [[0, 7, 200]] }, [7, 7, 7, 200, 200, 200]],
    ["1-bit grey", { width: 3, depth: 1, rows: [[0, 0b01000000]] }, [0, 0, 0, 255, 255, 255, 0, 0, 0]],
    ["2-bit grey", { width: 4, depth: 2, rows: [[0, 0b00011011]] }, [0, 85, 170, 255].flatMap((v) => [v, v, v])],
    ["4-bit grey", { width: 2, depth: 4, rows: [[0, 0x1f]] }, [17, 17, 17, 255, 255, 255]],
    ["grey under transparency", { width: 2, type: GREY_ALPHA, rows: [[0, 9, 0, 8, 255]] }, [9, 9, 9, 8, 8, 8]],
    ["RGB", { width: 2, type: RGB, rows: [[0, 1, 2, 3, 4, 5, 6]] }, [1, 2, 3, 4, 5, 6]],
    [
      "RGB under transparency",
      { width: 2, type: RGB_ALPHA, rows: [[0, 1, 2, 3, 0, 4, 5, 6, 255]] },
      [1, 2, 3, 4, 5, 6],
    ],
    [
      "a palette",
      { width: 2, type: PALETTE, depth: 1, rows: [[0, 0b01000000]], palette: [9, 8, 7, 6, 5, 4] },
      [9, 8, 7, 6, 5, 4],
    ],
    [
      "RGB that suggests a palette",
      { width: 2, type: RGB, rows: [[0, 1, 0, 0, 0, 1, 1]], palette: [9, 8, 7, 6, 5, 4] },
      [1, 0, 0, 0, 1, 1],
    ],
  ])("gives the colours of %s as stored", async (_, png, want) => {
    const found = await read(png, { range: [0, 3] });
    expect(found).toEqual({ image: { data: Uint8Array.from(want), height: 1, width: png.width, channels: 3 } });
  });

  it.each<[string, Omit<RawPng, "height">, number[], object]>([
    [
      "grey",
      { width: 3, rows: [words(0, 1000, 2550)] },
      [0, 0, 0, 100, 100, 100, 255, 255, 255],
      { min: 0, max: 2550 },
    ],
    [
      "grey with alpha",
      { width: 2, type: GREY_ALPHA, rows: [words(10, 65535, 2000, 0)] },
      [1, 1, 1, 200, 200, 200],
      { min: 10, max: 2000 },
    ],
    [
      "RGB",
      { width: 1, type: RGB, rows: [words(10, 20, 30), words(40, 50, 60)] },
      [1, 2, 3, 4, 5, 6],
      { min: 10, max: 60 },
    ],
    [
      "RGB with alpha",
      { width: 1, type: RGB_ALPHA, rows: [words(10, 20, 30, 0), words(40, 50, 60, 9999)] },
      [1, 2, 3, 4, 5, 6],
      { min: 10, max: 60 },
    ],
  ])("brings 16 bits to 8 by the range, without alpha: %s", async (_, png, want, levels) => {
    const found = await read({ depth: 16, ...png }, { range: [0, 2550] });
    const [height, width] = [png.rows.length, png.width];
    expect(found).toEqual({
      image: { data: Uint8Array.from(want), height, width, channels: 3 },
      levels: { depth: "uint16", missing: 0, clipped: 0, ...levels },
    });
  });

  it("takes 16 bits on their whole scale, or asks for a range", async () => {
    const found = await read({ width: 2, depth: 16, rows: [words(0, 65535)] });
    expect([...(found?.image.data ?? [])]).toEqual([0, 0, 0, 255, 255, 255]);
    await expect(read({ width: 2, depth: 16, rows: [words(0, 4095)] })).rejects.toMatchObject({ code: "range-needed" });
  });

  it("leaves other files, and those that EXIF may turn, to the browser", async () => {
    const png = { width: 1, rows: [[0, 1]] };
    expect(await read({ ...png, more: [chunk("eXIf", [0])] })).toBeUndefined();
    expect(await read({ ...png, more: [chunk("tEXt", [0])] })).toBeDefined();
    expect(await decodePngImage("a.jpg", Uint8Array.of(0xff, 0xd8, 0xff))).toBeUndefined();
  });
});
