import { data } from "@fcn/core";
import { encode } from "fast-png";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { greyPng, palettePng, rgbPng } from "../trees.js";
import { rawPng } from "./rawPng.js";

describe("decodeMask", () => {
  const rule = data.indexRule(3);
  const labelsOf = async (bytes: Uint8Array, by = rule): Promise<number[]> => [
    ...(await data.decodeMask("m.png", bytes, by)).labels,
  ];

  it("reads indices of a palette, grey values and grey values stored as RGB alike", async () => {
    const fill = (x: number, y: number): number => [0, 1, 2, 255][(x + y) % 4] as number;
    const want = Array.from({ length: 12 }, (_, i) => fill(i % 4, Math.floor(i / 4)));
    const palette = Array.from({ length: 256 }, (_, i) => [i, 255 - i, 3]);
    expect(await labelsOf(greyPng(3, 4, fill))).toEqual(want);
    expect(await labelsOf(palettePng(3, 4, palette, fill))).toEqual(want);
    expect(await labelsOf(rgbPng(3, 4, (x, y) => fill(x, y) * 0x010101))).toEqual(want);
    const wide = encode({ height: 3, width: 4, channels: 1, depth: 16, data: Uint16Array.from(want) });
    expect(await labelsOf(wide)).toEqual(want);
  });

  it("looks colours up in RGB, palette and grey masks", async () => {
    const colours: data.LabelRule = {
      by: "colour",
      labels: [
        [0, 0],
        [0xff0000, 1],
        [0x808080, 2],
        [0xe0e0c0, 255],
      ],
    };
    const keys = [0, 0xff0000, 0x808080, 0xe0e0c0];
    const split = (key: number): number[] => [key >> 16, (key >> 8) & 255, key & 255];
    expect(
      await labelsOf(
        rgbPng(1, 4, (x) => keys[x] as number),
        colours,
      ),
    ).toEqual([0, 1, 2, 255]);
    expect(
      await labelsOf(
        palettePng(1, 4, [...keys].reverse().map(split), (x) => x),
        colours,
      ),
    ).toEqual([255, 2, 1, 0]);
    expect(
      await labelsOf(
        greyPng(1, 2, (x) => x * 128),
        colours,
      ),
    ).toEqual([0, 2]);
  });

  it("lists what the rule does not know: what, how often, where", async () => {
    const plane = await data.decodeMask(
      "m.png",
      greyPng(2, 3, (x, y) => (y === 1 && x > 0 ? 7 : x)),
      rule,
    );
    expect([...plane.labels]).toEqual([0, 1, 2, 0, 255, 255]);
    expect(plane.strays).toEqual([{ key: 7, pixels: 2, x: 1, y: 1 }]);
  });

  it("ignores alpha, with numbers and with colours", async () => {
    const greyAlpha = rawPng({ width: 3, height: 1, type: 4, rows: [[0, 1, 0, 2, 255, 255, 7]] });
    expect(await labelsOf(greyAlpha)).toEqual([1, 2, 255]);
    const rgbAlpha = rawPng({ width: 2, height: 1, type: 6, rows: [[0, 1, 1, 1, 0, 2, 2, 2, 255]] });
    expect(await labelsOf(rgbAlpha)).toEqual([1, 2]);
    const coloured = rawPng({ width: 2, height: 1, type: 6, rows: [[0, 9, 8, 7, 0, 6, 5, 4, 255]] });
    const colours: data.LabelRule = {
      by: "colour",
      labels: [
        [0x090807, 1],
        [0x060504, 2],
      ],
    };
    expect(await labelsOf(coloured, colours)).toEqual([1, 2]);
  });

  it("keeps small numbers of few bits as they are, and shows them as grey by colour", async () => {
    const few = rawPng({ width: 4, height: 1, depth: 2, rows: [[0, 0b00011011]] });
    expect(await labelsOf(few, data.indexRule(4))).toEqual([0, 1, 2, 3]);
    const colours: data.LabelRule = {
      by: "colour",
      labels: [
        [0, 0],
        [0x555555, 1],
        [0xaaaaaa, 2],
        [0xffffff, 3],
      ],
    };
    expect(await labelsOf(few, colours)).toEqual([0, 1, 2, 3]);
  });

  it("keeps numbers beyond 255 apart", async () => {
    const wide = encode({ height: 1, width: 2, channels: 2, depth: 16, data: Uint16Array.of(258, 0, 2, 9) });
    const plane = await data.decodeMask("m.png", wide, rule);
    expect([...plane.labels]).toEqual([255, 2]);
    expect(plane.strays).toEqual([{ key: 258, pixels: 1, x: 0, y: 0 }]);
  });

  const byColour: data.LabelRule = { by: "colour", labels: [[0x010203, 0]] };
  const flat = sharp({ create: { width: 4, height: 4, channels: 3, background: "red" } });
  const ofPalette = (...indices: readonly number[]): Uint8Array =>
    rawPng({ width: indices.length, height: 1, type: 3, palette: [1, 2, 3], rows: [[0, ...indices]] });

  it.each<[string, data.LabelRule, string, () => Uint8Array | Promise<Uint8Array>, string]>([
    [
      "a JPEG image",
      rule,
      "unsupported-file",
      () => flat.jpeg().toBuffer(),
      "a mask must be PNG, but it is a JPEG image, whose compression changes labels",
    ],
    ["a GIF image", rule, "unsupported-file", () => flat.gif().toBuffer(), "a mask must be PNG, but it is a GIF image"],
    ["no image", rule, "unsupported-file", () => new Uint8Array(9), "a mask must be PNG, but it is not a PNG file"],
    [
      "another red among numbers",
      rule,
      "unknown-colour",
      () => rgbPng(2, 2, (x) => x * 0x0a0000),
      "it holds colours (column 1, row 0), but the masks here hold numbers",
    ],
    [
      "another green among numbers",
      rule,
      "unknown-colour",
      () => rgbPng(2, 3, (x, y) => (x === 2 && y === 1 ? 0x010201 : 0x010101)),
      "it holds colours (column 2, row 1), but the masks here hold numbers",
    ],
    [
      "another blue among numbers",
      rule,
      "unknown-colour",
      () => rgbPng(1, 1, () => 0x010102),
      "it holds colours (column 0, row 0), but the masks here hold numbers",
    ],
    [
      "16 bits among colours",
      byColour,
      "unsupported-file",
      () => encode({ height: 1, width: 1, channels: 1, depth: 16, data: Uint16Array.of(3) }),
      "it is a 16-bit PNG, but the classes here are 8-bit colours",
    ],
    [
      "an index at once that its palette does not have",
      byColour,
      "corrupt-file",
      () => ofPalette(1, 0),
      "palette index 1 at column 0, row 0 is outside its palette of 1 colours",
    ],
    [
      "a later index that its palette does not have",
      byColour,
      "corrupt-file",
      () => ofPalette(0, 0, 2),
      "palette index 2 at column 2, row 0 is outside its palette of 1 colours",
    ],
  ])("refuses %s", async (_, by, code, make, problem) => {
    const failing = data.decodeMask("m", new Uint8Array(await make()), by);
    await expect(failing).rejects.toMatchObject({ code, message: `m: ${problem}` });
  });

  it("takes every index that the palette has", async () => {
    expect(await labelsOf(ofPalette(0, 0), byColour)).toEqual([0, 0]);
    // As a number, an index needs no colour.
    expect(await labelsOf(ofPalette(0, 2))).toEqual([0, 2]);
  });
});
