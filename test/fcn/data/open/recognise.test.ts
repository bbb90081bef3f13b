import { join } from "node:path";
import { data } from "@fcn/core";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { cocoJson, firstRows, labelmeJson, openWhole, toldOf, writeAnnotated } from "../annotations/annotated.js";
import { jpeg, temporaryFolder, writeTree } from "../trees.js";

let base: string;
let root: string;
let count = 0;
beforeAll(async () => {
  base = await temporaryFolder("recognise");
});
beforeEach(() => {
  root = join(base, String(count++));
});

const STRANGERS: Readonly<Record<string, string>> = {
  "a1.json": '{"name": "a package", "version": "1.0.0", "files": ["images"]}',
  "a2.json": "[1, 2, 3]",
  "a3.json": "{ // no JSON\n}",
  "a4.json": '{"_via_img_metadata": {}}',
  "a5.json": '"text"',
  "a6.json": `{"list": [${"0,".repeat(50000)}0]}`,
};

describe("unrelated JSON files that come first", () => {
  it("hide no labelme folder, and are counted in one note", async () => {
    await writeAnnotated(root, ["z.jpg"], { ...STRANGERS, "z.json": labelmeJson("z.jpg", "dog") });
    const opened = await openWhole(root);
    expect(opened.layout).toBe("labelme");
    expect(await firstRows(root, opened)).toEqual({ "z.jpg": "11110000" });
    expect(toldOf(root, opened)).toEqual([]);
    expect(opened.remarks.map(({ text }) => text)).toContain(
      "6 JSON files are not labelme files and were not read: a1.json, a2.json, a3.json and 3 more",
    );
  });

  it("hide no COCO file", async () => {
    await writeAnnotated(root, ["z.jpg"], { ...STRANGERS, "z.json": cocoJson(["z.jpg"]) });
    const opened = await openWhole(root);
    expect(opened.layout).toBe("coco");
    expect(await firstRows(root, opened)).toEqual({ "z.jpg": "10000000" });
    expect(toldOf(root, opened)).toEqual([]);
  });

  it("hide no file that names its image after a large image inside", async () => {
    const imageData = "A".repeat(200_000);
    const file = { imageData, imageHeight: 6, imagePath: "z.jpg", imageWidth: 8, shapes: [], version: "5.0" };
    await writeAnnotated(root, ["z.jpg"], { ...STRANGERS, "z.json": JSON.stringify(file) });
    expect((await openWhole(root)).layout).toBe("labelme");
  });
});

describe("labelme files", () => {
  it("that are damaged are a problem beside others, and an error alone", async () => {
    const sound = labelmeJson("a.jpg", "dog");
    await writeAnnotated(root, ["a.jpg", "b.jpg"], { "a.json": sound, "b.json": sound.slice(0, 120) });
    expect(toldOf(root, await openWhole(root))[0]).toMatch(/^problem corrupt-file b.json: it is not JSON/);
    await writeTree(root, { "a.json": '{"imagePath": "a.jpg", "shapes": {}}' });
    await expect(openWhole(root)).rejects.toThrow(`${root}/a.json: it is not a labelme file: it has no list of shapes`);
  });

  it("may end in capitals", async () => {
    await writeAnnotated(root, ["a.jpg"], { "a.JSON": labelmeJson("a.jpg", "dog") });
    expect(await firstRows(root, await openWhole(root))).toEqual({ "a.jpg": "11110000" });
  });
});

describe("annotations of other tools", () => {
  const voc =
    "<annotation><folder>x</folder><filename>1.jpg</filename><object><name>dog</name><bndbox/></object></annotation>";
  it.each<[string, Readonly<Record<string, string>>, string]>([
    [
      "CVAT for images",
      { "annotations.xml": '<?xml version="1.0"?><annotations><version>1.1</version><image id="0"/></annotations>' },
      '1 file (annotations.xml) is of CVAT for images (XML), which is not supported: export as "COCO 1.0"',
    ],
    [
      "Pascal VOC boxes",
      { "labels/1.xml": voc, "labels/2.xml": voc },
      "2 files (labels/1.xml, labels/2.xml) are of Pascal VOC boxes (XML), which is not supported: they hold boxes",
    ],
    [
      "LabelMe of MIT",
      { "1.xml": "<annotation><filename>1.jpg</filename><object><polygon><pt/></polygon></object></annotation>" },
      "is of LabelMe of MIT (XML)",
    ],
    ["YOLO boxes", { "labels/1.txt": "0 0.5 0.5 0.1 0.2\n", "data.yaml": "" }, "is of YOLO boxes (text)"],
    ["YOLO polygons", { "labels/1.txt": "3 0.1 0.1 0.2 0.1 0.2 0.2\n" }, "is of YOLO polygons (text)"],
    ["VIA", { "via.json": '{"1.jpg123": {"regions": [{"shape_attributes": {}}]}}' }, "VGG Image Annotator"],
    ["Label Studio", { "p.json": '[{"annotations": [{"result": [{"from_name": "tag"}]}]}]' }, "is of Label Studio"],
    ["Supervisely", { "1.jpg.json": '{"objects": [{"classTitle": "dog", "geometryType": "polygon"}]}' }, "Supervisely"],
  ])("are named where a folder holds nothing else: %s", async (_, files, text) => {
    await writeTree(root, { ...files, "images/1.jpg": await jpeg(6, 8, 1) });
    await expect(data.open(root)).rejects.toMatchObject({
      code: "missing-data",
      message: expect.stringContaining(text),
    });
  });

  it("are not looked for in a folder that is known", async () => {
    await writeAnnotated(root, ["a.jpg"], { "a.json": labelmeJson("a.jpg", "dog"), "a.xml": voc });
    expect((await openWhole(root)).layout).toBe("labelme");
  });
});
