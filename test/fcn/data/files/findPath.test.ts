import { join } from "node:path";
import { data } from "@fcn/core";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { pathFinder } from "../../../../packages/fcn/src/data/files/findPath.js";
import { cocoJson, firstRows, labelmeJson, openWhole, toldOf, writeAnnotated } from "../annotations/annotated.js";
import { greyPng, jpeg, temporaryFolder, writeTree } from "../trees.js";

let base: string;
let root: string;
let count = 0;
beforeAll(async () => {
  base = await temporaryFolder("paths");
});
beforeEach(() => {
  root = join(base, String(count++));
});

describe("pathFinder", () => {
  const known = ["a/1.jpg", "b/1.jpg", "b/c/2.jpg", "Cafe\u0301/x y.png", "3.JPG"];
  const find = pathFinder(known);

  it.each([
    ["./b/1.jpg", {}, "b/1.jpg"],
    ["b\\1.jpg", {}, "b/1.jpg"],
    ["../b/1.jpg", { folder: "json/" }, "b/1.jpg"],
    ["1.jpg", { folder: "b/c/.." }, "b/1.jpg"],
    ["C:\\data\\set\\b\\1.jpg", {}, "b/1.jpg"],
    ["/data/set/a/1.jpg", { folder: "b" }, "a/1.jpg"],
    ["file:///data/set/a//1.jpg", {}, "a/1.jpg"],
    ["../../b/c/2.jpg", { folder: "json" }, "b/c/2.jpg"],
    ["Caf\u00e9/x y.png", {}, "Cafe\u0301/x y.png"],
    ["Caf%C3%A9/x%20y.png", {}, "Cafe\u0301/x y.png"],
    ["B/1.JPG", {}, "b/1.jpg"],
    ["3.jpg", {}, "3.JPG"],
  ])("takes %s from %j for %s", (said, about, path) => {
    expect(find(said, about)).toMatchObject({ path, contradicts: false });
  });

  it("says of a path whose folder is another that it contradicts, and lists paths that fit equally well", () => {
    expect(find("photos/2.jpg")).toMatchObject({ path: "b/c/2.jpg", contradicts: true });
    expect(find("1.jpg")).toMatchObject({ several: ["a/1.jpg", "b/1.jpg"], places: [0, 1] });
    expect(find("4.jpg")).toBeUndefined();
    expect(find("%E0%A4%A.jpg")).toBeUndefined();
  });

  it("lets letter case decide where paths differ in it alone", () => {
    const cased = pathFinder(["A/1.jpg", "a/1.jpg", "a/1.JPG"]);
    expect(cased("a/1.JPG")).toMatchObject({ path: "a/1.JPG" });
    expect(cased("A/1.jpg")).toMatchObject({ path: "A/1.jpg" });
    expect(cased("A/1.Jpg")).toMatchObject({ several: ["A/1.jpg", "a/1.jpg", "a/1.JPG"] });
  });
});

