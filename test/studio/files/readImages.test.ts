import { crc32, deflateSync } from "node:zlib";
import sharp, { type Sharp } from "sharp";
import { describe, expect, it } from "vitest";
import { onPage, runOn } from "../../support/page.js";
import { fields, join } from "../../support/zip.js";
import type { Base64, Picture, Result } from "./filesExercise.js";

const EXERCISE = "../studio/files/filesExercise";
const base64 = (bytes: Uint8Array | string): Base64 => Buffer.from(bytes as Uint8Array).toString("base64");

/** An image whose upper left quarter is red, upper right green, lower left blue and lower right white. */
function quarters(height: number, width: number): Sharp {
  const colours = [
    [255, 0, 0],
    [0, 255, 0],
    [0, 0, 255],
    [255, 255, 255],
  ];
  const data = new Uint8Array(height * width * 3);
  for (let i = 0; i < height * width; i++) {
    const [x, y] = [i % width, Math.floor(i / width)];
    data.set(colours[(y < height / 2 ? 0 : 2) + (x < width / 2 ? 0 : 1)]!, 3 * i);
  }
  return sharp(data, { raw: { height, width, channels: 3 } });
}

/** A grey PNG of a size with all pixels black, made without them. */
function blackPng(height: number, width: number): Uint8Array {
  const chunk = (type: string, data: Uint8Array): Uint8Array => {
    const body = join(Buffer.from(type), data);
    const [head, tail] = [Buffer.alloc(4), Buffer.alloc(4)];
    head.writeUInt32BE(data.length);
    tail.writeUInt32BE(crc32(body));
    return join(head, body, tail);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 0], 8);
  const rows = deflateSync(Buffer.alloc((width + 1) * height), { level: 1 });
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return join(signature, chunk("IHDR", header), chunk("IDAT", rows), chunk("IEND", Buffer.alloc(0)));
}

/** A BMP of 2 x 3 pixels in one colour. */
function bmp(): Uint8Array {
  const pixels = Buffer.alloc(3 * 8);
  for (let y = 0; y < 3; y++) pixels.set([10, 200, 100, 10, 200, 100], 8 * y);
  const sizes = [40, 2, 3] as const;
  const head = fields([
    [2, 0x4d42],
    [4, 54 + 24],
    [4, 0],
    [4, 54],
    [4, sizes[0]],
    [4, sizes[1]],
    [4, sizes[2]],
  ]);
  return join(
    head,
    fields([
      [2, 1],
      [2, 24],
      [4, 0],
      [4, 24],
      [4, 0],
      [4, 0],
      [4, 0],
      [4, 0],
    ]),
    pixels,
  );
}

/** The boxes of a HEIC image that state its size, without its pixels. */
function heic(height: number, width: number): Uint8Array {
  const box = (type: string, ...content: Uint8Array[]): Uint8Array => {
    const body = join(Buffer.from(type), ...content);
    const head = Buffer.alloc(4);
    head.writeUInt32BE(body.length + 4);
    return join(head, body);
  };
  const size = Buffer.alloc(12);
  size.writeUInt32BE(width, 4);
  size.writeUInt32BE(height, 8);
  const iprp = box("iprp", box("ipco", box("ispe", size)));
  return join(box("ftyp", Buffer.from("heic\0\0\0\0mif1heic")), box("meta", Buffer.alloc(4), iprp));
}

