import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { encode } from "fast-png";
import sharp, { type Sharp } from "sharp";
import { afterAll } from "vitest";

/** A folder of its own for the tests of a file; it is removed after them. */
export async function temporaryFolder(name: string): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), `${name}-`));
  afterAll(() => rm(root, { recursive: true, force: true }));
  return root;
}

/** Writes files below a root, making folders as needed. */
export async function writeTree(root: string, files: Readonly<Record<string, Uint8Array | string>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
}

type Fill = (x: number, y: number) => number;

const plane = (height: number, width: number, fill: Fill): Uint8Array =>
  Uint8Array.from({ length: height * width }, (_, i) => fill(i % width, Math.floor(i / width)));

/** An 8-bit grey PNG. */
export function greyPng(height: number, width: number, fill: Fill): Uint8Array {
  return encode({ height, width, data: plane(height, width, fill), channels: 1, depth: 8 });
}

/** An 8-bit palette PNG. */
export function palettePng(
  height: number,
  width: number,
  palette: readonly (readonly number[])[],
  fill: Fill,
): Uint8Array {
  const colours = palette.map((colour) => [...colour]);
  return encode({ height, width, data: plane(height, width, fill), channels: 1, depth: 8, palette: colours });
}

/** An RGB PNG; `fill` answers 0xRRGGBB. */
export function rgbPng(height: number, width: number, fill: Fill): Uint8Array {
  return encode({ height, width, data: rgbPixels(height, width, fill), channels: 3, depth: 8 });
}

function rgbPixels(height: number, width: number, fill: Fill): Uint8Array {
  return Uint8Array.from({ length: height * width * 3 }, (_, i) => {
    const pixel = Math.floor(i / 3);
    return (fill(pixel % width, Math.floor(pixel / width)) >> (16 - 8 * (i % 3))) & 0xff;
  });
}

/** A picture of smooth, many-coloured content that depends on `seed`. */
export function photo(height: number, width: number, seed: number): Sharp {
  const wave = (x: number, y: number, k: number): number =>
    Math.floor(
      127 + 60 * Math.sin((x * (seed % 7) + k * 40) / 9 + seed) + 60 * Math.cos((y * ((seed * 3) % 5) + k * 17) / 7),
    );
  const data = rgbPixels(height, width, (x, y) => (wave(x, y, 0) << 16) | (wave(x, y, 1) << 8) | wave(x, y, 2));
  return sharp(data, { raw: { height, width, channels: 3 } });
}

/** {@link photo} as a JPEG file. */
export async function jpeg(height: number, width: number, seed: number): Promise<Uint8Array> {
  return new Uint8Array(await photo(height, width, seed).jpeg({ quality: 95 }).toBuffer());
}