describe("COCO file names", () => {
  const images = ["images/a/1.jpg", "images/b/1.jpg"];

  it.each([
    "./b/1.jpg",
    "b\\1.jpg",
    "../images/b/1.jpg",
    "images/b/1.jpg",
    "/home/me/set/images/b/1.jpg",
    "D:\\set\\b\\1.jpg",
    "B/1.JPG",
    "b/%31.jpg",
  ])("lead to the image that %s says", async (file_name) => {
    await writeAnnotated(root, images, { "annotations/all.json": cocoJson([file_name]) });
    expect(await firstRows(root, await openWhole(root))).toEqual({ "images/b/1.jpg": "10000000" });
  });

  it("that fit several images are an error that names them", async () => {
    await writeAnnotated(root, images, { "annotations/all.json": cocoJson(["1.jpg"]) });
    await expect(openWhole(root)).rejects.toMatchObject({
      code: "ambiguous-name",
      message: expect.stringContaining('its image "1.jpg" may be images/a/1.jpg or images/b/1.jpg'),
    });
    await writeAnnotated(root, images, { "annotations/all.json": cocoJson(["1.jpg", "b/1.jpg"]) });
    const opened = await openWhole(root);
    expect(await firstRows(root, opened)).toEqual({ "images/b/1.jpg": "11000000" });
    expect(toldOf(root, opened)[0]).toMatch(/^problem ambiguous-name annotations\/all.json: its image "1.jpg" may be/);
  });

  it("of another folder than the image's are told", async () => {
    await writeAnnotated(root, ["images/a/1.jpg"], { "annotations/all.json": cocoJson(["b/1.jpg"]) });
    const opened = await openWhole(root);
    expect(await firstRows(root, opened)).toEqual({ "images/a/1.jpg": "10000000" });
    expect(toldOf(root, opened)).toEqual([
      'warning other-folder annotations/all.json: 1 image lies in another folder than the file says: "b/1.jpg" was taken to be images/a/1.jpg; correct file_name if these are other images',
    ]);
  });

  it("do not take the image of another entry for one that is missing", async () => {
    await writeAnnotated(root, ["images/a/1.jpg"], { "annotations/all.json": cocoJson(["a/1.jpg", "b/1.jpg"]) });
    const opened = await openWhole(root);
    expect(await firstRows(root, opened)).toEqual({ "images/a/1.jpg": "10000000" });
    expect(toldOf(root, opened)).toEqual([
      'problem missing-image annotations/all.json: its image "b/1.jpg" is nowhere in the folder; images/a/1.jpg is that of another entry',
    ]);
  });

  it("of two entries that lead to one image are named", async () => {
    await writeAnnotated(root, ["1.jpg"], { "all.json": cocoJson(["a/1.jpg", "b/1.jpg"]) });
    expect(toldOf(root, await openWhole(root))[0]).toMatch(
      /^problem same-image all.json: the image .*1.jpg is listed twice in this file \(as "a\/1.jpg" and "b\/1.jpg"\)/,
    );
  });

  it("outside of the folder are named, not looked for inside", async () => {
    const inner = join(root, "set");
    await writeAnnotated(root, ["photos/1.jpg", "set/1.jpg", "set/2.jpg"], {
      "set/all.json": cocoJson(["../photos/1.jpg", "2.jpg"]),
    });
    const opened = await openWhole(inner);
    expect(await firstRows(inner, opened)).toEqual({ "2.jpg": "11000000" });
    expect(toldOf(inner, opened)[0]).toBe(
      `problem missing-image all.json: its image "../photos/1.jpg" is ${inner}/../photos/1.jpg, outside of the folder; open the folder above that holds both`,
    );
  });

  it("mean the images of the file's split, and are told where only another split has one", async () => {
    const three = ["train/1.jpg", "val/1.jpg", "val/2.jpg"];
    const files = { "annotations/instances_train.json": cocoJson(["1.jpg", "2.jpg"]) };
    await writeAnnotated(root, three, files);
    const opened = await data.open(root, { validation: 0 });
    expect(await firstRows(root, opened)).toEqual({ "train/1.jpg": "10000000", "val/2.jpg": "11000000" });
    expect(toldOf(root, opened)[0]).toContain('"2.jpg" was taken to be val/2.jpg');
  });

  it("tell images of one name apart by their endings, in lists too", async () => {
    const tree = { "all.json": cocoJson(["a.jpg", "a.png"]), "a.jpg": await jpeg(6, 8, 1) };
    await writeTree(root, { ...tree, "a.png": greyPng(6, 8, (x) => 20 * x), "splits/train.txt": "a.png" });
    const opened = await openWhole(root);
    expect(await firstRows(root, opened)).toEqual({ "a.png": "11000000" });
    await writeTree(root, { "splits/train.txt": "a" });
    expect(toldOf(root, await openWhole(root))[0]).toBe(
      'problem ambiguous-name splits/train.txt: it names "a", which may be a.jpg or a.png: write the ending too',
    );
  });
});

