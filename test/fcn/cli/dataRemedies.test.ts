import { Buffer } from "node:buffer";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { fcn } from "../../support/commandLine.js";
import { greyPng, jpeg, palettePng, rgbPng, temporaryFolder, writeTree } from "../data/trees.js";

const root = await temporaryFolder("cli-remedies");
const photo = await jpeg(16, 16, 2);
const other = await jpeg(16, 16, 5);
const mask = greyPng(16, 16, (x) => Number(x < 8));
const LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
const pair = { "images/a.jpg": photo, "masks/a.png": mask, "images/b.jpg": other, "masks/b.png": mask };

type Tree = Record<string, Uint8Array | string>;
const coco = (change: (json: Record<string, unknown[]>) => unknown): Tree => {
  const json = {
    images: [{ id: 1, file_name: "a.jpg", height: 16, width: 16 }],
    annotations: [{ id: 1, image_id: 1, category_id: 1, iscrowd: 0, segmentation: [[0, 0, 8, 0, 8, 8, 0, 8]] }],
    categories: [{ id: 1, name: "cat" }],
  };
  return { "a.jpg": photo, "all.json": JSON.stringify(change(json as never)) };
};
const labelme = (shape: object, more: object = {}): Tree => ({
  "a.jpg": photo,
  "a.json": JSON.stringify({ imagePath: "a.jpg", imageHeight: 16, imageWidth: 16, shapes: [shape], ...more }),
});

