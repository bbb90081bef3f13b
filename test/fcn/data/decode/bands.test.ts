import { data } from "@fcn/core";
import type { Metadata } from "sharp";
import { describe, expect, it } from "vitest";
import { unusualBands } from "../../../../packages/fcn/src/data/decode/bands.js";
import { decodeDeep } from "../../../../packages/fcn/src/data/decode/image.js";
import { type RawTiff, rawTiff } from "./rawTiff.js";

type About = Partial<Pick<Metadata, "format" | "space" | "depth" | "channels">>;

const choiceOf = (tiff: Partial<RawTiff>, about: About) => {
  const { bands = 1 } = tiff;
  const file = rawTiff({ width: 1, values: new Array<number>(bands).fill(0), ...tiff });
  const space = tiff.photometric === 2 ? "srgb" : "b-w";
  const stored = { format: "tiff", space, depth: "uchar", channels: bands, ...about } as Metadata;
  return unusualBands("a.tif", file, stored);
};
const wide = { bits: 16 } as const;
const ushort = { depth: "ushort" } as const;
const faultOf = (run: () => unknown): unknown => {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
};

describe("the bands that are colours", () => {
  // By TIFF 6.0, ExtraSamples names the bands beyond the colours: 1 and 2 are alpha, 0 is unspecified.
  it.each<[string, Partial<RawTiff>, About, unknown]>([
    ["8-bit grey", {}, {}, undefined],
    ["8-bit RGB", { bands: 3, photometric: 2 }, {}, undefined],
    ["8-bit RGB and alpha", { bands: 4, photometric: 2, extraSamples: [2] }, {}, undefined],
    ["8-bit RGB and premultiplied alpha", { bands: 4, photometric: 2, extraSamples: [1] }, {}, undefined],
    ["8-bit grey and a band that nothing explains", { bands: 2 }, {}, undefined],
    ["8-bit RGB and a band that nothing explains", { bands: 4, photometric: 2 }, {}, undefined],
    ["8-bit RGB and a band that is no alpha", { bands: 4, photometric: 2, extraSamples: [0] }, {}, [3, true]],
    ["three 8-bit bands", { bands: 3, extraSamples: [0, 0] }, {}, [3, false]],
    ["16-bit grey", wide, ushort, [1, false]],
    ["16-bit grey and alpha", { ...wide, bands: 2, extraSamples: [2] }, ushort, [1, false]],
    ["16-bit grey and a band that nothing explains", { ...wide, bands: 2 }, ushort, [1, false]],
    ["16-bit RGB and a band that nothing explains", { ...wide, bands: 4, photometric: 2 }, ushort, [3, false]],
    [
      "16-bit RGB and premultiplied alpha",
      { ...wide, bands: 4, photometric: 2, extraSamples: [1] },
      ushort,
      [3, false],
    ],
    ["16-bit RGB and two alphas", { ...wide, bands: 5, photometric: 2, extraSamples: [2, 1] }, ushort, [3, false]],
    ["16-bit CMYK", { ...wide, bands: 4, photometric: 5 }, { ...ushort, space: "cmyk" }, undefined],
    ["16-bit palette", { ...wide, photometric: 3 }, ushort, undefined],
  ])("of %s", (_, tiff, about, want) => {
    const [colours, isCut] = (want ?? []) as [number, boolean];
    expect(choiceOf(tiff, about)).toEqual(want === undefined ? undefined : { colours, isCut });
  });

  it.each<[string, About, unknown]>([
    ["an AVIF of 10 bits", { format: "heif", space: "rgb16", channels: 3 }, undefined],
    ["a PNG of 16 bits with alpha", { format: "png", space: "rgb16", channels: 4 }, { colours: 3, isCut: false }],
    ["a grey PNG of 16 bits with alpha", { format: "png", space: "grey16", channels: 2 }, { colours: 1, isCut: false }],
    ["a grey file of three bands", { format: "jp2", space: "b-w", channels: 3 }, { colours: 1, isCut: false }],
  ])("of %s, whose header is not a TIFF's", (_, about, want) => {
    const stored = { depth: "ushort", ...about } as Metadata;
    expect(unusualBands("a", new Uint8Array(8), stored)).toEqual(want);
  });

  it.each<[string, Partial<RawTiff>, string, string]>([
    ["two bands", { bands: 2, extraSamples: [0] }, "2 bands", "-b 1"],
    ["five bands that nothing explains", { bands: 5 }, "5 bands", "-b 3 -b 2 -b 1"],
    ["four grey bands", { bands: 4, extraSamples: [0, 0, 0] }, "4 bands", "-b 3 -b 2 -b 1"],
    ["RGB and two more", { bands: 5, photometric: 2, extraSamples: [0, 0] }, "5 bands", "-b 3 -b 2 -b 1"],
    [
      "RGB, two more and alpha",
      { bands: 6, photometric: 2, extraSamples: [0, 0, 2] },
      "6 bands, 1 of them alpha",
      "-b 3 -b 2 -b 1",
    ],
    ["two bands and alpha", { bands: 3, extraSamples: [0, 1] }, "3 bands, 1 of them alpha", "-b 1"],
    ["alpha alone", { bands: 2, extraSamples: [1, 2] }, "2 bands, 2 of them alpha", "-b 3 -b 2 -b 1"],
  ])("are refused where they are %s, with the command that picks some", (_, tiff, what, pick) => {
    expect(faultOf(() => choiceOf(tiff, {}))).toMatchObject({
      code: "unsupported-bands",
      message: expect.stringContaining(`a.tif: it has ${what}: an image`),
      fix: expect.stringContaining(`gdal_translate ${pick} IN.tif OUT.tif`),
    });
  });

  it.each([
    [64, "double", "64 bits, which is not supported"],
    [16, "float", "16 bits, floating point, which is not supported"],
  ] as const)("are refused where values are floats of %d bits", (bits, depth, problem) => {
    const tiff = { bits, format: "float" } as const;
    expect(faultOf(() => choiceOf(tiff, { depth: depth as "float" }))).toMatchObject({
      code: "unsupported-file",
      message: `a.tif: its values have ${problem}`,
    });
  });
});

