import { rm } from "node:fs/promises";
import { join } from "node:path";
import { data } from "@fcn/core";
import { encode } from "fast-png";
import { describe, expect, it } from "vitest";
import { encodeMat } from "../mat/matEncoder.js";
import { greyPng, jpeg, palettePng, photo, rgbPng, temporaryFolder, writeSiftFlow, writeTree } from "../trees.js";

const base = await temporaryFolder("layouts");
const [HEIGHT, WIDTH] = [6, 8];
const palette = Array.from({ length: 256 }, (_, i) => [(i * 37) % 256, (i * 91) % 256, (i * 13) % 256]);
const namesOf = (dataset: data.SegmentationDataset | undefined): string[] =>
  Array.from({ length: dataset?.length ?? 0 }, (_, i) => dataset?.name(i) as string);
const load = async (opened: data.OpenedData, split: string, index = 0): Promise<data.SegmentationSample> =>
  (opened.splits[split] as data.SegmentationDataset).load(index);
const rowsOf = (fill: (x: number, y: number) => number): number[][] =>
  Array.from({ length: HEIGHT }, (_, y) => Array.from({ length: WIDTH }, (_, x) => fill(x, y)));

async function writeVoc(
  root: string,
  year: number,
  lists: Record<string, string[]>,
  sizes: Record<string, [number, number]> = {},
): Promise<void> {
  const files: Record<string, Uint8Array | string> = {};
  for (const [i, name] of [...new Set(Object.values(lists).flat())].entries()) {
    const [height, width] = sizes[name] ?? [HEIGHT, WIDTH];
    files[`JPEGImages/${name}.jpg`] = await jpeg(height, width, i);
    files[`SegmentationClass/${name}.png`] = palettePng(
      height,
      width,
      palette,
      (x) => [0, 15, 20, 255][x % 4] as number,
    );
  }
  for (const [name, names] of Object.entries(lists))
    files[`ImageSets/Segmentation/${name}.txt`] = `${names.join("\n")}\n`;
  await writeTree(join(root, `VOC${year}`), files);
}

const sbdMat = (fill: (x: number, y: number) => number, compress = true): Uint8Array =>
  encodeMat(
    {
      GTcls: {
        fields: {
          Boundaries: { cells: [{ rows: [[0]], type: "uint8" }] },
          Segmentation: { rows: rowsOf(fill), type: "uint8" },
          CategoriesPresent: { rows: [[15]], type: "uint8" },
        },
      },
    },
    { compress },
  );

