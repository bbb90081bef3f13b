import { chmod, symlink } from "node:fs/promises";
import { join } from "node:path";
import { data } from "@fcn/core";
import { TensorError } from "@fcn/tensor";
import { beforeEach, describe, expect, it } from "vitest";
import { seededSplit } from "../../../../packages/fcn/src/data/folder/splits.js";
import { greyPng, jpeg, rgbPng, temporaryFolder, writeTree } from "../trees.js";

const base = await temporaryFolder("folder");
let root = "";
let count = 0;
beforeEach(() => {
  root = join(base, String(count++));
});

const pairs = async (names: readonly string[], more: Record<string, Uint8Array | string> = {}): Promise<void> => {
  const files: Record<string, Uint8Array | string> = { ...more };
  for (const [i, name] of names.entries()) {
    files[`images/${name}.jpg`] = await jpeg(6, 8, i);
    files[`masks/${name}.png`] = greyPng(6, 8, (x) => (x < 4 ? 0 : 1 + (i % 2)));
  }
  await writeTree(root, files);
};
const namesOf = (dataset: data.SegmentationDataset | undefined): string[] =>
  Array.from({ length: dataset?.length ?? 0 }, (_, i) => dataset?.name(i) as string);
const codes = ({ remarks }: data.OpenedData): string[] => remarks.map(({ code }) => code);

