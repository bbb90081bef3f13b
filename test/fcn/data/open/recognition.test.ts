import { join } from "node:path";
import { data } from "@fcn/core";
import { beforeEach, describe, expect, it } from "vitest";
import { refusal } from "../../../support/refusals.js";
import { greyPng, jpeg, temporaryFolder, writeTree } from "../trees.js";

const base = await temporaryFolder("recognition");
const photo = await jpeg(6, 8, 1);
const mask = greyPng(6, 8, (x) => (x < 4 ? 0 : 1));
let root = "";
let count = 0;
beforeEach(() => {
  root = join(base, String(count++));
});

const coco = JSON.stringify({
  images: [{ id: 1, file_name: "a.jpg", height: 6, width: 8 }],
  annotations: [{ id: 1, image_id: 1, category_id: 1, iscrowd: 0, segmentation: [[0, 0, 4, 0, 4, 6, 0, 6]] }],
  categories: [{ id: 1, name: "cat" }],
});
const unrelated = JSON.stringify({ version: 1, settings: {} });

describe("a folder in which no layout is found", () => {
  it.each<[string, Record<string, Uint8Array | string>, RegExp, RegExp]>([
    [
      "VOC without its masks",
      { "JPEGImages/a.jpg": photo, "ImageSets/Segmentation/train.txt": "a" },
      /it has JPEGImages, ImageSets\/Segmentation of the layout voc, but SegmentationClass is missing/,
      /put SegmentationClass there/,
    ],
    [
      "SBD without its list",
      { "img/a.jpg": photo, "cls/a.mat": "" },
      /of the layout sbd, but train\.txt is missing/,
      /put train\.txt there/,
    ],
    [
      "NYUDv2 without its labels",
      { "data/images/a.png": photo },
      /of the layout nyud, but segmentation is missing/,
      /put segmentation there/,
    ],
    [
      "SIFT Flow without its images",
      { "SemanticLabels/a.mat": "", "GeoLabels/a.mat": "" },
      /of the layout siftflow, but Images is missing/,
      /put Images there/,
    ],
    [
      "PASCAL-Context without its names",
      { "trainval/a.mat": "" },
      /of the layout pascal-context, but labels\.txt is missing/,
      /put labels\.txt there/,
    ],
    [
      "images alone",
      { "images/a.jpg": photo },
      /there is images\/, but masks\/ is missing/,
      /put the masks, PNG files with the names of their images, into masks\//,
    ],
    [
      "masks alone",
      { "masks/a.png": mask },
      /there is masks\/, but images\/ is missing/,
      /put the images into images\//,
    ],
    [
      "another name for masks/",
      { "images/a.jpg": photo, "mask/a.png": mask },
      /images\/ and mask\/ look like/,
      /^rename mask\/ to masks\/;/,
    ],
    [
      "capitals",
      { "Images/a.jpg": photo, "Masks/a.png": mask },
      /Images\/ and Masks\/ look like/,
      /^rename Images\/ to images\/ and Masks\/ to masks\/;/,
    ],
    [
      "labels of YOLO",
      { "images/a.jpg": photo, "labels/a.txt": "0 0.5 0.5 1 1" },
      /labels\/ holds \.txt files and no masks/,
      /export the labels as masks/,
    ],
    [
      "a folder too high",
      { "set/images/a.jpg": photo, "set/masks/a.png": mask },
      /images\/ and masks\/ are inside set\//,
      /name the folder .*\/set;/,
    ],
    [
      "splits outside",
      { "train/images/a.jpg": photo, "train/masks/a.png": mask, "val/images/b.jpg": photo, "val/masks/b.png": mask },
      /inside train\/, val\//,
      /move train\/images to images\/train and train\/masks to masks\/train, val\/images/,
    ],
    [
      "images and masks in one folder",
      { "a_sat.jpg": photo, "a_mask.png": mask },
      /images and masks \(such as a_mask\.png\) are in one folder/,
      /move the images into images\/ and the masks into masks\//,
    ],
    [
      "images and nothing else",
      { "a.jpg": photo },
      /1 image in .* itself have neither masks\/ nor \.json files/,
      /put images into images\//,
    ],
    [
      "JSON of another kind",
      { "a.jpg": photo, "via.json": unrelated },
      /via\.json is neither a COCO nor a labelme file: it has the keys version, settings/,
      /put images into images\//,
    ],
    [
      "a damaged JSON",
      { "a.jpg": photo, "all.json": `${coco.slice(0, -20)}` },
      /all\.json: it is not JSON: line 1, .* cut off/,
      /copy, download or export it again/,
    ],
    [
      "a JSON with NaN",
      { "images/a.jpg": photo, "all.json": coco.replace("[[0", "[[NaN") },
      /all\.json: it is not JSON: .*NaN is a word of Python/,
      /allow_nan=False/,
    ],
  ])("says what is nearly there: %s", async (_, files, problem, fix) => {
    await writeTree(root, files);
    const error = await refusal(data.open(root));
    expect(error.code).toBe("missing-data");
    expect(error.message).toContain("no known layout of labelled images is in it");
    expect(error.message).toMatch(problem);
    expect(error.fix).toMatch(fix);
    expect(error.message).not.toContain("\n");
  });
});

