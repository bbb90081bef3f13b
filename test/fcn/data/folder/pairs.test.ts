import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { data } from "@fcn/core";
import { beforeEach, describe, expect, it } from "vitest";
import { greyPng, jpeg, temporaryFolder, writeTree } from "../trees.js";

const base = await temporaryFolder("suffixes");
const photo = await jpeg(6, 8, 1);
let root = "";
let count = 0;
beforeEach(() => {
  root = join(base, String(count++));
});

/** Writes images and masks; the mask of place i holds i + 1 in its first pixel, which tells it from others. */
async function write(
  images: readonly string[],
  masks: readonly string[],
  folders = ["images", "masks"],
): Promise<void> {
  const names = Array.from({ length: masks.length + 1 }, (_, label) => `c${label}`);
  const files: Record<string, Uint8Array | string> = { "classes.json": JSON.stringify(names) };
  for (const image of images) files[`${folders[0]}/${image}`] = photo;
  for (const [i, mask] of masks.entries()) {
    files[`${folders[1]}/${mask}`] = greyPng(6, 8, (x, y) => (x + y === 0 ? i + 1 : 0));
  }
  await writeTree(root, files);
}

/** For each image the first pixel of its mask. */
async function pairsOf(opened: data.OpenedData): Promise<Record<string, number>> {
  const pairs: Record<string, number> = {};
  for (const set of Object.values(opened.splits)) {
    for (let i = 0; i < set.length; i++) pairs[set.name(i)] = (await set.load(i)).labels[0] as number;
  }
  return pairs;
}

const problems = ({ remarks }: data.OpenedData) => remarks.filter(({ level }) => level === "problem");