describe("PASCAL VOC", () => {
  const lists = { train: ["2007_1", "2008_2"], val: ["2009_3"], trainval: ["2007_1", "2008_2", "2009_3"] };

  it("is recognised by its folders, from the year's folder or above it, and keeps palette indices", async () => {
    const root = join(base, "voc");
    await writeVoc(join(root, "VOCdevkit"), 2012, lists);
    await writeVoc(join(root, "VOCdevkit"), 2007, { train: ["1"], val: ["2"], test: ["3"], extra: ["4"] });
    for (const folder of [root, join(root, "VOCdevkit"), join(root, "VOCdevkit", "VOC2012")]) {
      const opened = await data.open(folder);
      expect(opened).toMatchObject({
        layout: "voc",
        root: join(root, "VOCdevkit", "VOC2012"),
        preprocessing: data.VOC_MEAN,
      });
      expect(namesOf(opened.splits.trainval)).toEqual(lists.trainval);
    }
    const opened = await data.open(root, { year: 2007 });
    expect(Object.keys(opened.splits).sort()).toEqual(["test", "train", "val"]);
    const { labels, image } = await load(opened, "test");
    expect([...labels.subarray(0, 4)]).toEqual([0, 15, 20, 255]);
    expect([image.height, image.width, image.channels]).toEqual([HEIGHT, WIDTH, 3]);
    await expect(data.open(root, { year: 2010, layout: "voc" })).rejects.toThrow("it holds no VOC2010");
  });

  it("has d2l's variant: void is background, small images are left out", async () => {
    const root = join(base, "d2l");
    await writeVoc(root, 2012, lists, { "2007_1": [6, 7], "2008_2": [5, 8], "2009_3": [9, 9] });
    const opened = await data.open(root, { d2l: { crop: [6, 8] } });
    expect([namesOf(opened.splits.train), namesOf(opened.splits.val)]).toEqual([[], ["2009_3"]]);
    const { labels } = await load(opened, "val");
    expect([...labels.subarray(0, 4)]).toEqual([0, 15, 20, 0]);
    expect(opened.preprocessing?.mean[0]).toBeCloseTo(0.485 * 255, 10);
    expect(opened.preprocessing?.std[2]).toBeCloseTo(0.225 * 255, 10);
  });

  it("with SBD trains on SBD and validates on VOC's val without SBD's training images", async () => {
    const root = join(base, "with-sbd");
    await writeVoc(root, 2011, { train: ["t"], val: ["a", "b", "c", "d"] });
    const names = ["b", "x", "d"];
    const files = Object.fromEntries(names.map((name) => [`dataset/cls/${name}.mat`, sbdMat((x, y) => (x + y) % 21)]));
    for (const [i, name] of names.entries()) files[`dataset/img/${name}.jpg`] = await jpeg(HEIGHT, WIDTH, i);
    await writeTree(join(root, "benchmark_RELEASE"), {
      ...files,
      "dataset/train.txt": "b\nx\n",
      "dataset/val.txt": "d\n",
    });
    const opened = await data.open(root, { sbd: join(root, "benchmark_RELEASE") });
    expect(opened.layout).toBe("voc+sbd");
    expect([namesOf(opened.splits.train), namesOf(opened.splits.val), namesOf(opened.splits.seg11valid)]).toEqual([
      ["b", "x"],
      ["a", "c", "d"],
      ["a", "c", "d"],
    ]);
    expect([...(await load(opened, "train", 1)).labels.subarray(0, 9)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 1]);
    expect([...(await load(opened, "val")).labels.subarray(0, 4)]).toEqual([0, 15, 20, 255]);
    const alone = await data.open(join(root, "benchmark_RELEASE"));
    expect(alone.layout).toBe("sbd");
    expect(namesOf(alone.splits.val)).toEqual(["d"]);
    await expect(data.open(root, { sbd: base })).rejects.toThrow("it is not SBD");
  });

  it("refuses a year that the folder is not, and two ways to train at once", async () => {
    const root = join(base, "year");
    await writeVoc(root, 2012, lists);
    const folder = join(root, "VOC2012");
    expect((await data.open(folder, { year: 2012 })).root).toBe(folder);
    await expect(data.open(folder, { year: 2011 })).rejects.toThrow(
      `${folder}: it is one year of VOC ("VOC2012"), but the year 2011 was asked for`,
    );
    await expect(data.open(folder, { sbd: root, d2l: { crop: [6, 8] } })).rejects.toMatchObject({
      code: "invalid-argument",
    });
  });

  it("takes classes of its own from classes.json or labelme2voc's class_names.txt", async () => {
    const root = join(base, "own");
    await writeVoc(root, 2012, lists);
    const folder = join(root, "VOC2012");
    const mask = palettePng(HEIGHT, WIDTH, palette, (x) => [0, 1, 2, 255][x % 4] as number);
    for (const name of lists.trainval) await writeTree(folder, { [`SegmentationClass/${name}.png`]: mask });
    await writeTree(folder, {
      "JPEGImages/unlabelled.jpg": await jpeg(HEIGHT, WIDTH, 9),
      "class_names.txt": "__ignore__\n_background_\ncat\ndog\n",
    });
    const opened = await data.open(folder);
    expect([opened.layout, opened.classes, opened.remarks]).toEqual(["voc", ["_background_", "cat", "dog"], []]);
    expect(namesOf(opened.splits.val)).toEqual(lists.val);
    expect([...(await load(opened, "val")).labels.subarray(0, 4)]).toEqual([0, 1, 2, 255]);
    await writeTree(folder, { "classes.json": '["sky", "cat", "dog"]' });
    expect((await data.open(folder)).classes[0]).toBe("sky");
    for (const name of ["classes.json", "class_names.txt"]) await rm(join(folder, name));
    await writeTree(root, { "classes.json": '["sea", "cat", "dog"]' });
    expect((await data.open(root)).classes[0]).toBe("sea");
    await writeTree(folder, { "classes.json": '["sky", "cat", "dog"]' });
    await expect(data.open(folder, { d2l: { crop: [6, 8] } })).rejects.toThrow("it names classes of its own");
  });

  it("opens CVAT's export: RGB masks, labelmap.txt and the list default", async () => {
    const root = join(base, "cvat");
    const files: Record<string, Uint8Array | string> = {
      "labelmap.txt": "# label:color_rgb:parts:actions\nbackground:0,0,0::\ncat:128,0,0::\ndog:0,0,128::\n",
      "ImageSets/Segmentation/default.txt": "f0\nf1\n",
    };
    for (const i of [0, 1]) {
      files[`JPEGImages/f${i}.png`] = new Uint8Array(await photo(HEIGHT, WIDTH, i).png().toBuffer());
      files[`SegmentationClass/f${i}.png`] = rgbPng(HEIGHT, WIDTH, (x) => [0, 0x800000, 0x000080][x % 3] as number);
    }
    await writeTree(root, files);
    const opened = await data.open(root);
    expect(opened).toMatchObject({ layout: "voc", classes: ["background", "cat", "dog"] });
    expect(opened.remarks.map(({ code }) => code)).toEqual(["seeded-split"]);
    for (const split of ["train", "val"]) {
      expect([...(await load(opened, split)).labels.subarray(0, 4)]).toEqual([0, 1, 2, 0]);
    }
    await writeTree(root, { "ImageSets/Segmentation/train.txt": "f0\n", "ImageSets/Segmentation/val.txt": "f1\n" });
    const divided = (await data.open(root)).splits;
    expect([namesOf(divided.train), namesOf(divided.val)]).toEqual([["f0"], ["f1"]]);
  });

  it("seg11valid keeps val's order", () => {
    expect(data.seg11valid(["c", "a", "b"], ["a", "z"])).toEqual(["c", "b"]);
  });
});