describe("annotations in JSON", () => {
  it.each([
    ["cut off", coco.slice(0, -20), /^copy, download or export it again/],
    ["with NaN", coco.replace("[[0", "[[NaN"), /^write null or a number there/],
    ["as Python prints it", coco.replaceAll('"', "'"), /^write it with json\.dump/],
  ])("that cannot be read are the one thing to mend beside images: %s", async (_, text, fix) => {
    await writeTree(root, { "images/a.jpg": photo, "annotations/all.json": text });
    const error = await refusal(data.open(root));
    expect(error.message).toContain("annotations/all.json: it is not JSON");
    for (const told of [error.message, error.fix]) expect(told).not.toContain("masks");
    expect(error.fix).toMatch(fix);
  });

  it("of COCO are found in deep folders, where none lies nearer", async () => {
    await writeTree(root, { "images/a.jpg": photo, "data/annotations/v1/instances.json": coco });
    expect((await data.open(root)).layout).toBe("coco");
    await writeTree(root, { "all.json": coco.replaceAll('"cat"', '"dog"') });
    expect((await data.open(root)).classes).toEqual(["background", "dog"]);
  });
});

describe("the option layout", () => {
  it("chooses where a folder fits several, which is told", async () => {
    await writeTree(root, { "images/a.jpg": photo, "masks/a.png": mask, "all.json": coco });
    const opened = await data.open(root);
    expect(opened.layout).toBe("folder");
    const [told] = opened.remarks.filter(({ code }) => code === "other-layouts");
    expect(told).toMatchObject({ level: "note", text: expect.stringContaining("but also fits coco (a COCO .json)") });
    expect(told?.commandText).toContain("to choose, set --layout");
    const chosen = await data.open(root, { layout: "coco" });
    expect([chosen.layout, chosen.classes]).toEqual(["coco", ["background", "cat"]]);
    expect(chosen.remarks.some(({ code }) => code === "other-layouts")).toBe(false);
  });

  it("says nothing where one layout fits alone", async () => {
    await writeTree(root, { "images/a.jpg": photo, "masks/a.png": mask, "classes.json": '["a","b"]' });
    expect((await data.open(root)).remarks.map(({ code }) => code)).toEqual(["seeded-split"]);
  });

  it.each<[data.LayoutName, RegExp]>([
    [
      "voc",
      /the layout voc needs JPEGImages\/, .*; missing: JPEGImages, SegmentationClass, ImageSets\/Segmentation; found: images\//,
    ],
    ["sbd", /missing: img, cls, train\.txt/],
    ["siftflow", /missing: Images, SemanticLabels, GeoLabels/],
    ["folder", /the layout folder needs images\/ and masks\/; missing: masks; found: images\//],
  ])("says what %s needs, and what is there", async (layout, problem) => {
    await writeTree(root, { "images/a.jpg": photo, "notes.txt": "x" });
    const error = await refusal(data.open(root, { layout }));
    expect(error.message).toMatch(problem);
    expect(error.message).toContain("notes.txt");
    expect(error.commandFix).toContain("leave --layout out");
  });
});