describe("the values of bands", () => {
  const missingOf = async (tiff: RawTiff): Promise<boolean[]> => {
    const bands = await decodeDeep("a.tif", rawTiff(tiff));
    return Array.from(bands?.values ?? [], (value) => value === bands?.noData);
  };

  it("are those of the file, of every kind", async () => {
    const cases: [RawTiff, data.PixelDepth][] = [
      [{ width: 3, bits: 16, values: [0, 1, 65535] }, "uint16"],
      [{ width: 3, bits: 16, format: "signed", values: [-32768, -1, 32767] }, "int16"],
      [{ width: 3, bits: 32, values: [0, 1, 4_294_967_040] }, "uint32"],
      [{ width: 3, bits: 32, format: "signed", values: [-2_147_483_648, -1, 16_777_216] }, "int32"],
      [{ width: 3, bits: 32, format: "float", values: [-0.5, 1e-30, 3e38].map(Math.fround) }, "float32"],
      [{ width: 3, format: "signed", values: [-128, -1, 127] }, "int8"],
    ];
    for (const [tiff, depth] of cases) {
      const bands = await decodeDeep("a.tif", rawTiff(tiff));
      expect(bands).toMatchObject({ depth, height: 1, width: 3, channels: 1 });
      expect(Array.from(bands?.values ?? [])).toEqual(tiff.values);
    }
  });

  it("leave out alpha and further bands, in the order of the file", async () => {
    const values = [11, 12, 13, 14, 21, 22, 23, 24];
    const three = { values: [11, 12, 13, 21, 22, 23], channels: 3, height: 2, width: 1 };
    const one = { values: [11, 21], channels: 1, height: 2, width: 1 };
    const cases: [Partial<RawTiff>, object][] = [
      [{ bands: 4, photometric: 2, extraSamples: [2] }, three],
      [{ bands: 4, photometric: 2, extraSamples: [0] }, three],
      [{ bands: 4, photometric: 1, extraSamples: [0, 0, 2] }, three],
      [{ bands: 4, photometric: 1, extraSamples: [2, 2, 2] }, one],
    ];
    for (const [tiff, want] of cases) {
      const file = rawTiff({ width: 1, bits: 16, values, ...tiff });
      const bands = await decodeDeep("a.tif", file);
      expect({ ...bands, values: Array.from(bands?.values ?? []) }).toMatchObject(want);
    }
  });

  it("are missing where they equal GDAL's text, in the precision of the file", async () => {
    const float = { width: 2, bits: 32, format: "float" } as const;
    const signed = { width: 2, bits: 32, format: "signed" } as const;
    expect(await missingOf({ ...float, values: [Math.fround(0.1), 0], noData: "0.1" })).toEqual([true, false]);
    expect(await missingOf({ ...float, values: [-3.4028234663852886e38, 0], noData: "-3.4028235e+38" })).toEqual([
      true,
      false,
    ]);
    // 2^24 + 1 has no single precision.
    expect(await missingOf({ ...signed, values: [16_777_217, 16_777_216], noData: " 16777217 " })).toEqual([
      true,
      false,
    ]);
    expect(await missingOf({ width: 2, bits: 16, values: [0, 9], noData: "0" })).toEqual([true, false]);
  });

  it.each(["", "  ", "none", "nan"])("are all there where GDAL's text is %j", async (noData) => {
    expect(await missingOf({ width: 2, bits: 16, values: [0, 9], noData })).toEqual([false, false]);
    const { levels } = await data.decodeImage("a.tif", rawTiff({ width: 2, bits: 16, values: [0, 40_000], noData }));
    expect(levels).toMatchObject({ min: 0, max: 40_000, missing: 0 });
  });
});
