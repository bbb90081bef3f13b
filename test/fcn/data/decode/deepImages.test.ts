import { readFile } from "node:fs/promises";
import { data } from "@fcn/core";
import { encode } from "fast-png";
import { describe, expect, it } from "vitest";

const GOLDEN = new URL("../../../golden/tiff/", import.meta.url);

interface Expected {
  readonly shape: readonly [number, number, number?];
  readonly values: readonly (number | string)[];
}

const expected = JSON.parse(await readFile(new URL("expected.json", GOLDEN), "utf8")) as Record<string, Expected>;
const bytesOf = async (name: string): Promise<Uint8Array> =>
  new Uint8Array(await readFile(new URL(`${name}.tif`, GOLDEN)));

/** What numpy's values become, band by band; undefined values are no data. */
function mapped({ shape, values }: Expected, [low, high]: data.PixelRange, noData?: number): number[] {
  const bands = shape[2] ?? 1;
  const level = (value: number | string | undefined): number => {
    if (typeof value !== "number" || value === noData) return 0;
    return Math.round(Math.min(255, Math.max(0, ((value - low) * 255) / (high - low))));
  };
  return Array.from({ length: shape[0] * shape[1] }, (_, i) => i).flatMap((pixel) =>
    [0, 1, 2].map((c) => level(values[pixel * bands + (bands >= 3 ? c : 0)])),
  );
}

const RANGES: Readonly<Record<string, data.PixelRange>> = {
  uint16: [0, 4095],
  int16: [-1000, 3080],
  int32: [-500, 2000],
  uint32: [0, 4_080_000_000],
  int8: [-128, 127],
  float32: [-2, 3],
  "float32-holes": [0, 1],
  "uint16-rgb": [100, 4000],
  "int16-rgb": [-1000, 3080],
  "int32-rgb": [-1000, 3080],
  "float32-rgb": [0, 1],
  "uint16-rgba": [0, 4095],
  "uint16-rgb-and-more": [0, 4095],
  "uint16-three-grey": [0, 4095],
  "uint16-three-unexplained": [0, 4095],
  "int16-three-grey": [-1000, 3080],
  "float32-three-grey": [0, 1],
  "uint16-tiled": [0, 4095],
  "uint16-big": [0, 4095],
  "uint16-planar": [0, 4095],
};