describe("a folder of images and masks", () => {
  it("opens without a line of code, and loads what its files hold", async () => {
    await pairs(["a", "b", "c", "d", "e"]);
    const opened = await data.open(`${root}/`);
    expect(opened).toMatchObject({ root, layout: "folder", classes: ["class 0", "class 1", "class 2"] });
    expect(codes(opened)).toEqual(["classes-found", "seeded-split"]);
    const { train, val } = opened.splits;
    expect([...namesOf(train), ...namesOf(val)].sort()).toEqual(["a", "b", "c", "d", "e"]);
    expect(val?.length).toBe(1);
    const sample = (await train?.load(0)) as data.SegmentationSample;
    data.checkSample("test", sample, 3);
    expect([...sample.labels.subarray(0, 8)]).toEqual([0, 0, 0, 0, ...new Array(4).fill(sample.labels[7])]);
    const again = await data.open(root);
    expect(namesOf(again.splits.train)).toEqual(namesOf(train));
  });

  it("uses classes.json and the lists in splits/, whose lines may carry folders, extensions and more words", async () => {
    await pairs(["a", "b", "c"], {
      "classes.json": JSON.stringify(["sky", { name: "sea" }, "land"]),
      "splits/train.txt": "\ufeffimages/a.jpg masks/a.png\r\n\nc\n",
      "splits/val.txt": "b.jpg\n",
      "splits/test.txt": "c",
    });
    const opened = await data.open(root);
    expect(opened.classes).toEqual(["sky", "sea", "land"]);
    expect(Object.entries(opened.splits).map(([name, set]) => [name, namesOf(set)])).toEqual([
      ["test", ["c"]],
      ["train", ["a", "c"]],
      ["val", ["b"]],
    ]);
    expect(opened.remarks).toEqual([]);
  });

  it("finds names with spaces in lists, whole or in the first of several columns", async () => {
    await pairs(["my photo 1", "my photo 2", "below it/c", "a", "a_mask"], {
      "splits/train.txt": "my photo 1\nimages/my photo 2.jpg\nimages/below it/c.jpg\n",
      "splits/val.txt": "images/a.jpg masks/a_mask.png\nmy photo 3\n",
    });
    const { splits, remarks } = await data.open(root);
    expect(namesOf(splits.train)).toEqual(["my photo 1", "my photo 2", "below it/c"]);
    expect(namesOf(splits.val)).toEqual(["a"]);
    expect(remarks.filter(({ level }) => level === "problem").map(({ text }) => text)).toEqual([
      'it names "my photo 3", which has no labelled image here',
    ]);
  });

  it("tells images of one name in several folders apart by the folders in the list", async () => {
    await pairs(["x/a", "y/a"], { "splits/train.txt": "images/x/a.jpg", "splits/val.txt": "images/y/a.jpg" });
    const { splits } = await data.open(root);
    expect([namesOf(splits.train), namesOf(splits.val)]).toEqual([["x/a"], ["y/a"]]);
  });

  it("takes a name without its folder where one folder alone has it, and no name for another that it begins with", async () => {
    await pairs(["x/a", "y/a", "y/b", "IMG", "v1.2"], {
      "splits/train.txt": "a\nb\nIMG.3\nv1.2\n",
      "splits/val.txt": "IMG.jpg\n",
    });
    const { splits, remarks } = await data.open(root);
    expect([namesOf(splits.train), namesOf(splits.val)]).toEqual([["y/b", "v1.2"], ["IMG"]]);
    expect(remarks.filter(({ level }) => level !== "note").map(({ level, text }) => [level, text])).toEqual([
      ["problem", 'it names "IMG.3", which has no labelled image here'],
      ["problem", 'it names "a", which may be x/a or y/a: write the folder too'],
      ["warning", "2 labelled images are left out, because no list in splits/ names them: x/a, y/a"],
    ]);
  });

  it("reads lists in UTF-16 and with an ending in capitals, but not two lists of one split", async () => {
    const utf16 = Buffer.from("\ufeffa\r\nb\r\n", "utf16le");
    await pairs(["a", "b", "c"], { "splits/Train.TXT": new Uint8Array(utf16), "splits/VALID.txt": "c" });
    const { splits } = await data.open(root);
    expect([namesOf(splits.train), namesOf(splits.val)]).toEqual([["a", "b"], ["c"]]);
    await writeTree(root, { "splits/val.txt": new Uint8Array(utf16.swap16()), "splits/VALID.txt": "c" });
    await expect(data.open(root)).rejects.toThrow(
      `${join(root, "splits/val.txt")}: it is the list of "val", and so is ${join(root, "splits/VALID.txt")}`,
    );
    root = join(base, String(count++));
    await pairs(["a", "b"], { "splits/train.txt": new Uint8Array(utf16.subarray(2)), "splits/val.txt": "b" });
    await expect(data.open(root)).rejects.toThrow("train.txt: it is not UTF-8 text");
  });

  it("names the file of another format that has the name of a partner", async () => {
    await pairs(["a", "b"], {
      "images/c.bmp": "BM",
      "masks/c.png": greyPng(6, 8, () => 0),
      "images/d.jpg": await jpeg(6, 8, 4),
      "masks/d.npy": "x",
    });
    const { remarks } = await data.open(root);
    expect(remarks.filter(({ level }) => level === "problem").map(({ text }) => text)).toEqual([
      `it has no mask: ${join(root, "masks/d.npy")} cannot be used, because a mask must be a PNG file`,
      `it has no image in ${join(root, "images")}: the format of ${join(root, "images/c.bmp")} is not supported; save it as PNG or JPEG`,
    ]);
  });

  it("pairs names that are the same text in other code points", async () => {
    const [composed, split] = ["caf\u00e9", "cafe\u0301"];
    await writeTree(root, {
      [`images/${composed}.jpg`]: await jpeg(6, 8, 1),
      [`masks/${split}.png`]: greyPng(6, 8, (x) => x % 2),
      "splits/train.txt": split,
      "splits/val.txt": composed,
    });
    const { splits, remarks } = await data.open(root);
    expect([splits.train?.length, splits.val?.length]).toEqual([1, 1]);
    expect(remarks.filter(({ level }) => level === "problem")).toEqual([]);
    expect((await splits.train?.load(0))?.labels.subarray(0, 2)).toEqual(Uint8Array.of(0, 1));
  });

  it("takes folders named as splits for splits", async () => {
    await pairs(["training/a", "training/b", "validation/a"]);
    const { splits } = await data.open(root);
    expect([namesOf(splits.train), namesOf(splits.val)]).toEqual([["training/a", "training/b"], ["validation/a"]]);
  });

  it("uses folders of splits beside others, and says what is left out", async () => {
    await pairs(["train/a", "train/b", "val/c", "extra/d", "extra/e", "f"]);
    const { splits, remarks } = await data.open(root);
    expect(Object.entries(splits).map(([name, set]) => [name, namesOf(set)])).toEqual([
      ["train", ["train/a", "train/b"]],
      ["val", ["val/c"]],
    ]);
    expect(remarks.filter(({ level }) => level === "warning").map(({ text }) => text)).toEqual([
      "2 images in extra/ are left out: the splits here are named train, val",
      "1 image in no folder is left out: the splits here are named train, val",
    ]);
  });

  it("keeps what is to be measured on out of train, whatever else is there", async () => {
    await pairs(["train/a", "train/b", "test/c"]);
    const { splits } = await data.open(root);
    expect([splits.train?.length, splits.val?.length, namesOf(splits.test)]).toEqual([1, 1, ["test/c"]]);
    root = join(base, String(count++));
    await pairs(["a", "b", "test/c", "val/d"]);
    const rest = await data.open(root);
    expect(namesOf(rest.splits.train)).toEqual(["a", "b"]);
    expect([namesOf(rest.splits.val), namesOf(rest.splits.test)]).toEqual([["val/d"], ["test/c"]]);
    expect(codes(rest)).toEqual(["classes-found", "named-splits"]);
  });

  it("does not take a class named train for a split", async () => {
    await pairs(["bus/a", "car/b", "train/c", "train/d"]);
    const { splits, remarks } = await data.open(root);
    expect((splits.train?.length ?? 0) + (splits.val?.length ?? 0)).toBe(4);
    expect(remarks.map(({ level }) => level)).toEqual(["note", "note"]);
  });

  it("lists what has no partner and what a list names in vain", async () => {
    await pairs(["a", "b"], {
      "images/lone.jpg": await jpeg(6, 8, 9),
      "images/a.webp": "x",
      "masks/stray.png": greyPng(6, 8, () => 0),
      "splits/train.txt": "a\ngone",
      "splits/val.txt": "b",
    });
    const { remarks } = await data.open(root);
    expect(remarks.map(({ level, code, file }) => [level, code, file.slice(root.length + 1)])).toEqual([
      ["note", "classes-found", ""],
      ["problem", "missing-sample", "splits/train.txt"],
      ["problem", "same-name", "images/a.webp"],
      ["problem", "image-without-mask", "images/lone.jpg"],
      ["problem", "mask-without-image", "masks/stray.png"],
    ]);
  });

  it.each<[unknown, string]>([
    [[10, 20, 30].map((value) => ({ name: `c${value}`, value })), "10, 20, 30 or 255"],
    [Array.from({ length: 12 }, (_, i) => ({ name: `c${i}`, value: 2 * i })), "0, 2, 4, 6, 8, 10, 12, 14, ... or 255"],
    [
      [
        { name: "a", value: 1 },
        { name: "b", value: 2 },
        { name: "x", value: 0, ignore: true },
      ],
      "1 to 2 or 0, 255",
    ],
    [
      [
        { name: "a", value: 0 },
        { name: "b", value: 255 },
      ],
      "0, 255",
    ],
  ])("tells the numbers that masks may hold", async (classes, allowed) => {
    await writeTree(root, {
      "images/a.jpg": await jpeg(6, 8, 1),
      "masks/a.png": greyPng(6, 8, (x) => (x === 3 ? 35 : 10)),
      "classes.json": JSON.stringify(classes),
    });
    const { splits } = await data.open(root);
    await expect(splits.train?.load(0)).rejects.toThrow(`masks/a.png: labels are ${allowed}, but it holds `);
  });

  it("understands RGB masks by the colours of classes.json, void too", async () => {
    await writeTree(root, {
      "images/a.jpg": await jpeg(2, 3, 1),
      "masks/a.png": rgbPng(2, 3, (x) => [0x0000ff, 0xff0000, 0xe0e0c0][x] as number),
      "classes.json": JSON.stringify({
        classes: [
          { name: "sky", color: "#0000ff" },
          { name: "roof", color: [255, 0, 0] },
        ],
      }),
    });
    const { splits, palette } = await data.open(root);
    expect(palette).toEqual([
      [0, 0, 255],
      [255, 0, 0],
    ]);
    expect([...((await splits.train?.load(0))?.labels ?? [])]).toEqual([0, 1, 255, 0, 1, 255]);
  });

  it.each([
    ["no list", { a: 1 }, "it is not a list of classes"],
    ["an entry without a name", ["a", {}], "entry 1 has no name"],
    ["a broken colour", [{ name: "a", color: [1, 2] }], 'the colour of "a" is [1,2]'],
    [
      "a negative value",
      [{ name: "a", value: -1 }],
      'the value of "a" is -1, but must be a whole number from 0 to 65535',
    ],
    ["a value that is no number", [{ name: "a", value: "1" }], 'the value of "a" is "1"'],
    ["a colour for some", [{ name: "a", color: "#000000" }, "b"], '"b" has no colour, but other classes have one'],
    ["a name twice", ["a", "a"], "two classes have the name a"],
    [
      "a colour twice",
      [
        { name: "a", color: "#0000ff" },
        { name: "b", color: [0, 0, 255] },
      ],
      "two classes have the colour #0000ff",
    ],
    ["nothing but void", [{ name: "a", ignore: true }], "it lists 0 classes"],
    [
      "a value for some",
      [{ name: "bg", value: 0 }, { name: "a", value: 2 }, { name: "b" }],
      '"b" has no value, but other classes have one',
    ],
    ["the number under another key", [{ name: "a", id: 2 }], 'entry 0 has the unknown key "id"'],
    ["an empty name", ["a", " "], "entry 1 has no name"],
    ["an unknown key", [{ name: "a" }, { name: "b", vaule: 2 }], 'entry 1 has the unknown key "vaule"'],
    ["an entry that is no class", [["a", 0]], 'entry 0 is ["a",0], neither a name nor'],
    ["an ignore that is not yes or no", [{ name: "a", ignore: "yes" }], 'ignore of "a" is "yes"'],
  ])("refuses a classes.json with %s", async (_, json, problem) => {
    await pairs(["a"], { "classes.json": JSON.stringify(json) });
    await expect(data.open(root)).rejects.toThrow(`${join(root, "classes.json")}: ${problem}`);
  });

  it("says how classes.json is written, and which key an unknown one stands for", async () => {
    await pairs(["a"], { "classes.json": "[" });
    await expect(data.open(root)).rejects.toMatchObject({
      fix: expect.stringContaining('write it as ["sky", "road"]'),
    });
    await writeTree(root, { "classes.json": '[{ "name": "a", "trainId": 2 }]' });
    await expect(data.open(root)).rejects.toMatchObject({ fix: 'the key for the number in the masks is "value"' });
    await writeTree(root, { "classes.json": '[{ "label": "cat" }]' });
    await expect(data.open(root)).rejects.toMatchObject({ fix: 'the key for it is "name"' });
    await writeTree(root, { "classes.json": '[{ "name": "a", "rgb": [1, 2, 3] }]' });
    await expect(data.open(root)).rejects.toMatchObject({ fix: 'the key for the colour in the masks is "color"' });
  });

  it("reads class_names.txt and labelmap.txt where there is no classes.json", async () => {
    await pairs(["a", "b"], { "class_names.txt": "__ignore__\n_background_\ncat\ndog\n" });
    expect((await data.open(root)).classes).toEqual(["_background_", "cat", "dog"]);
    const labelmap = "# label:color_rgb:parts:actions\nbackground:0,0,0::\nbird: small:128,0,0::\n";
    root = join(base, String(count++));
    await writeTree(root, {
      "images/a.jpg": await jpeg(2, 3, 1),
      "masks/a.png": rgbPng(2, 3, (x) => (x === 1 ? 0x800000 : 0)),
      "labelmap.txt": labelmap,
    });
    const { classes, splits } = await data.open(root);
    expect(classes).toEqual(["background", "bird: small"]);
    expect([...((await splits.train?.load(0))?.labels ?? [])]).toEqual([0, 1, 0, 0, 1, 0]);
    await writeTree(root, { "labelmap.txt": "background\n" });
    await expect(data.open(root)).rejects.toThrow('labelmap.txt: "background" is not a line of a label map');
  });

  it("reads masks by the listed colours, and names the one with another colour", async () => {
    const tree: Record<string, Uint8Array | string> = {
      "classes.json": '[{ "name": "bg", "color": "#000000" }, { "name": "fg", "color": "#ffffff" }]',
    };
    for (let i = 0; i < 40; i++) {
      tree[`images/${i}.jpg`] = await jpeg(4, 4, i);
      tree[`masks/${i}.png`] = greyPng(4, 4, (x, y) => (i === 17 && x + y === 0 ? 1 : x < 2 ? 0 : 255));
    }
    await writeTree(root, tree);
    const { splits } = await data.open(root, { validation: 0 });
    const at = namesOf(splits.train).indexOf("17");
    await expect(splits.train?.load(at)).rejects.toMatchObject({
      code: "unknown-colour",
      message: expect.stringMatching(/masks\/17\.png: no class has the colour #010101 \(1 pixel\)/),
      fix: expect.stringContaining('give each class its "value"'),
    });
    const sample = await splits.train?.load(0);
    expect([...(sample?.labels.subarray(0, 4) ?? [])]).toEqual([0, 0, 1, 1]);
  });

  it("takes values as they are said, however many masks cannot be read", async () => {
    const names = Array.from({ length: 20 }, (_, i) => String.fromCharCode(97 + i));
    await pairs(names, { "classes.json": '[{ "name": "bg", "value": 0 }, { "name": "fg", "value": 1 }]' });
    for (const name of names.slice(0, 16)) await writeTree(root, { [`masks/${name}.png`]: "broken" });
    const { classes, splits } = await data.open(root, { validation: 0 });
    expect(classes).toEqual(["bg", "fg"]);
    const sample = await splits.train?.load(16);
    expect([sample?.name, ...(sample?.labels.subarray(0, 8) ?? [])]).toEqual(["q", 0, 0, 0, 0, 1, 1, 1, 1]);
    for (const name of names) await writeTree(root, { [`masks/${name}.png`]: "broken" });
    await expect(data.open(root)).rejects.toThrow(/none of the 20 masks can be read/);
  });

  it("reads masks by the colours that are listed, whichever mask comes first", async () => {
    const classes = '[{ "name": "bg", "color": "#000000" }, { "name": "fg", "color": "#ff0000" }]';
    const red = rgbPng(4, 4, (x) => (x < 2 ? 0 : 0xff0000));
    const black = rgbPng(4, 4, () => 0);
    const tree: Record<string, Uint8Array | string> = { "classes.json": classes };
    for (const [i, name] of ["a", "b", "c"].entries()) tree[`images/${name}.jpg`] = await jpeg(4, 4, i);
    const labelOf = async (masks: Record<string, Uint8Array>): Promise<number[]> => {
      await writeTree(root, tree);
      await writeTree(root, Object.fromEntries(Object.entries(masks).map(([name, png]) => [`masks/${name}.png`, png])));
      const { train } = (await data.open(root, { validation: 0 })).splits;
      return [...((await train?.load(2))?.labels.subarray(0, 4) ?? [])];
    };
    expect(await labelOf({ a: black, b: black, c: red })).toEqual([0, 0, 1, 1]);
    const numbers = greyPng(4, 4, (x) => (x < 2 ? 0 : 1));
    await expect(labelOf({ a: red, b: numbers, c: numbers })).rejects.toThrow("no class has the colour #010101");
  });

  it("says of masks none of which can be read how many they are, and of what kind the first is", async () => {
    await pairs(["a", "b", "c"]);
    const { rm } = await import("node:fs/promises");
    await rm(join(root, "masks"), { recursive: true });
    for (const name of ["a", "b", "c"]) await writeTree(root, { [`masks/${name}.tif`]: "II*\0 and more" });
    await expect(data.open(root)).rejects.toThrow(
      `${join(root, "masks/a.tif")}: a mask must be PNG, but it is a TIFF image; none of the 3 masks can be read`,
    );
  });

  it("says what it looked for where there is nothing", async () => {
    await writeTree(root, { "photo.jpg": "x" });
    await expect(data.open(root)).rejects.toMatchObject({
      code: "missing-data",
      fix: expect.stringContaining("images/"),
    });
    await expect(data.open(join(root, "photo.jpg"))).rejects.toThrow("photo.jpg: it is a file");
    await expect(data.open(join(root, "absent"))).rejects.toThrow("absent: it does not exist");
    await writeTree(root, { "images/a.jpg": "x", "masks/b.png": "x" });
    await expect(data.open(root)).rejects.toThrow("has a mask of the same name");
    await writeTree(root, { "classes.json": "[", "masks/a.png": "x" });
    await expect(data.open(root)).rejects.toThrow("classes.json: it is not JSON");
  });

  it.skipIf(process.platform === "win32")("names a folder that it may not read", async () => {
    await pairs(["a"]);
    for (const folder of [base, root, join(root, "images")]) await chmod(folder, 0o755);
    await chmod(join(root, "masks"), 0);
    const failure = await asNobody(() => data.open(root));
    expect(failure).toBeInstanceOf(TensorError);
    expect((failure as Error).message).toBe(`${join(root, "masks")}: permission to read it is denied`);
    await chmod(root, 0);
    await expect(asNobody(() => data.open(root))).resolves.toMatchObject({
      message: `${root}: permission to read it is denied`,
    });
    await chmod(root, 0o755);
  });

  it.skipIf(process.platform === "win32")(
    "follows links, names those to nothing and goes round no circle",
    async () => {
      await pairs(["a", "sub/b"]);
      const elsewhere = join(base, `elsewhere-${count}`);
      await writeTree(elsewhere, { "c.jpg": await jpeg(6, 8, 7), "d.png": greyPng(6, 8, () => 0) });
      await symlink(join(elsewhere, "c.jpg"), join(root, "images", "c.jpg"));
      await symlink("../masks/a.png", join(root, "masks", "c.png"));
      await symlink(".", join(root, "images", "self"));
      await symlink("../sub", join(root, "images", "sub", "again"));
      await symlink("/nowhere/d.jpg", join(root, "images", "d.jpg"));
      await symlink(join(elsewhere, "d.png"), join(root, "masks", "d.png"));
      await symlink("e.png", join(root, "masks", "e.png"));
      const { splits, remarks } = await data.open(root);
      expect([...namesOf(splits.train), ...namesOf(splits.val)].sort()).toEqual(["a", "c", "sub/b"]);
      expect(remarks.filter(({ level }) => level !== "note")).toEqual([
        {
          level: "problem",
          code: "broken-link",
          file: join(root, "images", "d.jpg"),
          text: "it is a link to /nowhere/d.jpg, which does not exist",
        },
        {
          level: "problem",
          code: "broken-link",
          file: join(root, "masks", "e.png"),
          text: "it is a link to e.png, which does not exist",
        },
      ]);
      const image = { file: join(root, "images", "d.jpg"), as: "rgb" } as const;
      const labels = { kind: "png", file: join(root, "masks", "a.png"), rule: data.indexRule(3) } as const;
      await expect(data.loadItem({ name: "d", image: [image], labels })).rejects.toThrow(
        `${image.file}: it is a link to /nowhere/d.jpg, which does not exist`,
      );
    },
  );

  it.each<[Record<string, unknown>, string, string]>([
    [{ layout: "foo" }, 'layout is "foo"', "one of: voc, sbd, nyud,"],
    [{ validation: 5 }, "validation is 5", "from 0 to below 1"],
    [{ validation: Number.NaN }, "validation is NaN", "from 0 to below 1"],
    [{ seed: 0.5 }, "seed is 0.5", "whole number"],
    [{ overlap: "larger" }, 'overlap is "larger"', "one of: smaller, void"],
    [{ lineWidth: -1 }, "lineWidth is -1", "pixels above 0"],
  ])("refuses the options %j", async (options, problem, fix) => {
    await pairs(["a", "b"]);
    await expect(data.open(root, options as data.OpenOptions)).rejects.toMatchObject({
      code: "invalid-argument",
      message: expect.stringContaining(`open: ${problem}, expected `),
      fix: expect.stringContaining(fix),
    });
  });

  it.each(["voc", "sbd", "nyud", "siftflow", "pascal-context", "folder", "coco", "labelme"] as const)(
    "says so where the layout asked for, %s, is not there",
    async (layout) => {
      await writeTree(root, { "photo.jpg": "x" });
      await expect(data.open(root, { layout })).rejects.toMatchObject({ code: "missing-data" });
    },
  );
});

/** What `work` throws when it is done without the rights of root, for whom no folder is closed. */
async function asNobody(work: () => Promise<unknown>): Promise<unknown> {
  const isRoot = process.getuid?.() === 0;
  if (isRoot) process.seteuid?.(65534);
  try {
    return await work().catch((error: unknown) => error);
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

describe("seededSplit", () => {
  it("keeps every image once, holds back the part asked for, and changes with the seed", () => {
    for (const [count, validation, held] of [
      [1, 0.5, 0],
      [2, 0.01, 1],
      [10, 0.2, 2],
      [3, 0.99, 2],
    ] as const) {
      const { train, val } = seededSplit(count, { validation, seed: 3 });
      expect(val).toHaveLength(held);
      expect([...train, ...val].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
    }
    expect(seededSplit(50, { seed: 1 })).not.toEqual(seededSplit(50, { seed: 2 }));
    expect(seededSplit(50, {})).toEqual(seededSplit(50, { seed: 0, validation: 0.2 }));
  });
});

describe("labelme and COCO folders", () => {
  const labelme = (imagePath: string, label: string): string =>
    JSON.stringify({
      imagePath,
      imageHeight: 6,
      imageWidth: 8,
      shapes: [
        {
          label,
          points: [
            [0, 0],
            [4, 6],
          ],
          shape_type: "rectangle",
        },
      ],
    });

  it("open from files that labelme wrote, classes by name", async () => {
    await writeTree(root, {
      "a.jpg": await jpeg(6, 8, 1),
      "a.json": labelme("a.jpg", "tree"),
      "below/b.jpg": await jpeg(6, 8, 2),
      "below/b.json": labelme("..\\\\elsewhere\\\\b.jpg".replaceAll("\\\\", "\\"), "car"),
      "c.jpg": await jpeg(6, 8, 3),
      "d.json": labelme("d.jpg", "car"),
      "e.json": JSON.stringify({ imagePath: "e.jpg", shapes: [] }),
    });
    const opened = await data.open(root, { validation: 0.4 });
    expect(opened).toMatchObject({ layout: "labelme", classes: ["background", "car", "tree"] });
    expect(opened.remarks.map(({ level, code, file }) => [level, code, file.slice(root.length + 1)])).toEqual([
      ["note", "seeded-split", ""],
      ["problem", "missing-data", "d.json"],
      ["problem", "missing-data", "e.json"],
      ["warning", "image-without-mask", "c.jpg"],
    ]);
    const samples = await data.loadAll(opened.splits.train as data.SegmentationDataset);
    const { name, labels } = samples[0] as data.SegmentationSample;
    expect(labels[0]).toBe(name === "a" ? 2 : 1);
    expect(labels[7]).toBe(0);
  });

  it("keep the order of classes.json, wherever background stands in it", async () => {
    await writeTree(root, {
      "a.jpg": await jpeg(6, 8, 1),
      "a.json": labelme("a.jpg", "dog"),
      "classes.json": '["cat", "background", "dog"]',
    });
    const { classes, splits } = await data.open(root);
    expect(classes).toEqual(["cat", "background", "dog"]);
    expect([...((await splits.train?.load(0))?.labels.subarray(0, 8) ?? [])]).toEqual([2, 2, 2, 2, 1, 1, 1, 1]);
    for (const list of ['["cat", "dog"]', '["__ignore__", "background", "cat", "dog"]']) {
      await writeTree(root, { "classes.json": list });
      expect((await data.open(root)).classes).toEqual(["background", "cat", "dog"]);
    }
  });

  it("warn of class names that differ in blanks or capitals alone", async () => {
    for (const [name, label] of [
      ["a", "dog"],
      ["b", "Dog "],
    ] as const) {
      await writeTree(root, { [`${name}.jpg`]: await jpeg(6, 8, 1), [`${name}.json`]: labelme(`${name}.jpg`, label) });
    }
    const { remarks } = await data.check(root, { validation: 0 });
    expect(remarks.filter(({ level }) => level === "warning").map(({ text }) => text)).toContain(
      'the classes "Dog " and "dog" differ only in blanks or capitals: they are probably one class',
    );
  });

  it.each([
    ["1e308, no width", '"imageHeight": 1e308', "1e+308xnothing"],
    ["an object", '"imageHeight": { "toString": 1 }, "imageWidth": 8', '{"toString":1}x8'],
    ["a deep list", `"imageHeight": 6, "imageWidth": ${"[".repeat(20_000)}${"]".repeat(20_000)}`, "6x[[[[...]]]]"],
  ])("show a size that is none as the file has it: %s", async (_name, size, shown) => {
    await writeTree(root, {
      "a.jpg": await jpeg(6, 8, 1),
      "a.json": `{ "shapes": [], "imagePath": "a.jpg", ${size} }`,
    });
    await expect(data.open(root)).rejects.toThrow(`it says that the image is ${shown} (imageHeight x imageWidth)`);
  });

  it("tell the fault that all labelme files have, and two files of one image", async () => {
    for (const name of ["a", "b"]) {
      const json = { ...JSON.parse(labelme(`${name}.jpg`, "dog")), imageHeight: 6.5 };
      await writeTree(root, { [`${name}.jpg`]: await jpeg(6, 8, 1), [`${name}.json`]: JSON.stringify(json) });
    }
    await expect(data.open(root)).rejects.toThrow(
      `${join(root, "a.json")}: it says that the image is 6.5x8 (imageHeight x imageWidth); none of the 2 labelme files can be used`,
    );
    await writeTree(root, { "a.json": labelme("a.jpg", "dog"), "b.json": labelme("a.jpg", "cat") });
    const { remarks } = await data.open(root);
    expect(remarks.find(({ level }) => level === "problem")?.text).toMatch(
      /^its image a\.jpg is also that of .*a\.json: each file would treat the shapes of the other as background/,
    );
  });

  const coco = (files: readonly string[]): string =>
    JSON.stringify({
      categories: [
        { id: 9, name: "dog" },
        { id: 4, name: "cat" },
      ],
      images: files.map((file_name, id) => ({ id, file_name, height: 6, width: 8 })),
      annotations: files.flatMap((_, image_id) => [
        { image_id, category_id: 9, iscrowd: 0, segmentation: [[0, 0, 4, 0, 4, 6, 0, 6]] },
        { image_id, category_id: 4, iscrowd: 0, segmentation: { size: [6, 8], counts: [42, 6] } },
        { image_id, category_id: 4, bbox: [0, 0, 1, 1] },
      ]),
    });

  it("open from COCO's own layout, splits by file name", async () => {
    await writeTree(root, {
      "annotations/instances_train2017.json": coco(["1.jpg", "2.jpg"]),
      "annotations/instances_val2017.json": coco(["1.jpg", "gone.jpg"]),
      "annotations/captions_val2017.json": "{}",
      "train2017/1.jpg": await jpeg(6, 8, 1),
      "train2017/2.jpg": await jpeg(6, 8, 2),
      "val2017/1.jpg": await jpeg(6, 8, 3),
    });
    const opened = await data.open(root);
    expect(opened).toMatchObject({ layout: "coco", classes: ["background", "cat", "dog"] });
    expect([namesOf(opened.splits.train), namesOf(opened.splits.val)]).toEqual([
      ["train2017/1", "train2017/2"],
      ["val2017/1"],
    ]);
    expect(codes(opened)).toEqual(["box-without-mask", "missing-image", "box-without-mask"]);
    expect([...((await opened.splits.val?.load(0))?.labels.subarray(0, 8) ?? [])]).toEqual([2, 2, 2, 2, 0, 0, 0, 1]);
    const dogs = await data.open(root, { categories: ["dog"] });
    expect(dogs.classes).toEqual(["background", "dog"]);
    expect([...((await dogs.splits.val?.load(0))?.labels.subarray(0, 8) ?? [])]).toEqual([1, 1, 1, 1, 0, 0, 0, 0]);
    await expect(data.open(root, { categories: ["cow"] })).rejects.toMatchObject({ fix: "choose from cat, dog" });
  });

  it("open from one COCO file, divided by the seed", async () => {
    await writeTree(root, {
      "all.json": coco(["1.jpg", "2.jpg"]),
      "images/1.jpg": await jpeg(6, 8, 1),
      "images/2.jpg": await jpeg(6, 8, 2),
    });
    const opened = await data.open(root);
    expect(opened.splits.train?.length).toBe(1);
    expect(codes(opened)).toEqual(["seeded-split", "box-without-mask"]);
  });

  type Category = readonly [id: number, name: string];
  /** A file whose images hold one box of the first category each. */
  const boxes = (categories: readonly Category[], files: readonly string[]): string =>
    JSON.stringify({
      categories: categories.map(([id, name]) => ({ id, name })),
      images: files.map((file_name, id) => ({ id, file_name, height: 6, width: 8 })),
      annotations: files.map((_, image_id) => ({
        image_id,
        category_id: categories[0]?.[0],
        segmentation: [[0, 0, 4, 0, 4, 6, 0, 6]],
      })),
    });
  const firstLabels = async (set: data.SegmentationDataset | undefined): Promise<number[]> =>
    (await data.loadAll(set as data.SegmentationDataset)).map(({ labels }) => labels[0] as number);

  it("unite the categories of several COCO files by name", async () => {
    await writeTree(root, {
      "annotations/instances_train.json": boxes(
        [
          [1, "cat"],
          [2, "dog"],
        ],
        ["1.jpg"],
      ),
      "annotations/instances_val.json": boxes([[1, "dog"]], ["2.jpg"]),
      "1.jpg": await jpeg(6, 8, 1),
      "2.jpg": await jpeg(6, 8, 2),
    });
    const { classes, splits } = await data.open(root);
    expect(classes).toEqual(["background", "cat", "dog"]);
    expect([await firstLabels(splits.train), await firstLabels(splits.val)]).toEqual([[1], [2]]);
    await writeTree(root, { "classes.json": '["dog", "cat"]' });
    expect(codes(await data.open(root))).toEqual(["unread-classes"]);
    const chosen = await data.open(root, { categories: ["dog"] });
    expect([await firstLabels(chosen.splits.train), await firstLabels(chosen.splits.val)]).toEqual([[0], [1]]);
  });

  it("unite COCO files of one category each, but not where they list the same image", async () => {
    await writeTree(root, {
      "cats.json": boxes([[1, "cats"]], ["1.jpg"]),
      "dogs.json": boxes([[1, "dogs"]], ["2.jpg"]),
      "1.jpg": await jpeg(6, 8, 1),
      "2.jpg": await jpeg(6, 8, 2),
      "3.jpg": await jpeg(6, 8, 3),
      "more/4.jpg": await jpeg(6, 8, 4),
    });
    const { classes, splits, remarks } = await data.open(root, { validation: 0 });
    expect([classes, await firstLabels(splits.train)]).toEqual([
      ["background", "cats", "dogs"],
      [1, 2],
    ]);
    expect(remarks.filter(({ level }) => level !== "note").map(({ level, text }) => `${level} ${text}`)).toEqual([
      "warning 2 images are in no COCO file and left out: 3.jpg, more/4.jpg",
    ]);
    await writeTree(root, { "dogs.json": boxes([[1, "dogs"]], ["1.jpg"]) });
    expect((await data.open(root)).remarks.find(({ level }) => level === "problem")?.text).toMatch(
      /^the image .*1\.jpg is listed here and in .*cats\.json: each entry treats the annotations of the other as background/,
    );
  });

  it("refuse two images or two categories of one id", async () => {
    const whole = JSON.parse(coco(["1.jpg", "2.jpg"])) as { images: { id: number }[]; categories: { id: number }[] };
    await writeTree(root, { "1.jpg": await jpeg(6, 8, 1), "2.jpg": await jpeg(6, 8, 2) });
    const twice = <T extends { id: number }>(entries: readonly T[]): T[] =>
      entries.map((entry) => ({ ...entry, id: 5 }));
    await writeTree(root, { "a.json": JSON.stringify({ ...whole, images: twice(whole.images) }) });
    await expect(data.open(root)).rejects.toMatchObject({
      code: "duplicate-id",
      message: `${join(root, "a.json")}: two of its images have the id 5: "1.jpg" and "2.jpg"`,
    });
    await writeTree(root, { "a.json": JSON.stringify({ ...whole, categories: twice(whole.categories) }) });
    await expect(data.open(root)).rejects.toThrow('two of its categories have the id 5: "dog" and "cat"');
    // Files that were merged often have an entry twice.
    const merged = {
      ...whole,
      images: [...whole.images, { ...whole.images[0], license: 3 }],
      categories: [...whole.categories, { ...whole.categories[1] }],
    };
    await writeTree(root, { "a.json": JSON.stringify(merged) });
    const { classes, splits } = await data.open(root, { validation: 0 });
    expect([classes, splits.train?.length]).toEqual([["background", "cat", "dog"], 2]);
  });

  it.each<[string[], Record<string, string[]>]>([
    [["train", "test"], { train: ["train/1", "train/2"], val: ["train/3"], test: ["test/1", "test/2", "test/3"] }],
    [["val", "test"], { val: ["val/1", "val/2", "val/3"], test: ["test/1", "test/2", "test/3"] }],
    [["train"], { train: ["train/1", "train/2"], val: ["train/3"] }],
    [["test"], { test: ["test/1", "test/2", "test/3"] }],
  ])("keep the splits that the files %j name", async (files, want) => {
    const images = ["1.jpg", "2.jpg", "3.jpg"];
    for (const [i, split] of files.entries()) {
      const tree: Record<string, string | Uint8Array> = { [`annotations/instances_${split}.json`]: coco(images) };
      for (const image of images) tree[`${split}/${image}`] = await jpeg(6, 8, i);
      await writeTree(root, tree);
    }
    const { splits } = await data.open(root, { seed: 2 });
    const sizes = (sets: Record<string, { length: number } | undefined>): unknown =>
      Object.fromEntries(Object.entries(sets).map(([name, set]) => [name, set?.length]));
    expect(sizes(splits)).toEqual(sizes(want));
    const { train = [], val = [], ...whole } = want;
    expect([...namesOf(splits.train), ...namesOf(splits.val)].sort()).toEqual([...train, ...val].sort());
    for (const [split, names] of Object.entries(whole)) expect(namesOf(splits[split])).toEqual(names);
  });

  it("say what paints nothing: annotations of unknown categories or images", async () => {
    const whole = JSON.parse(coco(["1.jpg", "2.jpg"])) as { annotations: Record<string, unknown>[] };
    const stray = { iscrowd: 0, segmentation: [[0, 0, 4, 0, 4, 6]] };
    const annotations = [
      ...whole.annotations.filter((entry) => "segmentation" in entry),
      { ...stray, image_id: 0, category_id: 99 },
      { ...stray, image_id: 1, category_id: 98 },
      { ...stray, image_id: 77, category_id: 9 },
    ];
    await writeTree(root, {
      "all.json": JSON.stringify({ ...whole, annotations }),
      "1.jpg": await jpeg(6, 8, 1),
      "2.jpg": await jpeg(6, 8, 2),
    });
    const told = async (options: data.OpenOptions): Promise<string[]> =>
      (await data.open(root, options)).remarks
        .filter(({ level }) => level !== "note")
        .map(({ level, file, text }) => `${level} ${file.slice(root.length + 1)}: ${text}`);
    const unknown =
      "all.json: 2 annotations have a category_id that its categories do not list (99, 98): their pixels count as background";
    const lost = "warning all.json: 1 annotation has an image_id that its images do not list (77): they paint nothing";
    expect(await told({})).toEqual([`problem ${unknown}`, lost]);
    expect(await told({ categories: ["dog"] })).toEqual([`warning ${unknown}`, lost]);
  });

  it("name the annotation and the image of a shape that cannot be drawn", async () => {
    const whole = JSON.parse(coco(["1.jpg"])) as Record<string, unknown>;
    const open = async (segmentation: unknown): Promise<data.SegmentationSample | undefined> => {
      const annotations = [{ id: 17, image_id: 0, category_id: 9, segmentation }];
      await writeTree(root, { "a.json": JSON.stringify({ ...whole, annotations }), "1.jpg": await jpeg(6, 8, 1) });
      return (await data.open(root)).splits.train?.load(0);
    };
    const place = `${join(root, "a.json")}: annotation 17 of 1.jpg: `;
    await expect(open([[1, 2, 3]])).rejects.toThrow(`${place}a polygon of 3 numbers`);
    await expect(open({ size: [6, 8], counts: [1, 2] })).rejects.toThrow(`${place}the run lengths of a mask`);
    await expect(open({ size: [7, 8], counts: [56] })).rejects.toThrow(`${place}run lengths for 7x8`);
    await expect(open("x")).rejects.toThrow(`${place}its segmentation is neither polygons nor run lengths`);
    const remark = (await data.check(root)).remarks.find(({ code }) => code === "bad-shape");
    expect(remark).toMatchObject({ level: "problem", file: join(root, "a.json") });
    expect(remark?.text).toMatch(/^annotation 17 of 1\.jpg: its segmentation/);
  });

  it.each([
    ["is cut off", '{"images":[', "it is not JSON"],
    ["lacks a list", '{"images":[],"annotations":[]}', 'it is not a COCO file: it has no list "categories"'],
  ])("name a COCO file that %s", async (_, content, problem) => {
    for (const file of ["annotations/all.json", "annotations/instances_val.json"]) {
      const folder = join(root, file.slice(-8, -5));
      await writeTree(folder, { [file]: content, "images/1.jpg": await jpeg(6, 8, 1) });
      await expect(data.open(folder)).rejects.toThrow(`${join(folder, file)}: ${problem}`);
    }
  });

  it("are told from masks where both may lie in annotations/", async () => {
    await writeTree(root, {
      "annotations/all.json": coco(["1.jpg", "2.jpg"]),
      "images/1.jpg": await jpeg(6, 8, 1),
      "images/2.jpg": await jpeg(6, 8, 2),
    });
    expect((await data.open(root)).layout).toBe("coco");
    await writeTree(root, { "annotations/1.png": greyPng(6, 8, () => 0), "annotations/2.png": greyPng(6, 8, () => 1) });
    expect((await data.open(root)).layout).toBe("folder");
  });

  it.each([
    ["images", [{ id: 0, height: 6, width: 8 }], "entry 0 of its images has no file_name"],
    ["images", [{ id: 0, file_name: "1.jpg", height: "6px" }], "entry 0 of its images has a height and width that"],
    ["images", [{ file_name: "a.jpg", height: 1e9, width: 1e9 }], "entry 0 of its images"],
    ["categories", [null], "entry 0 of its categories has no name"],
  ])("refuse a COCO file whose %s are %j", async (list, entries, problem) => {
    const whole = JSON.parse(coco(["1.jpg"])) as Record<string, unknown>;
    await writeTree(root, { "a.json": JSON.stringify({ ...whole, [list]: entries }), "1.jpg": await jpeg(6, 8, 1) });
    await expect(data.open(root)).rejects.toThrow(`${join(root, "a.json")}: ${problem}`);
  });

  it.each([
    [[{ image_id: 0 }], "entry 0 of its annotations has no category_id that is a whole number or a text (nothing)"],
    [
      [{}, { image_id: null }],
      "2 entries of its annotations have no image_id that is a whole number or a text: 0 (nothing), 1 (null)",
    ],
  ])("name the entries of a COCO file whose annotations are %j", async (annotations, problem) => {
    const whole = JSON.parse(coco(["1.jpg"])) as Record<string, unknown>;
    await writeTree(root, { "a.json": JSON.stringify({ ...whole, annotations }), "1.jpg": await jpeg(6, 8, 1) });
    const found = (await data.open(root)).remarks.filter(({ level }) => level === "problem");
    expect(found).toMatchObject([{ code: "bad-entry", file: join(root, "a.json") }]);
    expect(found[0]?.text).toContain(problem);
  });
});
