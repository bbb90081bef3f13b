import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { data } from "@fcn/core";
import sharp, { type Sharp, type TiffOptions } from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openFile } from "../../../../packages/fcn/src/data/decode/byteSource.js";
import type { Place } from "../../../../packages/fcn/src/places/place.js";
import { openScene, openWindows, placeSource } from "../../../../packages/fcn/src/prediction/scene/windows.js";
import { rawTiff } from "../../data/decode/rawTiff.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fcn-scene-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const [height, width] = [150, 203];
const GOLDEN = new URL("../../../golden/tiff/", import.meta.url);

/** Blotches and noise of so many bands. */
function pixels(channels: 1 | 2 | 3 | 4, deep = false): Sharp {
  const values = Array.from({ length: height * width * channels }, (_, i) => {
    const [x, y] = [Math.floor(i / channels) % width, Math.floor(i / channels / width)];
    const noise = Math.imul(i + 1, 0x9e3779b1) >>> 26;
    return (((x >> 4) * 9 + (y >> 3) * 5 + (i % channels) * 40 + noise) % 256) * (deep ? 257 : 1);
  });
  return sharp(deep ? Uint16Array.from(values) : Uint8Array.from(values), { raw: { height, width, channels } });
}

async function written(name: string, content: Uint8Array | Sharp): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content instanceof Uint8Array ? content : await content.toBuffer());
  return path;
}

/** Compares rectangles of windows, and all of the image, with what is decoded at once. */
async function expectSame(path: string, scale: data.Preprocessing | { range?: data.PixelRange } = {}): Promise<void> {
  const { image } = await data.decodeImage(path, new Uint8Array(await readFile(path)), scale);
  const windows = await openWindows(path, scale);
  try {
    const { height: rows, width: columns } = image;
    expect(windows).toMatchObject({ height: rows, width: columns, channels: image.channels });
    for (const [top, left, bottom, right] of [
      [0, 0, rows, columns],
      [rows >> 2, columns >> 1, (rows >> 1) + 1, columns],
      [rows - 1, columns - 1, rows, columns],
      [0, columns >> 2, 1, (columns >> 2) + 1],
      [rows >> 1, 0, rows, 1],
    ] as const) {
      const found = await windows.read({ top, left, height: bottom - top, width: right - left });
      const want = Buffer.concat(
        Array.from({ length: bottom - top }, (_, y) => {
          return image.data.subarray(((top + y) * columns + left) * 3, ((top + y) * columns + right) * 3);
        }),
      );
      expect(Buffer.compare(found.data as Uint8Array, want)).toBe(0);
    }
  } finally {
    await windows.close();
  }
}

const codeOf = (made: Promise<unknown>): Promise<unknown> =>
  made.then(
    () => "none",
    (error: unknown) => error,
  );