describe("labelme image paths", () => {
  it.each([
    "../images/b/1.jpg",
    "..\\images\\b\\1.jpg",
    "/me/images/b/1.jpg",
    "E:/x/images/b/1.jpg",
    "../images/B/1.JPG",
  ])("lead to the image that %s says", async (imagePath) => {
    await writeAnnotated(root, ["images/a/1.jpg", "images/b/1.jpg"], {
      "json/lab.json": labelmeJson(imagePath, "dog"),
    });
    const opened = await openWhole(root);
    expect(await firstRows(root, opened)).toEqual({ "images/b/1.jpg": "11110000" });
    expect(toldOf(root, opened)).toEqual([`warning image-without-mask images/a/1.jpg: it has no labelme file`]);
  });

  it("that fit several images are an error that names them", async () => {
    await writeAnnotated(root, ["images/a/1.jpg", "images/b/1.jpg"], { "json/lab.json": labelmeJson("1.jpg", "dog") });
    await expect(openWhole(root)).rejects.toThrow(
      `${root}/json/lab.json: its image "1.jpg" may be images/a/1.jpg or images/b/1.jpg`,
    );
  });

  it("that lead nowhere give way to an image of the file's own name, with a word where the names contradict", async () => {
    await writeAnnotated(root, ["x/a.jpg", "x/b.jpg", "y/c.jpg"], {
      "x/a.json": labelmeJson("..\\gone\\a.jpg", "dog"),
      "x/b.json": labelmeJson("IMG_0001.jpg", "dog"),
      "y/c.json": labelmeJson("", "dog"),
    });
    const opened = await openWhole(root);
    expect(Object.keys(await firstRows(root, opened)).sort()).toEqual(["x/a.jpg", "x/b.jpg", "y/c.jpg"]);
    expect(toldOf(root, opened)).toEqual([
      'warning other-image : 1 labelme file names an image that does not exist: x/b.json says "IMG_0001.jpg", but x/b.jpg was taken; correct imagePath if these are other images',
    ]);
  });

  it("are not followed to an image in another folder where one of the file's own name is beside it", async () => {
    await writeAnnotated(root, ["x/lab.jpg", "y/1.jpg"], { "x/lab.json": labelmeJson("z/1.jpg", "dog") });
    await expect(openWhole(root)).rejects.toThrow('its image "z/1.jpg" may be y/1.jpg or x/lab.jpg');
  });

  it("of an image that only another folder has are told", async () => {
    await writeAnnotated(root, ["y/1.jpg"], { "x/lab.json": labelmeJson("../z/1.jpg", "dog") });
    const opened = await openWhole(root);
    expect(await firstRows(root, opened)).toEqual({ "y/1.jpg": "11110000" });
    expect(toldOf(root, opened)[0]).toContain('x/lab.json says "../z/1.jpg", but y/1.jpg was taken');
  });

  it("outside of the folder are named", async () => {
    await writeAnnotated(root, ["photos/1.jpg", "json/1.jpg"], {
      "json/1.json": labelmeJson("../photos/1.jpg", "dog"),
    });
    await expect(openWhole(join(root, "json"))).rejects.toThrow("outside of the folder");
    expect(await firstRows(root, await openWhole(root))).toEqual({ "photos/1.jpg": "11110000" });
  });
});

describe("lines of lists", () => {
  const masked = async (names: readonly string[], list: string): Promise<void> => {
    const tree: Record<string, string | Uint8Array> = { "splits/train.txt": list };
    for (const [i, name] of names.entries()) {
      tree[`images/${name}.jpg`] = await jpeg(6, 8, i + 1);
      tree[`masks/${name}.png`] = greyPng(6, 8, (x) => Number(x < i + 1));
    }
    await writeTree(root, tree);
  };

  it.each(["b/1", "./b/1.jpg", "images\\b\\1.jpg", "/set/images/b/1.jpg masks/b/1.png", "B/1"])(
    "in splits/ take %s for b/1",
    async (line) => {
      await masked(["a/1", "b/1"], line);
      expect(await firstRows(root, await openWhole(root))).toEqual({ "images/b/1.jpg": "11000000" });
    },
  );

  it("in splits/ are told where the folder is another", async () => {
    await masked(["a/1", "a/2"], "b/1\na/2");
    const opened = await openWhole(root);
    expect(opened.splits.train?.length).toBe(2);
    expect(toldOf(root, opened)).toEqual([
      'warning other-folder splits/train.txt: 1 line names a folder that does not exist: "b/1" was taken to be a/1; correct the list if these are other images',
    ]);
  });

  it("in ImageSets may be paths with endings and masks, as in other people's copies of PASCAL VOC", async () => {
    const lists = {
      train: "/data/VOC/JPEGImages/1.jpg /data/VOC/SegmentationClass/1.png",
      val: "JPEGImages\\2.jpg",
      test: "3",
    };
    const tree: Record<string, string | Uint8Array> = {};
    for (const [i, [name, lines]] of Object.entries(lists).entries()) {
      tree[`ImageSets/Segmentation/${name}.txt`] = lines;
      tree[`JPEGImages/${i + 1}.jpg`] = await jpeg(6, 8, i + 1);
      tree[`SegmentationClass/${i + 1}.png`] = greyPng(6, 8, (x) => Number(x < i + 1));
    }
    await writeTree(root, tree);
    const opened = await data.open(root);
    expect(Object.values(opened.splits).map((set) => set.name(0))).toEqual(["3", "1", "2"]);
    expect(Object.values(await firstRows(root, opened))).toEqual(["11100000", "10000000", "11000000"]);
  });
});