describe("NYUDv2", () => {
  it("reads colour, HHA and the logarithm of the depth; label 0 is void, 1 to 40 are 0 to 39", async () => {
    const root = join(base, "nyud");
    const depth = encode({
      height: HEIGHT,
      width: WIDTH,
      channels: 1,
      depth: 16,
      data: Uint16Array.from({ length: HEIGHT * WIDTH }, (_, i) => i * 900),
    });
    const hha = await photo(HEIGHT, WIDTH, 5).png().toBuffer();
    const files: Record<string, Uint8Array | string> = { "train.txt": "5001\n", "test.txt": "5002\n" };
    for (const id of ["5001", "5002"]) {
      files[`data/images/img_${id}.png`] = await photo(HEIGHT, WIDTH, 4).png().toBuffer();
      files[`data/hha/img_${id}.png`] = hha;
      files[`data/depth/img_${id}.png`] = depth;
      files[`segmentation/img_${id}.mat`] = encodeMat(
        { segmentation: { rows: rowsOf((x, y) => (x + 8 * y) % 41), type: "uint16" } },
        { compress: true },
      );
    }
    await writeTree(root, files);
    const opened = await data.open(root);
    expect(opened).toMatchObject({ layout: "nyud" });
    expect(opened.classes).toHaveLength(40);
    expect([namesOf(opened.splits.train), namesOf(opened.splits.val), namesOf(opened.splits.test)]).toEqual([
      ["5001"],
      ["5002"],
      ["5002"],
    ]);
    const colour = await load(opened, "train");
    expect([...colour.labels]).toEqual(
      rowsOf((x, y) => ((x + 8 * y) % 41) - 1)
        .flat()
        .map((v) => (v < 0 ? 255 : v)),
    );
    const pixelsOf = async (input: data.NyudInput): Promise<data.SegmentationSample["image"]> =>
      (await load(await data.open(root, { input }), "train")).image;
    const both = await pixelsOf("color-hha");
    const single = await pixelsOf("hha");
    const four = await pixelsOf("color-d");
    expect([colour.image.channels, single.channels, four.channels, both.channels]).toEqual([3, 3, 4, 6]);
    for (const pixel of [0, 17, 47]) {
      const rgb = [...colour.image.data.subarray(3 * pixel, 3 * pixel + 3)];
      const third = [...single.data.subarray(3 * pixel, 3 * pixel + 3)];
      expect([...both.data.subarray(6 * pixel, 6 * pixel + 6)]).toEqual([...rgb, ...third]);
      expect([...four.data.subarray(4 * pixel, 4 * pixel + 3)]).toEqual(rgb);
      expect(four.data[4 * pixel + 3]).toBeCloseTo(pixel === 0 ? 0 : Math.log(pixel * 900), 5);
    }
    // Blue first, then HHA in its own order, each less its mean.
    const loader = new data.DataLoader(
      (await data.open(root, { input: "color-hha" })).splits.train as data.SegmentationDataset,
      { batchSize: 1, workers: 0, preprocessing: data.NYUD_MEANS["color-hha"] },
    );
    for await (const { images } of loader.epoch()) {
      const plane = HEIGHT * WIDTH;
      expect(images[0]).toBeCloseTo((colour.image.data[2] as number) - 116.19, 4);
      expect(images[2 * plane]).toBeCloseTo((colour.image.data[0] as number) - 92.318, 4);
      expect(images[3 * plane]).toBeCloseTo((single.data[0] as number) - 132.431, 4);
    }
    await loader.close();
  });
});