describe("images of more than 8 bits", () => {
  it.each(Object.entries(RANGES))("reads %s as numpy has it, on the range that is given", async (name, range) => {
    const decoded = await data.decodeImage(name, await bytesOf(name), { range });
    const want = expected[name] as Expected;
    expect([decoded.image.height, decoded.image.width, decoded.image.channels]).toEqual([5, 7, 3]);
    const values = mapped(want, range);
    // A value half way between two levels may be rounded either way by single and by double precision.
    decoded.image.data.forEach((level, i) => {
      expect(Math.abs(level - (values[i] as number))).toBeLessThanOrEqual(name.startsWith("float") ? 1 : 0);
    });
    const colours = want.values.filter((_, i) => (want.shape[2] ?? 1) < 4 || i % 4 < 3);
    const finite = colours.filter((value) => typeof value === "number");
    expect(decoded.levels?.min).toBeCloseTo(Math.min(...finite), 5);
    expect(decoded.levels?.max).toBeCloseTo(Math.max(...finite), 5);
    expect(decoded.levels?.missing).toBeCloseTo(1 - finite.length / colours.length, 9);
  });

  it("keeps 8-bit values, of three bands that are not said to be colours too", async () => {
    for (const name of ["uint8-three-grey", "pages", "palette"]) {
      const { image, levels } = await data.decodeImage(name, await bytesOf(name), { range: [0, 100] });
      expect([...image.data]).toEqual(expected[name]?.values);
      expect(levels).toBeUndefined();
    }
  });

  it("leaves out values that a GeoTIFF says are no data", async () => {
    const { image, levels } = await data.decodeImage("a.tif", await bytesOf("uint16-nodata"), { range: [-4000, 4095] });
    expect([...image.data]).toEqual(mapped(expected["uint16-nodata"] as Expected, [-4000, 4095], 0));
    expect(levels).toMatchObject({ min: 120, missing: expect.closeTo(1 / 35, 6) });
  });

  it("tells a fourth band that is left out, and how many images a file holds", async () => {
    const range = [0, 4095] as const;
    expect(await data.decodeImage("a", await bytesOf("uint16-rgb-and-more"), { range })).toMatchObject({ isCut: true });
    expect((await data.decodeImage("a", await bytesOf("uint16-rgba"), { range })).isCut).toBeUndefined();
    expect((await data.decodeImage("a", await bytesOf("pages"))).pages).toBe(3);
    expect((await data.decodeImage("a", await bytesOf("palette"))).pages).toBeUndefined();
  });

  it.each([
    ["float16", "unsupported-file", /16 bits, floating point/],
    ["float64", "unsupported-file", /more than 32 bits/],
    ["uint16-two", "unsupported-bands", /has 2 bands/],
    ["uint8-two", "unsupported-bands", /has 2 bands/],
    ["uint8-four-grey", "unsupported-bands", /has 4 bands/],
    ["uint16-five", "unsupported-bands", /bands/],
    ["uint8-six", "unsupported-bands", /bands/],
  ])("refuses %s by name, with a remedy", async (name, code, message) => {
    const failing = data.decodeImage(`${name}.tif`, await bytesOf(name), { range: [0, 4095] });
    await expect(failing).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    await expect(failing).rejects.toMatchObject({ fix: expect.stringMatching(/^save /) });
  });

  const png = (values: readonly number[]): Uint8Array =>
    encode({ height: 1, width: values.length, channels: 1, depth: 16, data: Uint16Array.from(values) });
  const levels = async (file: Uint8Array, scale?: data.PixelScale): Promise<number[]> =>
    [...(await data.decodeImage("a.png", file, scale)).image.data].filter((_, i) => i % 3 === 0);

  it("takes an image by itself on the common scale that it fills, else asks for a range", async () => {
    expect(await levels(png([0, 257, 32896, 65535]))).toEqual([0, 1, 128, 255]);
    expect(await levels(png([0, 17, 200, 255]))).toEqual([0, 17, 200, 255]);
    await expect(levels(png([3, 1000, 4010]))).rejects.toMatchObject({
      code: "range-needed",
      message: "a.png: its values are uint16, 3 to 4010, and nothing says which of them should become 0 and 255",
      commandFix: expect.stringContaining("--range 0,4010"),
    });
    expect(await levels(png([0, 1000, 4095, 9000]), { range: [0, 4095] })).toEqual([0, 62, 255, 255]);
  });

  it("refuses an image of another depth than the net was trained on", async () => {
    const trained = { range: [0, 4095], depths: ["uint16"] } as const;
    await expect(levels(png([0, 30_000, 65_535]), trained)).rejects.toMatchObject({ code: "other-depth" });
    const eight = encode({ height: 1, width: 2, channels: 1, depth: 8, data: Uint8Array.of(3, 200) });
    await expect(levels(eight, trained)).rejects.toMatchObject({ code: "other-depth" });
    expect(await levels(eight, { range: [0, 4095], depths: ["uint16", "uint8"] })).toEqual([3, 200]);
    expect(await levels(eight, { range: [0, 65535], depths: ["uint16"] })).toEqual([3, 200]);
    // A dark image of the same kind.
    expect(await levels(png([0, 1, 2]), trained)).toEqual([0, 0, 0]);
    const fractions = await bytesOf("float32-rgb");
    await expect(data.decodeImage("a.tif", fractions, trained)).rejects.toMatchObject({ code: "other-depth" });
  });
});
