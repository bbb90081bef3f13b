import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { data } from "@fcn/core";
import { encode } from "fast-png";
import { classNames } from "../../../packages/fcn/src/cli/flags/classNames.js";
import { encodeMat } from "../../fcn/data/mat/matEncoder.js";
import { greyPng, jpeg, palettePng, photo, rgbPng } from "../../fcn/data/trees.js";
import { MemoryFolder } from "../memoryFolder.js";
import type { FileKind } from "../mutate/index.js";
import { Finding } from "../oracle.js";
import type { Seed, Target } from "../target.js";
import { readFolder } from "./readFolder.js";

type Files = Readonly<Record<string, Uint8Array | string>>;

const [HEIGHT, WIDTH] = [6, 8];
const IMAGE = /\.(jpg|png)$/;
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const rowsOf = (fill: (x: number, y: number) => number): number[][] =>
  Array.from({ length: HEIGHT }, (_, y) => Array.from({ length: WIDTH }, (_, x) => fill(x, y)));
const image = (i: number): Promise<Uint8Array> => jpeg(HEIGHT, WIDTH, i);
const PALETTE = Array.from({ length: 256 }, (_, i) => [(i * 37) % 256, (i * 91) % 256, (i * 13) % 256]);

function kindOf(path: string): FileKind {
  const extension = path.replace(/^.*\./, "");
  const kinds: Readonly<Record<string, FileKind>> = { png: "png", mat: "mat", json: "json", txt: "text" };
  return kinds[extension] ?? "bytes";
}

const layout = (name: string, runs: number, make: () => Promise<Files>, options: data.OpenOptions = {}): Target => ({
  name,
  runs,
  open: async (scratch) => {
    const root = join(scratch, name);
    const memory = new MemoryFolder(root);
    const seeds = Object.entries(await make()).map(([path, content]) => {
      const bytes = typeof content === "string" ? utf8(content) : new Uint8Array(content);
      // What reads files without Node finds them on the disk.
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), bytes);
      memory.write(path, bytes);
      return { name: path, kind: kindOf(path), bytes };
    });
    const write = (path: string, bytes: Uint8Array): void => {
      memory.write(path, bytes);
      if (IMAGE.test(path)) writeFileSync(join(root, path), bytes);
    };
    let last = seeds[0] as Seed;
    const run = async (bytes: Uint8Array, which: number): Promise<string> => {
      const seed = seeds[which] as Seed;
      if (last !== seed) write(last.name, last.bytes);
      last = seed;
      write(seed.name, bytes);
      return readFolder(root, join(root, seed.name), { workers: 0, ...options }, bytes);
    };
    return { seeds, names: [root], run };
  },
});

async function vocFiles(): Promise<Files> {
  const files: Record<string, Uint8Array | string> = {
    "ImageSets/Segmentation/train.txt": "a\nb\n",
    "ImageSets/Segmentation/val.txt": "c\n",
  };
  for (const [i, name] of ["a", "b", "c"].entries()) {
    files[`JPEGImages/${name}.jpg`] = await image(i);
    files[`SegmentationClass/${name}.png`] = palettePng(
      HEIGHT,
      WIDTH,
      PALETTE,
      (x) => [0, 15, 20, 255][x % 4] as number,
    );
  }
  return files;
}

async function sbdFiles(): Promise<Files> {
  const files: Record<string, Uint8Array | string> = { "train.txt": "a\nb\n", "val.txt": "c\n" };
  for (const [i, name] of ["a", "b", "c"].entries()) {
    files[`img/${name}.jpg`] = await image(i);
    const fields = { Segmentation: { rows: rowsOf((x, y) => (x + y) % 21), type: "uint8" } } as const;
    files[`cls/${name}.mat`] = encodeMat({ GTcls: { fields } }, { compress: i > 0 });
  }
  return files;
}

async function nyudFiles(): Promise<Files> {
  const depth = Uint16Array.from({ length: HEIGHT * WIDTH }, (_, i) => i * 900);
  const files: Record<string, Uint8Array | string> = { "train.txt": "5001\n", "test.txt": "5002\n" };
  for (const id of ["5001", "5002"]) {
    files[`data/images/img_${id}.png`] = new Uint8Array(await photo(HEIGHT, WIDTH, 4).png().toBuffer());
    files[`data/depth/img_${id}.png`] = encode({ height: HEIGHT, width: WIDTH, channels: 1, depth: 16, data: depth });
    const rows = rowsOf((x, y) => (x + 8 * y) % 41);
    files[`segmentation/img_${id}.mat`] = encodeMat({ segmentation: { rows, type: "uint16" } }, { compress: true });
  }
  return files;
}

