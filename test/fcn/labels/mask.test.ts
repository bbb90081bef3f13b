import * as fcn from "@fcn/core";
import type { TensorError } from "@fcn/tensor";
import { decode } from "fast-png";
import { describe, expect, it } from "vitest";

const COLOURS = [
  [0, 0, 0],
  [255, 1, 2],
  [3, 254, 4],
] as const;
const [HEIGHT, WIDTH] = [35, 21];
const LABELS = Uint8Array.from({ length: HEIGHT * WIDTH }, (_, i) => (i % 11 === 0 ? 255 : (i * 7) % 3));
const MASK = { labels: LABELS, height: HEIGHT, width: WIDTH, palette: COLOURS };

async function refusal(mask: fcn.Mask): Promise<TensorError> {
  return fcn.encodeMask(mask).then(
    () => expect.unreachable("it was encoded"),
    (error: TensorError) => error,
  );
}

describe("encodeMask", () => {
  it("holds the labels as palette indices and shows the colours of the classes and of void", async () => {
    const png = decode(await fcn.encodeMask(MASK), { checkCrc: true });
    expect(png).toMatchObject({ width: WIDTH, height: HEIGHT, depth: 8, channels: 1 });
    expect(new Uint8Array(png.data)).toEqual(LABELS);
    expect(png.palette?.slice(0, 3)).toEqual(COLOURS);
    expect(png.palette?.[255]).toEqual([224, 224, 192]);
  });

  it("is read back by decodeMask, by its numbers and by its colours", async () => {
    const bytes = await fcn.encodeMask(MASK);
    const byValue = await fcn.data.decodeMask("mask.png", bytes, fcn.data.indexRule(3));
    expect(byValue).toMatchObject({ height: HEIGHT, width: WIDTH, strays: [] });
    expect(byValue.labels).toEqual(LABELS);
    const keys = [...COLOURS, [224, 224, 192]].map(([r = 0, g = 0, b = 0]) => (r << 16) | (g << 8) | b);
    const labels = keys.map((key, i) => [key, i === 3 ? 255 : i] as const);
    expect((await fcn.data.decodeMask("mask.png", bytes, { by: "colour", labels })).labels).toEqual(LABELS);
  });

  it("takes plain lists and host arrays", async () => {
    const bytes = await fcn.encodeMask(MASK);
    expect(await fcn.encodeMask({ ...MASK, labels: Array.from(LABELS) })).toEqual(bytes);
    const host = { shape: [HEIGHT, WIDTH], data: BigInt64Array.from(LABELS, BigInt) };
    expect(await fcn.encodeMask({ ...MASK, labels: host })).toEqual(bytes);
  });

  it("refuses what is no mask", async () => {
    expect(await refusal({ ...MASK, height: 34 })).toMatchObject({
      code: "invalid-shape",
      message: "encodeMask: a mask of 34x21 needs one label per pixel, 735 were given",
    });
    expect((await refusal({ ...MASK, labels: [], height: 0 })).code).toBe("invalid-shape");
    expect(await refusal({ ...MASK, palette: COLOURS.slice(0, 2) })).toMatchObject({
      code: "label-out-of-range",
      message: "encodeMask: label 2 (column 2, row 0) has no colour, the palette has 2 (0 to 1)",
    });
    const odd = Float64Array.from(LABELS);
    odd[1] = 0.5;
    expect((await refusal({ ...MASK, labels: odd })).message).toContain("label 0.5 (column 1, row 0)");
    expect((await refusal({ ...MASK, palette: [] })).message).toContain("0 colours, but must have 1 to 255");
    expect((await refusal({ ...MASK, palette: [[0, 0, 256]] })).message).toContain(
      "colour 0 of the palette is [0,0,256]",
    );
  });
});
