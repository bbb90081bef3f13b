import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { encode } from "fast-png";
import sharp, { type Sharp } from "sharp";
import { afterAll } from "vitest";
import { encodeMat } from "./mat/matEncoder.js";

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

/** An RGB PNG; `fill` returns 0xRRGGBB. */
export function rgbPng(height: number, width: number, fill: Fill): Uint8Array {
  return encode({ height, width, data: rgbPixels(height, width, fill), channels: 3, depth: 8 });
}

function rgbPixels(height: number, width: number, fill: Fill): Uint8Array {
  return Uint8Array.from({ length: height * width * 3 }, (_, i) => {
    const pixel = Math.floor(i / 3);
    return (fill(pixel % width, Math.floor(pixel / width)) >> (16 - 8 * (i % 3))) & 0xff;
  });
}

/** An image of smooth, many-coloured content that depends on `seed`. */
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

const SCENES = "spatial_envelope_256x256_static_8outdoorcategories";

/** What a small copy of SIFT Flow holds; the labels are stored numbers, which count from 1. */
export interface SiftFlowTree {
  readonly trainval: readonly string[];
  readonly test: readonly string[];
  readonly height: number;
  readonly width: number;
  /** 0 is void. */
  readonly semantic: (x: number, y: number, image: number) => number;
  /** 0 and -1 are void. */
  readonly geometric: (x: number, y: number, image: number) => number;
  /** The image as a file; {@link jpeg} unless given. */
  readonly image?: (image: number) => Promise<Uint8Array>;
}

/** Writes a folder in the layout of SIFT Flow and returns its path. */
export async function writeSiftFlow(root: string, tree: SiftFlowTree): Promise<string> {
  const { trainval, test, height, width, image = (image) => jpeg(height, width, image) } = tree;
  const rowsOf = (fill: Fill): number[][] =>
    Array.from({ length: height }, (_, y) => Array.from({ length: width }, (_, x) => fill(x, y)));
  const files: Record<string, Uint8Array | string> = {
    "trainval.txt": trainval.join("\n"),
    "test.txt": test.join("\n"),
  };
  for (const [i, name] of [...trainval, ...test].entries()) {
    const semantic = rowsOf((x, y) => tree.semantic(x, y, i));
    const geometric = rowsOf((x, y) => tree.geometric(x, y, i));
    files[`Images/${SCENES}/${name}.jpg`] = await image(i);
    files[`SemanticLabels/${SCENES}/${name}.mat`] = encodeMat({ S: { rows: semantic, type: "double" } });
    files[`GeoLabels/${SCENES}/${name}.mat`] = encodeMat({ S: { rows: geometric, type: "int8" } });
  }
  await writeTree(root, files);
  return root;
}