/** Folders in which something is wrong, with what must stand in the printed lines. */
const FOLDERS: Record<string, readonly [tree: Tree, told: RegExp, flags?: readonly string[]]> = {
  nothing: [{ "readme.md": "x" }, /put images into images\//],
  "no-masks": [{ "images/a.jpg": photo }, /masks\/ is missing/],
  "voc-half": [{ "JPEGImages/a.jpg": photo, "ImageSets/Segmentation/train.txt": "a" }, /SegmentationClass is missing/],
  "context-without-voc": [{ "trainval/a.mat": "x", "labels.txt": "1: a" }, /fix: .*--voc /],
  "context-classes": [
    {
      "trainval/a.mat": "x",
      "labels.txt": "1: a",
      "VOC2010/JPEGImages/a.jpg": photo,
      "VOC2010/ImageSets/Main/train.txt": "a",
    },
    /fix: .*--context-classes 59/,
    ["--context-classes", "7"],
  ],
  "layout-misfit": [pair, /fix: .*leave --layout out/, ["--layout", "voc"]],
  "suffix-misfit": [pair, /fix: correct --mask-suffix/, ["--mask-suffix", "_gt"]],
  "two-masks": [
    { ...pair, "images/c.jpg": photo, "masks/c_gt.png": mask, "masks/c_mask.png": mask },
    /fix: choose with --mask-suffix _gt/,
  ],
  "odd-suffix": [{ "images/a.jpg": photo, "masks/a_zz.png": mask }, /fix: .*--mask-suffix _zz/],
  "other-layout-too": [{ ...pair, "all.json": coco((json) => json)["all.json"] as string }, /to choose, set --layout/],
  "coco-with-classes": [{ ...coco((json) => json), "classes.json": '["a"]' }, /--categories/],
  "coco-nan": [{ "a.jpg": photo, "all.json": '{"images": [NaN]}' }, /NaN is a word of Python/],
  "coco-no-categories": [coco(({ images, annotations }) => ({ images, annotations })), /categories/],
  "labelme-no-label": [labelme({ points: [[0, 0]] }), /has no label/],
  "labelme-gbk": [{ "a.jpg": photo, "a.json": Buffer.from([0x7b, 0x22, 0xb1, 0xb3, 0x22, 0x7d]) }, /iconv -f/],
  "labelme-html": [{ "a.jpg": photo, "a.json": "<html>" }, /a web page/],
  "lfs-masks": [{ ...pair, "masks/a.png": LFS }, /git lfs pull/],
  "lfs-list": [{ ...pair, "splits/train.txt": LFS }, /git lfs pull/],
  "jpeg-mask": [{ "images/a.jpg": photo, "masks/a.jpg": photo }, /compression changes labels/],
  "cut-jpeg": [
    { ...pair, "images/a.jpg": photo.subarray(0, 200) },
    /with --skip-bad, fcn train and fcn eval leave out/,
  ],
  size: [{ ...pair, "masks/a.png": greyPng(16, 17, () => 1) }, /export the labels at the size/],
  "stray-labelmap-colour": [
    {
      "labelmap.txt": "a:0,0,0::\nb:255,0,0::",
      "images/a.jpg": photo,
      "masks/a.png": rgbPng(16, 16, (x) => (x < 8 ? 0xff0000 : x < 9 ? 0x00ff00 : 0)),
    },
    /list the colour in labelmap\.txt \(as name:r,g,b::\)/,
  ],
  "stray-number-names": [
    { ...pair, "class_names.txt": "a\nb", "masks/a.png": greyPng(16, 16, (x) => (x < 8 ? 3 : 0)) },
    /a classes\.json, which is read in place of class_names\.txt/,
  ],
  "binary-names": [
    { "class_names.txt": "a\nb\nc", "images/a.jpg": photo, "masks/a.png": greyPng(16, 16, (x) => (x < 8 ? 0 : 255)) },
    /value in a classes\.json, which is read in place of class_names\.txt: \[\{"name": "class 0", "value": 0\}/,
  ],
  "colours-names": [
    {
      "class_names.txt": "a\nb\nc",
      "images/a.jpg": photo,
      "masks/a.png": rgbPng(16, 16, (x) => (x < 8 ? 0x123456 : 0x654321)),
    },
    /class_names\.txt does not say which colour each class has.*\n.*give each class its color in a classes\.json, which is read in place of class_names\.txt/,
  ],
  palettes: [
    {
      "images/a.jpg": photo,
      "masks/a.png": palettePng(
        16,
        16,
        [
          [0, 0, 0],
          [255, 0, 0],
        ],
        (x) => x % 2,
      ),
      "images/b.jpg": other,
      "masks/b.png": palettePng(
        16,
        16,
        [
          [255, 0, 0],
          [0, 0, 0],
        ],
        (x) => x % 2,
      ),
    },
    /list the classes with their colours in classes\.json/,
  ],
  "labelmap-broken": [{ ...pair, "labelmap.txt": "sky 0 0 0" }, /name:r,g,b::/],
  "colours-and-numbers": [
    { ...pair, "masks/b.png": rgbPng(16, 16, (x) => (x < 8 ? 0xff0000 : 0)) },
    /give each class its color in classes\.json: \[\{"name": "class 0", "color": "#000000"/,
  ],
  "numbers-of-colours": [
    { ...pair, "classes.json": '[{"name":"a","color":"#000000"},{"name":"b","color":"#ff0000"}]' },
    /if the stored numbers are meant, give each class its "value" in classes\.json/,
  ],
  leak: [{ ...pair, "splits/train.txt": "a", "splits/val.txt": "a\nb" }, /is the same file as/],
  "wrong-owner": [pair, /fix: leave the option out, or name a folder of that layout/, ["--line-width", "3"]],
};

/** What only those who write code can follow. */
const CODE = [
  /\{ ?\w+: ?[^"}]/,
  /\bio\.\w/,
  /`/,
  /\w\(\)/,
  /\b(the|an?) option (?!(?:of|out)\b)[a-z]\w*\b(?! \(--)/,
  /\b(lineWidth|maskSuffix|skipBad|contextClasses|numClasses|loadModel|batchSize|learningRate|trainable)\b(?! \(--)/,
  /\bpass (a|an|what|\{)/,
];

beforeAll(async () => {
  for (const [name, [tree]] of Object.entries(FOLDERS)) {
    await writeTree(root, Object.fromEntries(Object.entries(tree).map(([path, bytes]) => [`${name}/${path}`, bytes])));
  }
});

describe("what fcn data check prints of a bad folder", () => {
  it.each(Object.entries(FOLDERS))(
    "%s: tells what is wrong and how it is mended, without words of code",
    async (name, [, told, flags = []]) => {
      const { stdout, stderr } = await fcn(["data", "check", join(root, name), ...flags]);
      const text = stdout + stderr;
      expect(text).toMatch(told);
      // Names of folders may hold anything.
      const words = text.replaceAll(root, "");
      for (const pattern of CODE) expect(words).not.toMatch(pattern);
    },
  );
});
