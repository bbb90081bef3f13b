import { readFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { data } from "@fcn/core";
import { decodeMatLabels } from "../../../packages/fcn/src/data/mat/labels.js";
import { encodeMat } from "../../fcn/data/mat/matEncoder.js";
import { greyPng, palettePng, photo, rgbPng } from "../../fcn/data/trees.js";
import type { FileKind } from "../mutate/index.js";
import { Finding, judgeLabels } from "../oracle.js";
import type { Seed, Target } from "../target.js";

const FILE = "file.bin";
const CLASSES = 3;
const RULE = data.indexRule(CLASSES);
const seed = (name: string, kind: FileKind, bytes: Uint8Array): Seed => ({ name, kind, bytes: new Uint8Array(bytes) });

const target = (
  name: string,
  runs: number,
  seeds: () => Promise<Seed[]>,
  run: (bytes: Uint8Array) => Promise<string>,
): Target => ({ name, runs, open: async () => ({ seeds: await seeds(), names: [FILE], run }) });

const COLOURS = [
  [0, 0, 0],
  [255, 0, 0],
  [0, 255, 0],
];

/** PNG files of every kind; sharp writes the interlaced ones and those of few bits. */
async function pngSeeds(): Promise<Seed[]> {
  const image = photo(5, 7, 3);
  const bits = (depth: number, interlace: number): Uint8Array => {
    const header = Buffer.alloc(13);
    header.writeUInt32BE(6, 0);
    header.writeUInt32BE(4, 4);
    header.set([depth, 0, 0, 0, interlace], 8);
    return pngByHand(header, Buffer.alloc(200));
  };
  return [
    seed(
      "grey",
      "png",
      greyPng(5, 7, (x) => x % 3),
    ),
    seed(
      "palette",
      "png",
      palettePng(4, 6, COLOURS, (x, y) => (x + y) % 3),
    ),
    seed(
      "rgb",
      "png",
      rgbPng(3, 5, (x) => [0, 0xff0000, 0x00ff00][x % 3] as number),
    ),
    seed("alpha", "png", await image.clone().ensureAlpha(0.5).png().toBuffer()),
    seed("interlaced", "png", await image.clone().png({ progressive: true }).toBuffer()),
    seed("16 bits", "png", await image.clone().toColourspace("rgb16").png().toBuffer()),
    seed("2 bits", "png", await photo(9, 9, 2).png({ palette: true, colours: 4 }).toBuffer()),
    seed("1 bit, interlaced", "png", bits(1, 1)),
  ];
}

/** A PNG around a header and more data than it needs is refused, so this is cut to what is needed when it is read. */
function pngByHand(header: Buffer, rows: Buffer): Uint8Array {
  const chunk = (type: string, content: Uint8Array): Buffer => {
    const body = Buffer.concat([Buffer.from(type), content]);
    const out = Buffer.alloc(body.length + 8);
    out.writeUInt32BE(content.length, 0);
    body.copy(out, 4);
    return out;
  };
  const start = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    start,
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

async function readPng(bytes: Uint8Array): Promise<string> {
  const { height, width, channels, depth, samples, palette, kind } = await data.decodePng(FILE, bytes);
  if (samples.length !== height * width * channels) {
    throw new Finding("plane", `${samples.length} samples for ${height}x${width}x${channels}`);
  }
  if (samples.some((sample) => sample >= 2 ** depth)) throw new Finding("sample", `above ${depth} bits`);
  if ((kind === "palette") !== (palette !== undefined)) throw new Finding("palette", kind);
  const plane = await data.decodeMask(FILE, bytes, RULE);
  judgeLabels(plane.labels, plane, CLASSES);
  const strays = plane.strays.reduce((sum, { pixels }) => sum + pixels, 0);
  if (strays > plane.labels.filter((label) => label === 255).length) throw new Finding("strays", `${strays}`);
  return `${kind} of ${depth} bits${strays > 0 ? " with strays" : ""}`;
}

async function imageSeeds(): Promise<Seed[]> {
  const image = photo(9, 12, 5);
  const turned = await image.clone().withMetadata({ orientation: 6 }).jpeg().toBuffer();
  return [
    seed("JPEG", "bytes", await image.clone().jpeg().toBuffer()),
    seed("progressive JPEG", "bytes", await image.clone().jpeg({ progressive: true }).toBuffer()),
    seed("grey JPEG", "bytes", await image.clone().greyscale().jpeg().toBuffer()),
    seed("turned JPEG", "bytes", turned),
    seed("CMYK JPEG", "bytes", await image.clone().toColourspace("cmyk").jpeg().toBuffer()),
    seed("WebP", "bytes", await image.clone().webp().toBuffer()),
    seed("lossless WebP", "bytes", await image.clone().webp({ lossless: true }).toBuffer()),
    seed("TIFF", "bytes", await image.clone().tiff({ compression: "none" }).toBuffer()),
    seed("packed TIFF", "bytes", await image.clone().tiff({ compression: "lzw" }).toBuffer()),
    seed("GIF", "bytes", await image.clone().gif().toBuffer()),
    seed("AVIF", "bytes", await photo(16, 16, 2).avif().toBuffer()),
    seed("PNG", "png", await image.clone().png().toBuffer()),
  ];
}

async function readImage(bytes: Uint8Array): Promise<string> {
  const { image, stored, orientation } = await data.decodeImage(FILE, bytes);
  const { height, width, channels, data: pixels } = image;
  const isWhole = height >= 1 && width >= 1 && pixels.length === height * width * channels;
  if (!isWhole || channels !== 3)
    throw new Finding("image", `${pixels.length} bytes for ${height}x${width}x${channels}`);
  if (!(stored.height >= 1 && stored.width >= 1)) throw new Finding("size", `stored ${stored.height}x${stored.width}`);
  if (!(orientation >= 1 && orientation <= 8)) throw new Finding("orientation", String(orientation));
  return `an image${orientation > 1 ? ", turned" : ""}`;
}

const MATS = ["sbd", "sbd-plain", "nyud", "siftflow-semantic", "siftflow-geometric", "context", "kinds"];

async function matSeeds(): Promise<Seed[]> {
  const rows = [
    [0, 1, 2],
    [1, 2, 0],
  ];
  const labels = { S: { rows, type: "uint8" }, t: { text: "text" }, c: { cells: [{ rows, type: "int16" }] } } as const;
  return [
    ...MATS.map((name) => seed(name, "mat", readFileSync(join("test/golden/mat", `${name}.mat`)))),
    seed("big-endian", "mat", encodeMat(labels, { littleEndian: false })),
    seed("compressed", "mat", encodeMat({ GTcls: { fields: { Segmentation: labels.S } } }, { compress: true })),
  ];
}

function judgeMat(value: data.MatValue, depth = 0): void {
  if (depth > 40) throw new Finding("depth", "values nested more than 40 deep");
  const count = value.shape.reduce((product, size) => product * size, 1);
  if (value.kind === "numeric" && value.data.length !== count) {
    throw new Finding("array", `[${value.shape}] with ${value.data.length} values`);
  }
  if (value.kind === "cell") for (const cell of value.cells) judgeMat(cell, depth + 1);
  if (value.kind === "struct") {
    for (const record of value.elements) for (const field of Object.values(record)) judgeMat(field, depth + 1);
  }
}

async function readMatFile(bytes: Uint8Array): Promise<string> {
  const variables = await data.readMat(FILE, bytes);
  for (const value of variables.values()) judgeMat(value);
  for (const path of [["S"], ["GTcls", "Segmentation"], ["LabelMap"], ["segmentation"]]) {
    if (!variables.has(path[0] as string)) continue;
    const plane = await decodeMatLabels(FILE, bytes, path, RULE);
    judgeLabels(plane.labels, plane, CLASSES);
    return `labels at ${path.join(".")}`;
  }
  return `${variables.size} variables`;
}

/** Decoders of images and label maps. */
export const IMAGES: readonly Target[] = [
  target("png", 80_000, pngSeeds, readPng),
  target("image", 20_000, imageSeeds, readImage),
  target("mat", 80_000, matSeeds, readMatFile),
];