const SCENES = "spatial_envelope_256x256_static_8outdoorcategories";

async function siftFlowFiles(): Promise<Files> {
  const files: Record<string, Uint8Array | string> = { "trainval.txt": "a\nb", "test.txt": "c" };
  for (const [i, name] of ["a", "b", "c"].entries()) {
    files[`Images/${SCENES}/${name}.jpg`] = await image(i);
    const [semantic, geometric] = [rowsOf((x, y) => (x + y) % 34), rowsOf((x) => (x % 5) - 1)];
    files[`SemanticLabels/${SCENES}/${name}.mat`] = encodeMat({ S: { rows: semantic, type: "double" } });
    files[`GeoLabels/${SCENES}/${name}.mat`] = encodeMat({ S: { rows: geometric, type: "int8" } });
  }
  return files;
}

async function contextFiles(): Promise<Files> {
  const names = data.CONTEXT_33.map((name, i) => `${i + 1}: ${name}`);
  const files: Record<string, Uint8Array | string> = {
    "labels.txt": `${names.join("\n")}\n`,
    "33_labels.txt": `${["0: background", ...names].join("\n")}\n`,
    "VOC2010/ImageSets/Main/train.txt": "a\n",
    "VOC2010/ImageSets/Main/val.txt": "b\n",
  };
  for (const [i, name] of ["a", "b"].entries()) {
    files[`VOC2010/JPEGImages/${name}.jpg`] = await image(i);
    const rows = rowsOf((x, y) => 1 + ((x + y) % 40));
    files[`trainval/${name}.mat`] = encodeMat({ LabelMap: { rows, type: "uint16" } }, { compress: true });
  }
  return files;
}

/** Masks that hold numbers, with classes and lists. */
async function numberFiles(): Promise<Files> {
  const files: Record<string, Uint8Array | string> = {
    "classes.json": JSON.stringify([
      { name: "sky", value: 0 },
      { name: "road", value: 1 },
      { name: "x", value: 7, ignore: true },
    ]),
    "splits/train.txt": "a\nsub/b\n",
    "splits/val.txt": "images/c.jpg masks/c.png\n",
  };
  for (const [i, name] of ["a", "sub/b", "c"].entries()) {
    files[`images/${name}.jpg`] = await image(i);
    files[`masks/${name}.png`] = greyPng(HEIGHT, WIDTH, (x) => [0, 1, 7, 255][x % 4] as number);
  }
  return files;
}

/** Masks in colours, and how other tools list the classes. */
async function colourFiles(list: string, content: string): Promise<Files> {
  const files: Record<string, Uint8Array | string> = { [list]: content };
  for (const [i, name] of ["a", "b"].entries()) {
    files[`images/${name}.jpg`] = await image(i);
    files[`masks/${name}.png`] = rgbPng(HEIGHT, WIDTH, (x) => [0, 0x800000, 0x000080][x % 3] as number);
  }
  return files;
}

const LABELMAP = "# label:color_rgb:parts:actions\nbackground:0,0,0::\ncat:128,0,0::\ndog:0,0,128::\n";

async function cvatFiles(): Promise<Files> {
  const files: Record<string, Uint8Array | string> = {
    "labelmap.txt": LABELMAP,
    "ImageSets/Segmentation/default.txt": "f0\nf1\n",
  };
  for (const i of [0, 1]) {
    files[`JPEGImages/f${i}.png`] = new Uint8Array(await photo(HEIGHT, WIDTH, i).png().toBuffer());
    files[`SegmentationClass/f${i}.png`] = rgbPng(HEIGHT, WIDTH, (x) => [0, 0x800000, 0x000080][x % 3] as number);
  }
  return files;
}

