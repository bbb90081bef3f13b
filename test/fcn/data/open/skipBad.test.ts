import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { data } from "@fcn/core";
import { beforeEach, describe, expect, it } from "vitest";
import { cocoJson, labelmeJson, writeAnnotated } from "../annotations/annotated.js";
import { greyPng, jpeg, temporaryFolder, writeTree } from "../trees.js";

const base = await temporaryFolder("skip-bad");
let root = "";
let count = 0;
beforeEach(async () => {
  root = join(base, String(count++));
  const files: Record<string, Uint8Array | string> = { "classes.json": '["a","b"]' };
  for (let i = 0; i < 10; i++) {
    files[`images/${i}.jpg`] = await jpeg(20, 24, i + 1);
    files[`masks/${i}.png`] = greyPng(20, 24, (x, y) => Number(x + y > 20 + i));
  }
  await writeTree(root, files);
});

const namesOf = (set: data.SegmentationDataset | undefined): string[] =>
  Array.from({ length: set?.length ?? 0 }, (_, i) => set?.name(i) as string);

/**
 * One fault an image: a JPEG that is cut off, a mask of another size, a label without a class, an LFS pointer for a
 * mask, an image without a mask.
 */
const spoil: Record<string, () => Promise<void>> = {
  "0": async () => writeFile(join(root, "images/0.jpg"), (await jpeg(20, 24, 1)).subarray(0, 300)),
  "1": () =>
    writeFile(
      join(root, "masks/1.png"),
      greyPng(20, 25, () => 1),
    ),
  "2": () =>
    writeFile(
      join(root, "masks/2.png"),
      greyPng(20, 24, (x) => (x === 3 ? 7 : 0)),
    ),
  "3": () => writeFile(join(root, "masks/3.png"), "version https://git-lfs.github.com/spec/v1\n"),
};

describe("skipBad", () => {
  it.each(Object.entries(spoil))(
    "leaves image %s out of the split that it is in, and moves no other",
    async (name, spoilOne) => {
      const before = await data.open(root);
      await spoilOne();
      const opened = await data.open(root, { skipBad: true });
      for (const split of ["train", "val"]) {
        expect(namesOf(opened.splits[split])).toEqual(namesOf(before.splits[split]).filter((each) => each !== name));
        await data.loadAll(opened.splits[split] as data.SegmentationDataset);
      }
      expect(opened.leftOut).toHaveLength(1);
      expect(opened.leftOut?.[0]).toMatchObject({ name, file: expect.stringMatching(`${name}\\.(jpg|png)$`) });
      const report = await data.check(opened);
      expect(report.ok).toBe(true);
      expect(report.leftOut).toEqual(opened.leftOut);
      expect(report.remarks.filter(({ text }) => text.startsWith(`${name} is left out: `))).toHaveLength(1);
      expect(report.remarks[0]).toMatchObject({ level: "warning" });
      // Without it the same folder has a problem.
      const { ok, remarks } = await data.check(root);
      expect([ok, remarks[0]?.level]).toEqual([false, "problem"]);
    },
  );

  it("lists every image with its split, and counts them in a line", async () => {
    for (const spoilOne of Object.values(spoil)) await spoilOne();
    await rm(join(root, "masks/4.png"));
    const opened = await data.open(root, { skipBad: true, validation: 0.4, seed: 3 });
    const total = namesOf(opened.splits.train).length + namesOf(opened.splits.val).length;
    expect(total).toBe(5);
    expect(opened.leftOut?.map(({ name }) => name).sort()).toEqual(["0", "1", "2", "3"]);
    const summary = opened.remarks.find(({ code }) => code === "skipped");
    expect(summary?.text).toMatch(/^images that cannot be used are left out: (train|val) \d of \d/);
    expect((await data.check(opened)).ok).toBe(true);
  });

  it("decodes no file anew in the check that follows, unless it has changed", async () => {
    await spoil["0"]?.();
    const opened = await data.open(root, { skipBad: true });
    expect((await data.check(opened)).ok).toBe(true);
    const left = opened.splits.train?.name(0);
    await writeFile(join(root, `images/${left}.jpg`), "no image");
    expect((await data.check(opened)).remarks[0]).toMatchObject({ level: "problem", code: "unsupported-file" });
  });

  it("is an error where nothing is left of a split, and loud where more than half is gone", async () => {
    await writeTree(root, { "splits/train.txt": "0\n1\n4\n5\n6\n7", "splits/val.txt": "2\n3\n8" });
    await spoil["2"]?.();
    await spoil["3"]?.();
    const { remarks } = await data.open(root, { skipBad: true });
    expect(remarks.find(({ code }) => code === "skipped")?.text).toContain("val 2 of 3 (MORE THAN HALF)");
    await writeFile(join(root, "images/8.jpg"), "");
    await expect(data.open(root, { skipBad: true })).rejects.toMatchObject({
      code: "missing-data",
      message: expect.stringContaining('none of the 3 images of "val" can be used'),
    });
  });

  it("does not excuse what is wrong with the folder", async () => {
    await writeTree(root, { "splits/train.txt": "0\n4", "splits/val.txt": "4\n5" });
    const { ok, remarks } = await data.check(root, { skipBad: true });
    expect(ok).toBe(false);
    expect(remarks[0]).toMatchObject({ level: "problem", code: "duplicate" });
  });

  it("leaves out names of lists and links that lead nowhere", async () => {
    await writeTree(root, { "splits/train.txt": "0\n1\n2\nnone", "splits/val.txt": "4\n5" });
    const { ok, remarks } = await data.check(root, { skipBad: true });
    expect(ok).toBe(true);
    expect(remarks.find(({ code }) => code === "missing-sample")?.level).toBe("warning");
  });
});