describe("readImage", () => {
  it("tells the size of an image upright, and what is wrong with anything else in one sentence", async () => {
    const jpeg = await quarters(120, 160).jpeg().toBuffer();
    const files = {
      "photo.jpg": jpeg,
      "turned.jpg": await quarters(120, 160).withMetadata({ orientation: 6 }).jpeg().toBuffer(),
      "photo.webp": await quarters(20, 30).webp().toBuffer(),
      "photo.avif": await quarters(64, 96).avif().toBuffer(),
      "a png.jpg": await quarters(20, 30).png().toBuffer(),
      "photo.bmp": bmp(),
      "at-the-limit.png": blackPng(5000, 10_000),
      "empty.jpg": new Uint8Array(0),
      "text.jpg": "These are the notes of a person, and no image.\n",
      "cut.jpg": jpeg.subarray(0, 200),
      "half.jpg": jpeg.subarray(0, jpeg.length / 2),
      "cut.png": (await quarters(200, 300).png({ compressionLevel: 0 }).toBuffer()).subarray(0, 5000),
      "large.png": blackPng(10_000, 10_000),
      "photo.tiff": await quarters(20, 30).tiff().toBuffer(),
      "photo.heic": heic(3024, 4032),
      "large.heic": heic(9000, 12_000),
      "drawing.svg": '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10"></svg>',
      "paper.pdf": "%PDF-1.7\n",
      "more.zip": Buffer.from("PK\x03\x04 and so on"),
      "film.mp4": Buffer.from("\0\0\0\x18ftypmp42\0\0\0\0mp42isom"),
      "noise.bin": Buffer.from([1, 2, 3, 200, 201, 0, 7, 9, 250]),
    };
    const sent = Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, base64(bytes)]));
    const got = await onPage((page) => runOn<Record<string, Result<object>>>(page, EXERCISE, "readAll", sent));
    const sizes = {
      "photo.jpg": [120, 160],
      "turned.jpg": [160, 120],
      "photo.webp": [20, 30],
      "photo.avif": [64, 96],
      "a png.jpg": [20, 30],
      "photo.bmp": [3, 2],
      "at-the-limit.png": [5000, 10_000],
    };
    for (const [name, [height, width]] of Object.entries(sizes)) {
      expect(got[name], name).toEqual({ value: { name, height, width } });
    }
    const refused = Object.entries(got).filter(([name]) => !(name in sizes));
    expect(Object.fromEntries(refused.map(([name, { message }]) => [name, message]))).toEqual({
      "empty.jpg": '"empty.jpg" is empty.',
      "text.jpg": '"text.jpg" is text, not an image.',
      "cut.jpg": '"cut.jpg" is a JPEG image that is damaged or cut off.',
      "half.jpg": '"half.jpg" is a JPEG image that is damaged or cut off.',
      "cut.png": '"cut.png" is a PNG image that is damaged or cut off.',
      "large.png": '"large.png" is a 100-megapixel image (10000 x 10000), and the studio takes 50 megapixels at most.',
      "photo.tiff": '"photo.tiff" is a TIFF image, which this browser cannot read.',
      "photo.heic": '"photo.heic" is a HEIC image, which this browser cannot read.',
      "large.heic": '"large.heic" is a 108-megapixel image (12000 x 9000), and the studio takes 50 megapixels at most.',
      "drawing.svg": '"drawing.svg" is an SVG drawing, which this browser cannot read.',
      "paper.pdf": '"paper.pdf" is a PDF file, not an image.',
      "more.zip": '"more.zip" is a zip, not an image.',
      "film.mp4": '"film.mp4" is a film, or an image of a format that this browser cannot read.',
      "noise.bin": '"noise.bin" is not an image of a format that this browser can read.',
    });
    for (const [name, { code, fix }] of refused) {
      expect(code, name).toBe(name.startsWith("large") ? "image-too-large" : "invalid-image");
      expect(fix, name).toMatch(/^[A-Z][^.]+\.$/);
    }
  });
});

describe("workImage", () => {
  it("is upright and scaled down to the size of the work; thumbnails and PNG too", async () => {
    // Turned by a quarter to the right: the lower left quarter of what is stored comes to the upper left.
    const file = await quarters(480, 640).withMetadata({ orientation: 6 }).jpeg({ quality: 95 }).toBuffer();
    const places = [
      [20, 20],
      [80, 20],
      [20, 120],
      [80, 120],
    ] as const;
    type Sizes = Record<"work" | "whole" | "thumbnail" | "png", Picture>;
    const got = await onPage((page) => runOn<Sizes>(page, EXERCISE, "sizesOf", base64(file), 160, places));
    expect([got.work.size, got.whole.size, got.thumbnail.size, got.png.size]).toEqual([
      [160, 120],
      [640, 480],
      [256, 192],
      [640, 480],
    ]);
    const want = [
      [0, 0, 255, 255],
      [255, 0, 0, 255],
      [255, 255, 255, 255],
      [0, 255, 0, 255],
    ];
    got.work.pixels.forEach((pixel, i) => {
      const off = pixel.map((value, k) => Math.abs(value - want[i]![k]!));
      expect(Math.max(...off), `${pixel}`).toBeLessThan(12);
    });
    // The upper left quarter of the large pictures reaches to all of these places.
    for (const pixel of [...got.whole.pixels, ...got.png.pixels]) {
      expect(pixel[2]).toBeGreaterThan(240);
      expect(pixel[0]).toBeLessThan(15);
    }
  });
});
