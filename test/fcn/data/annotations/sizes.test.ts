import { join } from "node:path";
import { data } from "@fcn/core";
import sharp from "sharp";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { photo, temporaryFolder, writeTree } from "../trees.js";
import { cocoJson, firstRows, labelmeJson, openWhole, toldOf, writeAnnotated } from "./annotated.js";

let base: string;
let root: string;
let count = 0;
beforeAll(async () => {
  base = await temporaryFolder("sizes");
});
beforeEach(() => {
  root = join(base, String(count++));
});

const itemOf = ({ splits }: data.OpenedData): data.SampleItem => splits.train?.item?.(0) as data.SampleItem;

describe("the size of the image", () => {
  it.each([{}, { height: null, width: null }, { height: 0, width: 0 }, { width: 8 }])(
    "is the image's own where a COCO file says %j",
    async (size) => {
      const images = [{ id: 1, file_name: "1.jpg", ...size }];
      await writeAnnotated(root, ["1.jpg"], { "all.json": cocoJson(["1.jpg"], { images }) });
      const opened = await openWhole(root);
      expect(await firstRows(root, opened)).toEqual({ "1.jpg": "10000000" });
      expect(toldOf(root, await data.check(opened))).toEqual(["warning empty-split : val: it has no image"]);
    },
  );

  it("is the image's own where a labelme file does not state it", async () => {
    await writeAnnotated(root, ["a.jpg"], {
      "a.json": labelmeJson("a.jpg", "dog", { imageHeight: undefined, imageWidth: undefined }),
    });
    expect(await firstRows(root, await openWhole(root))).toEqual({ "a.jpg": "11110000" });
  });

  it("that a file states and the image has not is told as ever", async () => {
    const images = [{ id: 1, file_name: "1.jpg", height: "7" }];
    await writeAnnotated(root, ["1.jpg"], { "all.json": cocoJson(["1.jpg"], { images }) });
    await expect(data.loadItem(itemOf(await openWhole(root)))).rejects.toMatchObject({ code: "size-mismatch" });
  });

  it("is that of the upright image, and a turned one is warned of", async () => {
    const turned = await photo(8, 6, 1).withMetadata({ orientation: 6 }).jpeg().toBuffer();
    expect((await sharp(turned).metadata()).orientation).toBe(6);
    await writeTree(root, {
      "1.jpg": new Uint8Array(turned),
      "all.json": cocoJson(["1.jpg"], { images: [{ id: 1, file_name: "1.jpg" }] }),
    });
    const opened = await openWhole(root);
    expect(await firstRows(root, opened)).toEqual({ "1.jpg": "10000000" });
    expect(toldOf(root, await data.check(opened))).toContainEqual(
      expect.stringMatching(/^warning exif-orientation 1.jpg: it is turned by its EXIF tag/),
    );
  });
});