async function cocoFiles(): Promise<Files> {
  const square = [1, 1, 5, 1, 5, 4, 1, 4];
  const annotations = [
    { id: 1, image_id: 1, category_id: 18, iscrowd: 0, segmentation: [square], area: 12, bbox: [1, 1, 4, 3] },
    { id: 2, image_id: 1, category_id: 3, iscrowd: 1, segmentation: { size: [HEIGHT, WIDTH], counts: [6, 12, 30] } },
    { id: 3, image_id: 2, category_id: 3, iscrowd: 0, segmentation: { size: [HEIGHT, WIDTH], counts: "6<N0" } },
    { id: 4, image_id: 2, category_id: 18, iscrowd: 0, segmentation: [[2, 2, 6.5, 2, 4, 5.25]] },
  ];
  const categories = [
    { id: 3, name: "car", supercategory: "vehicle" },
    { id: 18, name: "dog" },
  ];
  const images = ["a.jpg", "b.jpg"].map((name, i) => ({ id: i + 1, file_name: name, height: HEIGHT, width: WIDTH }));
  return {
    "annotations/instances_train.json": JSON.stringify({ info: {}, images, annotations, categories }),
    "images/a.jpg": await image(1),
    "images/b.jpg": await image(2),
  };
}

async function labelmeFiles(): Promise<Files> {
  const mask = Buffer.from(greyPng(3, 2, () => 1)).toString("base64");
  const shape = (label: string, shape_type: string, points: number[][], more = {}): object => ({
    ...{ label, shape_type, points, group_id: null, flags: {} },
    ...more,
  });
  const shapes = [
    shape("cat", "polygon", [
      [1, 1],
      [6, 1],
      [3, 5],
    ]),
    shape("dog", "rectangle", [
      [0, 0],
      [2, 2],
    ]),
    shape("cat", "circle", [
      [4, 3],
      [5, 3],
    ]),
    shape("dog", "linestrip", [
      [0, 5],
      [4, 4],
      [7, 5],
    ]),
    shape("dog", "point", [[6, 4]]),
    shape(
      "cat",
      "mask",
      [
        [1, 1],
        [2, 3],
      ],
      { mask },
    ),
  ];
  const files: Record<string, Uint8Array | string> = { "classes.json": '["_background_", "cat", "dog"]' };
  for (const [i, name] of ["a", "b"].entries()) {
    const size = { imageHeight: HEIGHT, imageWidth: WIDTH };
    files[`${name}.jpg`] = await image(i);
    files[`${name}.json`] = JSON.stringify({
      version: "5.0.1",
      flags: {},
      shapes,
      imagePath: `${name}.jpg`,
      imageData: null,
      ...size,
    });
  }
  return files;
}

/** The file of class names that the command line takes. */
const cliClasses: Target = {
  name: "cli-classes",
  runs: 10_000,
  open: async (scratch) => {
    const seeds = [
      { name: "list.json", kind: "json" as const, bytes: utf8('["sky", { "name": "edge", "ignore": true }, "sea"]') },
      { name: "object.json", kind: "json" as const, bytes: utf8('{ "classes": ["sky", { "name": "sea" }] }') },
      { name: "list.txt", kind: "text" as const, bytes: utf8("sky\nsea\n") },
    ];
    const run = async (bytes: Uint8Array, seed: number): Promise<string> => {
      const path = join(scratch, seeds[seed]?.name ?? "list.txt");
      writeFileSync(path, bytes);
      const names = await classNames(path);
      const isGood =
        names.length > 0 && names.every((name) => typeof name === "string" && name.trim() === name && name !== "");
      if (!isGood || new Set(names).size !== names.length)
        throw new Finding("names", JSON.stringify(names).slice(0, 300));
      return `${Math.min(names.length, 4)} names`;
    };
    return { seeds, names: [scratch], run };
  },
};

/** Whole folders of each layout, of which one file is changed at a time. */
export const FOLDERS: readonly Target[] = [
  layout("voc", 20_000, vocFiles),
  layout("sbd", 20_000, sbdFiles),
  layout("nyud", 20_000, nyudFiles, { input: "color-d" }),
  layout("siftflow", 20_000, siftFlowFiles),
  layout("pascal-context", 20_000, contextFiles, { contextClasses: 33 }),
  layout("folder-numbers", 20_000, numberFiles),
  layout("folder-labelmap", 10_000, () => colourFiles("labelmap.txt", LABELMAP)),
  layout("folder-names", 10_000, () => colourFiles("class_names.txt", "__ignore__\n_background_\ncat\ndog\n")),
  layout("cvat", 10_000, cvatFiles),
  layout("coco", 30_000, cocoFiles),
  layout("labelme", 30_000, labelmeFiles),
  cliClasses,
];