describe("windows of a TIFF", () => {
  const tiles: TiffOptions = { tile: true, tileWidth: 64, tileHeight: 32, compression: "deflate" };
  it.each<[string, TiffOptions, 1 | 2 | 3 | 4]>([
    ["RGB in tiles", { ...tiles, compression: "none" }, 3],
    ["RGB in tiles, deflate with differences", { ...tiles, predictor: "horizontal" }, 3],
    ["RGB in tiles, LZW", { ...tiles, compression: "lzw" }, 3],
    ["RGB in tiles, JPEG with colours at half size", { ...tiles, compression: "jpeg", quality: 80 }, 3],
    ["RGB in tiles, JPEG", { ...tiles, compression: "jpeg", quality: 95 }, 3],
    ["RGB in tiles, WebP", { ...tiles, compression: "webp" }, 3],
    ["RGB in tiles, BigTIFF", { ...tiles, bigtiff: true }, 3],
    ["RGB in strips", { compression: "none" }, 3],
    ["RGB in strips, LZW", { compression: "lzw" }, 3],
    ["RGB in strips, JPEG", { compression: "jpeg" }, 3],
    ["RGB in strips, PackBits, BigTIFF", { compression: "packbits", bigtiff: true }, 3],
    ["grey in tiles", tiles, 1],
    ["grey in strips, white is 0", { compression: "deflate", miniswhite: true }, 1],
    ["grey of 4 bits", { ...tiles, compression: "none", bitdepth: 4 }, 1],
    ["black and white in strips, fax", { compression: "ccittfax4", bitdepth: 1 }, 1],
    ["grey and alpha", tiles, 2],
    ["RGBA in tiles", tiles, 4],
    ["a pyramid", { ...tiles, pyramid: true }, 3],
  ])("has the pixels of the whole: %s", async (name, options, channels) => {
    const image = pixels(channels);
    const grey = channels < 3 ? image.toColourspace("b-w") : image;
    await expectSame(await written(`${name}.tif`, grey.tiff(options)));
  });

  it("has the pixels of the whole: CMYK", async () => {
    const image = pixels(3).toColourspace("cmyk");
    await expectSame(await written("cmyk.tif", image.tiff(tiles)));
  });

  it.each([1, 3] as const)("has the pixels of the whole: 16 bits, %i bands", async (channels) => {
    const image = pixels(channels, true).toColourspace(channels === 1 ? "grey16" : "rgb16");
    for (const [name, options] of [
      ["tiles", tiles],
      ["strips", {}],
    ] as const) {
      const path = await written(`deep-${channels}-${name}.tif`, image.tiff({ compression: "deflate", ...options }));
      expect(await sharp(path).metadata()).toMatchObject({ depth: "ushort", channels });
      await expectSame(path, { range: [300, 60_000] });
    }
  });

  it.each(["II", "MM"] as const)("has the pixels of the whole: bytes in the order %s", async (order) => {
    const values = Array.from({ length: 70 * 31 }, (_, i) => ((i * 2654435761) >>> 8) % 4000);
    for (const [name, raw, range] of [
      ["uint16", { bits: 16 }, [100, 3000]],
      ["int16", { bits: 16, format: "signed" }, [-50, 3000]],
      ["float32", { bits: 32, format: "float", noData: "7" }, [0, 3999.5]],
    ] as const) {
      const bytes = rawTiff({ width: 70, values, order, stripRows: 4, ...raw });
      await expectSame(await written(`${order}-${name}.tif`, bytes), { range });
    }
    const bytes = rawTiff({ width: 35, values: values.map((v) => v % 256), bands: 2, order, stripRows: 3 });
    await expectSame(await written(`${order}-two.tif`, bytes));
  });

  it("has the pixels of the whole: files of other writers", async () => {
    const names = JSON.parse(await readFile(new URL("expected.json", GOLDEN), "utf8")) as Record<string, unknown>;
    let count = 0;
    for (const name of Object.keys(names)) {
      const path = new URL(`${name}.tif`, GOLDEN).pathname;
      const scale = { range: [0, 5000] as const };
      const whole = await codeOf(data.decodeImage(path, new Uint8Array(await readFile(path)), scale));
      if (whole === "none") {
        await expectSame(path, scale);
        count++;
      } else {
        expect(await codeOf(openWindows(path, scale))).toMatchObject({ code: (whole as { code: string }).code });
      }
    }
    expect(count).toBeGreaterThan(5);
  });

  it("reads an object of a place by parts, and few bytes for few pixels", async () => {
    const path = await written("far.tif", pixels(3).tiff({ ...tiles, compression: "none" }));
    const file = await openFile(path);
    let bytes = 0;
    const place = {
      addressOf: (name: string) => `s3://bucket/${name}`,
      stat: async (name: string) => (name === "far.tif" ? { name, bytes: (await stat(path)).size } : undefined),
      read: (_: string, { offset, length }: { offset: number; length: number }) => {
        bytes += length;
        return file.read(offset, length);
      },
    } as unknown as Place;
    const windows = await openWindows(await placeSource(place, "far.tif"));
    bytes = 0;
    await windows.read({ top: 40, left: 70, height: 20, width: 50 });
    expect(bytes).toBe(64 * 32 * 3);
    expect(await codeOf(placeSource(place, "other.tif"))).toMatchObject({
      code: "missing-data",
      message: expect.stringContaining("s3://bucket/other.tif"),
    });
    await file.close();
  });

  it("is refused with what is wrong and how to change it", async () => {
    const strips = rawTiff({ width: 9000, values: new Array<number>(9000 * 2).fill(3) });
    const declared = new DataView(strips.buffer);
    const tall = (): Uint8Array => {
      // The height of the image and of its only strip.
      declared.setUint16(10 + 12 + 8, 9000, true);
      declared.setUint16(10 + 12 * 7 + 8, 9000, true);
      return strips;
    };
    const whole = await readFile(await written("w.tif", pixels(3).tiff(tiles)));
    const deep = pixels(1, true).toColourspace("grey16");
    const depths = ["uint8"] as const;
    for (const [name, content, code, text, scale] of [
      ["a.jpg", pixels(3).jpeg(), "corrupt-file", "JPEG", {}],
      ["none.tif", new Uint8Array(whole.subarray(0, 9000)), "corrupt-file", "cut off", {}],
      [
        "turned.tif",
        pixels(3).withMetadata({ orientation: 6 }).tiff(tiles),
        "unsupported-file",
        "orientation is 6",
        {},
      ],
      ["coarse.tif", tall(), "unsupported-file", "parts of 9000x9000", {}],
      ["deep.tif", deep.tiff(tiles), "range-needed", "uint16", {}],
      ["other.tif", deep.tiff(tiles), "other-depth", "most of it would be lost", { range: [0, 255] as const, depths }],
      [
        "shallow.tif",
        pixels(3).tiff(tiles),
        "other-depth",
        "it has 8 bits",
        { range: [0, 4095] as const, depths: ["uint16"] as const },
      ],
      [
        "many.tif",
        rawTiff({ width: 4, values: new Array<number>(80).fill(1), bands: 5 }),
        "unsupported-bands",
        "5 bands",
        {},
      ],
    ] as const) {
      const path = await written(name, content);
      const error = await codeOf(openWindows(path, scale));
      expect(error).toMatchObject({ code, message: expect.stringContaining(text) });
      expect((error as Error).message).toContain(path);
    }
    expect(await codeOf(openWindows(join(folder, "nothing.tif")))).toMatchObject({ code: "missing-data" });
  });

  it("is opened as a scene if it is too large to be decoded whole", async () => {
    const small = await written("small.tif", pixels(3).tiff(tiles));
    expect(await openScene(small, {})).toBeUndefined();
    expect(await openScene(await written("b.png", pixels(3).png()), {})).toBeUndefined();
    expect(await openScene(join(folder, "nothing.tif"), {})).toBeUndefined();
    const values = Array.from({ length: 17_000 }, (_, x) => x % 251);
    const path = await written("large.tif", rawTiff({ width: 17_000, values, repeat: 16_000 }));
    const scene = await openScene(path, {});
    expect(scene).toMatchObject({ height: 16_000, width: 17_000 });
    const corner = await scene?.read({ top: 15_990, left: 16_998, height: 10, width: 2 });
    expect(corner?.data.subarray(54)).toEqual(
      Uint8Array.from([16_998, 16_998, 16_998, 16_999, 16_999, 16_999], (x) => x % 251),
    );
    await scene?.close();
  });

  it("is no image to be decoded whole for a server that does not answer", async () => {
    await expect(openScene("http://127.0.0.1:1/large.tif", {})).rejects.toMatchObject({ code: "no-network" });
  });
});