describe("skipBad of entries in lists of annotations", () => {
  const images = Array.from({ length: 6 }, (_, i) => `${i}.jpg`);
  const coco = JSON.parse(cocoJson(images)) as {
    images: { id: unknown; file_name: string }[];
    annotations: { image_id: unknown; category_id: unknown }[];
  };

  it.each<[string, (json: typeof coco) => void, number]>([
    ["an image without an id", ({ images }) => Object.assign(images[1] as object, { id: null }), 5],
    [
      "an annotation without an image",
      ({ annotations }) => Object.assign(annotations[1] as object, { image_id: {} }),
      6,
    ],
    [
      "a category that is not listed",
      ({ annotations }) => Object.assign(annotations[1] as object, { category_id: 9 }),
      6,
    ],
    ["an image that is nowhere", ({ images }) => Object.assign(images[1] as object, { file_name: "none.jpg" }), 5],
    ["two entries of one image", ({ images }) => Object.assign(images[1] as object, { file_name: "./0.jpg" }), 4],
  ])("goes on with COCO files that have %s", async (_, spoilOne, left) => {
    const json = structuredClone(coco);
    spoilOne(json);
    const folder = join(root, "coco");
    await writeAnnotated(folder, images, { "all.json": JSON.stringify(json) });
    expect((await data.check(folder)).ok).toBe(false);
    const { splits } = await data.open(folder, { skipBad: true, validation: 0.5 });
    expect(namesOf(splits.train).length + namesOf(splits.val).length).toBe(left);
    expect((await data.check(folder, { skipBad: true, validation: 0.5 })).ok).toBe(true);
  });

  it("leaves out the image of two labelme files", async () => {
    const files = Object.fromEntries(images.map((name, i) => [`${i}.json`, labelmeJson(name, "thing")]));
    const folder = join(root, "labelme");
    await writeAnnotated(folder, images, { ...files, "1.json": labelmeJson("0.jpg", "thing") });
    const { splits, leftOut, remarks } = await data.open(folder, { skipBad: true, validation: 0.5 });
    const names = [...namesOf(splits.train), ...namesOf(splits.val)];
    expect(names.sort()).toEqual(["2", "3", "4", "5"]);
    expect(leftOut?.map(({ name, code }) => [name, code])).toEqual([["0", "same-image"]]);
    // One line tells of it.
    expect(remarks.filter(({ code }) => code === "same-image")).toHaveLength(1);
  });
});