describe("the lists of NYUDv2 and SIFT Flow", () => {
  const lists = { train: "1", val: "2", trainval: "1\n2", test: "3\n4\n5" };
  const open = async (folder: string, names: readonly (keyof typeof lists)[]): Promise<data.OpenedData> => {
    const root = join(base, folder, names.join("-"));
    const files = Object.fromEntries(names.map((name) => [`${name}.txt`, lists[name]]));
    await writeTree(root, { ...files, "data/images/x": "", "segmentation/x": "" });
    return data.open(root);
  };

  it.each([
    [["train", "val", "trainval", "test"], ["1", "2"], ["3", "4", "5"], "trainval.txt (2 images), val is test.txt (3)"],
    [["train", "val", "test"], ["1"], ["2"], "train.txt (1 image), val is val.txt (1)"],
    [["train", "val", "trainval"], ["1"], ["2"], "train.txt (1 image), val is val.txt (1)"],
    [["train", "test"], ["1"], ["3", "4", "5"], "train.txt (1 image), val is test.txt (3)"],
  ] as const)("of %j make train and val as published, never one inside the other", async (names, train, val, note) => {
    const { splits, remarks } = await open("lists", names);
    expect([namesOf(splits.train), namesOf(splits.val)]).toEqual([train, val]);
    expect(remarks).toMatchObject([{ level: "note", text: `train is ${note}` }]);
  });

  it("are named where they are missing", async () => {
    await expect(open("absent", ["trainval"])).rejects.toThrow("it has no list train.txt");
  });
});

describe("SIFT Flow", () => {
  it("reads both label maps, each with its own rule for void", async () => {
    const root = await writeSiftFlow(join(base, "siftflow"), {
      ...{ trainval: ["coast_1", "coast_2"], test: ["forest_3"], height: HEIGHT, width: WIDTH },
      semantic: (x, y) => (x + 8 * y) % 34,
      geometric: (x) => (x % 5) - 1,
    });
    const opened = await data.open(root);
    expect(opened).toMatchObject({
      layout: "siftflow",
      more: { geometric: { classes: ["sky", "horizontal", "vertical"] } },
    });
    expect([opened.classes.length, opened.splits.train?.length, opened.splits.val?.length]).toEqual([33, 2, 1]);
    const { labels, more } = await load(opened, "val");
    expect([...labels]).toEqual(
      rowsOf((x, y) => ((x + 8 * y) % 34) - 1)
        .flat()
        .map((v) => (v < 0 ? 255 : v)),
    );
    expect([...(more?.geometric?.subarray(0, 5) ?? [])]).toEqual([255, 255, 0, 1, 2]);
    const loader = new data.DataLoader(opened.splits.train as data.SegmentationDataset, {
      batchSize: 2,
      workers: 0,
      preprocessing: data.SIFT_FLOW_MEAN,
    });
    for await (const batch of loader.epoch())
      expect([...(batch.more?.geometric?.subarray(0, 5) ?? [])]).toEqual([255, 255, 0, 1, 2]);
    await loader.close();
  });
});