describe("masks whose names have more than those of their images", () => {
  it.each([
    ["x.jpg", "x_mask.png", "_mask"],
    ["x.jpg", "x_gt.PNG", "_gt"],
    ["x.jpg", "x_label.png", "_label"],
    ["x.jpg", "x_seg.png", "_seg"],
    ["x.jpg", "x-mask.png", "-mask"],
    ["x.jpg", "x_segmentation.png", "_segmentation"],
    ["x.jpg", "x_gt_mask.png", "_gt_mask"],
    ["x.jpg", "x_L.png", "_L"],
    ["x.jpg", "mask_x.png", "mask_*"],
    ["x.jpg", "x.jpg.png", ".jpg"],
    ["x.jpg", "x.jpg_mask.png", ".jpg_mask"],
    ["x_sat.jpg", "x_mask.png", "_mask"],
    ["x_image.jpg", "x_mask.png", "_mask"],
    ["image_7.jpg", "mask_7.png", "mask_*"],
    ["img7.jpg", "mask7.png", "mask*"],
    ["x_leftImg8bit.png", "x_gtFine_labelIds.png", "_gtFine_labelIds"],
    ["x_leftImg8bit.png", "x_gtFine_labelTrainIds.png", "_gtFine_labelTrainIds"],
    ["a/x_leftImg8bit.png", "a/x_gtFine_labelIds.png", "_gtFine_labelIds"],
  ])("pairs %s with %s", async (image, mask, suffix) => {
    await write([image], [mask]);
    const opened = await data.open(root);
    expect(await pairsOf(opened)).toEqual({ [image.replace(/\.\w+$/, "")]: 1 });
    expect(problems(opened)).toEqual([]);
    const told = opened.remarks.find(({ code }) => code === "mask-suffix");
    expect(told).toMatchObject({ level: "note" });
    expect(told?.text).toContain(`"${suffix}" (1)`);
    expect(told?.commandText).toContain("--mask-suffix");
  });

  it.each([
    [["p0.jpg", "p1.jpg"], ["p0Segmentation.png", "p1Segmentation.png"], "Segmentation"],
    [["p0_img.jpg", "p1_img.jpg"], ["p0_lab.png", "p1_lab.png"], "_lab"],
    [["a_0_rgb.jpg", "a_1_rgb.jpg"], ["a_0_seg_final.png", "a_1_seg_final.png"], "_seg_final"],
  ])("proposes the option for names that are not known: %j and %j", async (images, masks, suffix) => {
    await write(images, masks);
    await expect(data.open(root)).rejects.toMatchObject({
      code: "missing-data",
      commandFix: expect.stringContaining(`--mask-suffix ${suffix}`),
    });
    expect(Object.values(await pairsOf(await data.open(root, { maskSuffix: suffix }))).sort()).toEqual([1, 2]);
  });

  it("pairs names that differ in capitals, and extensions in any case", async () => {
    await write(["IMG_1.JPG", "b.jpg"], ["img_1.png", "b.PNG"]);
    const opened = await data.open(root);
    expect(await pairsOf(opened)).toEqual({ IMG_1: 1, b: 2 });
    expect(problems(opened)).toEqual([]);
  });

  it("takes a mask of the very name before any other, which is told", async () => {
    await write(["a.jpg", "b.jpg"], ["a.png", "a_mask.png", "b.png"]);
    const opened = await data.open(root);
    expect(await pairsOf(opened)).toEqual({ a: 1, b: 3 });
    const [told] = opened.remarks.filter(({ code }) => code === "other-masks");
    expect(told).toMatchObject({ level: "warning", files: [join(root, "masks/a_mask.png")] });
    expect(problems(opened)).toEqual([]);
  });

  it("does not take an image for the mask of another", async () => {
    await write(["a.jpg", "a_mask.jpg"], ["a.png", "a_mask.png"]);
    expect(await pairsOf(await data.open(root))).toEqual({ a: 1, a_mask: 2 });
  });

  it("prefers labelIds of Cityscapes, city by city, and tells what it leaves out", async () => {
    const kinds = ["color", "instanceIds", "labelIds", "labelTrainIds"];
    const names = ["ulm/ulm_000000", "bonn/bonn_000000"];
    await write(
      names.map((name) => `train/${name}_leftImg8bit.png`),
      names.flatMap((name) => kinds.map((kind) => `train/${name}_gtFine_${kind}.png`)),
      ["leftImg8bit", "gtFine"],
    );
    const opened = await data.open(root);
    expect(await pairsOf(opened)).toEqual({
      "train/ulm/ulm_000000_leftImg8bit": 3,
      "train/bonn/bonn_000000_leftImg8bit": 7,
    });
    expect(problems(opened)).toEqual([]);
    const [left] = opened.remarks.filter(({ code }) => code === "other-masks");
    expect(left).toMatchObject({ level: "note" });
    expect(left?.files).toHaveLength(6);
    const chosen = await data.open(root, { maskSuffix: "_gtFine_labelTrainIds" });
    expect(Object.values(await pairsOf(chosen)).sort()).toEqual([4, 8]);
  });

  it("refuses two masks that may both be meant, and takes the one that is named", async () => {
    await write(["a.jpg", "b.jpg"], ["a_mask.png", "a_gt.png", "b_mask.png", "b_gt.png"]);
    await expect(data.open(root)).rejects.toMatchObject({
      code: "ambiguous-mask",
      message: expect.stringContaining("a_gt.png or"),
      commandFix: expect.stringMatching(/--mask-suffix _gt or --mask-suffix _mask/),
    });
    expect(await pairsOf(await data.open(root, { maskSuffix: "_gt" }))).toEqual({ a: 2, b: 4 });
  });

  it("names an unusual suffix in one line, with the flag that takes it", async () => {
    const names = Array.from({ length: 300 }, (_, i) => String(1000 + i));
    await write(
      names.map((name) => `${name}.jpg`),
      names.map((name) => `${name}_defect.png`).slice(0, 2),
    );
    for (const name of names)
      await writeFile(
        join(root, "masks", `${name}_defect.png`),
        greyPng(6, 8, (x) => x % 2),
      );
    const error = await data.open(root).catch((reason: Error) => reason);
    expect(error).toMatchObject({ code: "missing-data", commandFix: expect.stringContaining("--mask-suffix _defect") });
    expect(String((error as Error).message).split("\n")).toHaveLength(1);
    const { remarks, splits } = await data.open(root, { maskSuffix: "_defect.png" });
    expect((splits.train?.length ?? 0) + (splits.val?.length ?? 0)).toBe(300);
    expect(remarks.filter(({ level }) => level === "problem")).toEqual([]);
  });

  it("groups images without a mask, and lists all their files", async () => {
    const names = Array.from({ length: 300 }, (_, i) => String(1000 + i));
    await write(["a.jpg", ...names.map((name) => `${name}.jpg`)], ["a.png"]);
    const [only, ...more] = problems(await data.open(root));
    expect(more).toEqual([]);
    expect(only?.text).toMatch(/^300 images have no mask with the same name in .*, such as .*1000\.jpg: /);
    expect(only?.files).toHaveLength(300);
  });

  it.each(["_foo", "foo_*"])(
    "refuses the suffix %s that no mask has, and names those that are there",
    async (maskSuffix) => {
      await write(["a.jpg", "b.jpg", "c.jpg"], ["a_mask.png", "b_mask.png", "c.png"]);
      await expect(data.open(root, { maskSuffix })).rejects.toMatchObject({
        code: "invalid-argument",
        message: expect.stringMatching(/_mask \(2\), none \(1\)/),
        commandFix: "correct --mask-suffix, or leave it out",
      });
    },
  );
});