describe("PASCAL-Context", () => {
  const labels = [
    "1: accordion",
    "2: aeroplane",
    "3: air conditioner",
    "19: bedclothes",
    "80: cloth",
    "397: table",
    "458: wood",
  ];
  const rest = data.CONTEXT_59.filter(
    (name) => !["aeroplane", "bedcloth", "clothes", "diningtable", "wood"].includes(name),
  );
  const list = [...labels, ...rest.map((name, i) => `${500 + i}: ${name}`)].join("\n");
  const keys = [1, 2, 19, 80, 397, 458, 500, 0];

  it("finds the 59 classes by name among those of the files, three under other names; the rest is background", async () => {
    const root = join(base, "context");
    await writeTree(root, {
      "labels.txt": list,
      "24_labels.txt": ["0: background", ...data.CONTEXT_59.slice(0, 24).map((name, i) => `${i + 1}: ${name}`)].join(
        "\n",
      ),
      "trainval/2010_1.mat": encodeMat({ LabelMap: { rows: rowsOf((x) => keys[x] as number), type: "uint16" } }),
      "VOC2010/JPEGImages/2010_1.jpg": await jpeg(HEIGHT, WIDTH, 1),
      "VOC2010/ImageSets/Main/train.txt": "2010_1",
      "VOC2010/ImageSets/Main/val.txt": "2010_1",
      "VOC2010/ImageSets/Main/dog_train.txt": "2010_1 -1",
    });
    const opened = await data.open(root);
    expect(opened.layout).toBe("pascal-context");
    expect([opened.classes.length, opened.classes[0], Object.keys(opened.splits)]).toEqual([
      60,
      "background",
      ["train", "val"],
    ]);
    const names = [...(await load(opened, "train")).labels.subarray(0, 8)].map((label) => opened.classes[label]);
    expect(names).toEqual([
      "background",
      "aeroplane",
      "bedcloth",
      "clothes",
      "diningtable",
      "wood",
      "bicycle",
      "background",
    ]);
    const easier = await data.open(root, { contextClasses: 33 });
    expect(easier.classes).toEqual(["background", ...data.CONTEXT_33]);
    expect([...(await load(easier, "train")).labels.subarray(0, 8)]).toEqual([0, 1, 0, 0, 11, 0, 2, 0]);
    const listed = await data.open(root, { contextClasses: 24 });
    expect(listed.classes).toHaveLength(25);
    await expect(data.open(root, { contextClasses: 20 })).rejects.toThrow(
      "20_labels.txt: it does not exist, but is needed for the names of the 20 classes",
    );
  });

  it("says which image folder or label is missing", async () => {
    const root = join(base, "context-bare");
    await writeTree(root, { "labels.txt": "1: sky", "trainval/a.mat": "x" });
    await expect(data.open(root)).rejects.toThrow("the images of PASCAL-Context, VOC2010, are not there");
    await expect(data.open(root, { voc: join(base, "context", "VOC2010") })).rejects.toThrow(
      'labels.txt: it has no label named "aeroplane"',
    );
  });
});

describe("the tables of classes", () => {
  it("have the published lengths and no name twice", () => {
    const lists = [
      data.VOC_CLASSES,
      data.NYUD_CLASSES,
      data.SIFT_FLOW_CLASSES,
      data.SIFT_FLOW_GEOMETRIC,
      data.CONTEXT_59,
      data.CONTEXT_33,
    ];
    expect(lists.map((list) => list.length)).toEqual([21, 40, 33, 3, 59, 33]);
    for (const list of lists) expect(new Set(list).size).toBe(list.length);
    expect(data.CONTEXT_33.filter((name) => !data.CONTEXT_59.includes(name))).toEqual([]);
    expect(Object.keys(data.layouts())).toEqual([
      "voc",
      "sbd",
      "nyud",
      "siftflow",
      "pascal-context",
      "folder",
      "coco",
      "labelme",
    ]);
  });

  it("a label beyond the classes is an error that names the file and the pixel", async () => {
    const root = join(base, "stray");
    await writeVoc(root, 2012, { train: ["a"], val: ["a"] });
    await writeTree(root, {
      "VOC2012/SegmentationClass/a.png": greyPng(HEIGHT, WIDTH, (x, y) => (x === 2 && y > 3 ? 21 : 0)),
    });
    const opened = await data.open(root);
    await expect(load(opened, "train")).rejects.toThrow(
      `${join(root, "VOC2012/SegmentationClass/a.png")}: labels are 0 to 20 or 255, but it holds 21 (2 pixels), first at column 2, row 4`,
    );
  });
});
