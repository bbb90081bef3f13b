import { tracePolygons } from "@fcn/core";
import { describe, expect, it } from "vitest";
import { greyPng, jpeg, palettePng, photo, rgbPng, temporaryFolder, writeTree } from "../../fcn/data/trees.js";
import { onPage, runOn } from "../../support/page.js";
import { zip } from "../../support/zip.js";
import type { Base64, BroughtBack, Result } from "./filesExercise.js";

const EXERCISE = "../studio/files/filesExercise";
const base64 = (bytes: Uint8Array): Base64 => Buffer.from(bytes).toString("base64");
const text = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

const root = await temporaryFolder("studio-folder");

type Tree = Readonly<Record<string, Uint8Array>>;
const zipOf = (tree: Tree): Uint8Array =>
  zip(Object.fromEntries(Object.entries(tree).map(([path, data]) => [path, { data, deflate: true }])));

/** Reads zips on one page, each by its name. */
async function readZips(zips: Tree): Promise<Record<string, Result<BroughtBack>>> {
  const sent = Object.fromEntries(Object.entries(zips).map(([name, bytes]) => [name, base64(bytes)]));
  return onPage((page) => runOn<Record<string, Result<BroughtBack>>>(page, EXERCISE, "readZips", sent));
}

const LABELS = [0, 0, 1, 255, 0, 1, 1, 255, 2, 2, 2, 255];
const mask = (x: number, y: number): number => LABELS[4 * y + x]!;
const CLASSES = [
  { name: "sky", color: [70, 130, 180] },
  { name: "tree", color: "#6b8e23" },
  { name: "road", color: [128, 64, 128] },
];

async function tree(): Promise<Tree> {
  return {
    "images/a.png": await photo(3, 4, 1).png().toBuffer(),
    "images/b.jpg": await jpeg(3, 4, 2),
    "masks/a.png": greyPng(3, 4, mask),
    "classes.json": text(CLASSES),
  };
}

describe("readDataSet", () => {
  it("takes names, colours and sparse masks from a zip, and leaves images without a mask unpainted", async () => {
    const { "data.zip": got } = await readZips({ "data.zip": zipOf(await tree()) });
    expect(got?.value).toMatchObject({
      classes: [
        ["sky", [70, 130, 180]],
        ["tree", [0x6b, 0x8e, 0x23]],
        ["road", [128, 64, 128]],
      ],
      notes: [],
      images: [
        { name: "a.png", size: [3, 4], strokes: 3, labels: LABELS },
        { name: "b.jpg", size: [3, 4], strokes: 0, labels: new Array(12).fill(255) },
      ],
    });
  });

  it("takes masks by their numbers, palettes and colours, and classes that are not listed", async () => {
    const base = await tree();
    const { "classes.json": _, ...bare } = base;
    const rgb = (x: number, y: number): number => [0x4682b4, 0x6b8e23, 0x804080][mask(x, y)] ?? 0xe0e0c0;
    const palette = [[1, 2, 3], [4, 5, 6], [7, 8, 9]] as const; // biome-ignore format: a list
    const numbered = CLASSES.map((entry, i) => ({ ...entry, value: 10 * (i + 1) }));
    const other = [{ name: "void", ignore: true }, "sky"];
    const got = await readZips({
      "colours.zip": zipOf({ ...base, "masks/a.png": rgbPng(3, 4, rgb) }),
      "values.zip": zipOf({
        ...base,
        "masks/a.png": greyPng(3, 4, (x, y) => [10, 20, 30][mask(x, y)] ?? 255),
        "classes.json": text({ classes: numbered }),
      }),
      "bare.zip": zipOf({ ...bare, "masks/a.png": palettePng(3, 4, palette, (x, y) => mask(x, y) % 255) }),
      "below.zip": zipOf(Object.fromEntries(Object.entries(base).map(([path, data]) => [`set/${path}`, data]))),
      "names.zip": zipOf({ ...base, "classes.json": text(["a", "b", "c"]) }),
      "ignored.zip": zipOf({ ...base, "classes.json": text(other) }),
    });
    for (const name of ["colours.zip", "values.zip", "below.zip", "names.zip"]) {
      expect(got[name]?.value?.images[0]?.labels, name).toEqual(LABELS);
      expect(got[name]?.value?.notes, name).toEqual([]);
    }
    expect(got["bare.zip"]?.value?.classes).toEqual([
      ["class 0", [1, 2, 3]],
      ["class 1", [4, 5, 6]],
      ["class 2", [7, 8, 9]],
    ]);
    expect(got["bare.zip"]?.value?.images[0]?.labels).toEqual(LABELS.map((label) => label % 255));
    // The only class that is not ignored has label 0; what is no class stays unpainted, which is told.
    expect(got["ignored.zip"]?.value?.classes.map(([name]) => name)).toEqual(["sky"]);
    expect(got["ignored.zip"]?.value?.notes).toEqual([
      'The mask "a.png" holds the number 1, which is no class; such pixels stay unpainted.',
    ]);
  });

  it("tells what it leaves out, and takes the rest", async () => {
    const base = await tree();
    const { "data.zip": got } = await readZips({
      "data.zip": zipOf({
        ...base,
        "images/c.jpg": Buffer.from("This is text."),
        "masks/b.png": greyPng(5, 5, () => 0),
        "masks/d.png": greyPng(3, 4, () => 0),
        "images/e.png": await photo(3, 4, 3).png().toBuffer(),
        "masks/e.png": Buffer.from("This is text too."),
        "__MACOSX/images/a.png": Buffer.from("hidden"),
        "images/.DS_Store": Buffer.from("hidden"),
      }),
    });
    expect(got?.value?.images.map(({ name, strokes }) => [name, strokes])).toEqual([
      ["a.png", 3],
      ["b.jpg", 0],
      ["e.png", 0],
    ]);
    expect(got?.value?.notes).toEqual([
      'The mask "b.png" has 5 x 5 pixels, its image 4 x 3; the image stays unpainted.',
      '"c.jpg" is text, not an image.',
      expect.stringMatching(/^The mask cannot be read: .*e\.png.*; the image stays unpainted\.$/),
      'Masks without an image of the same name were left out (1): "d.png".',
    ]);
  });

  it("says in one sentence what is no data set", async () => {
    const base = await tree();
    const whole = zipOf(base);
    const stored = zip({ "images/a.png": { data: base["images/a.png"]! }, "images/b.png": { data: Buffer.from("x") } });
    const damaged = Uint8Array.from(stored);
    damaged[60]! ^= 255;
    const got = await readZips({
      "text.zip": Buffer.from("This is no zip at all, only some text that goes on for a while."),
      "empty.zip": new Uint8Array(0),
      "cut.zip": whole.subarray(0, whole.length - 40),
      "damaged.zip": damaged,
      "other.zip": zipOf({ "report.docx": Buffer.from("words"), "more.txt": Buffer.from("words") }),
      "nothing.zip": zipOf({}),
      "no images.zip": zipOf({ "images/a.jpg": Buffer.from("This is text.") }),
      "classes.zip": zipOf({ ...base, "classes.json": Buffer.from("{") }),
      "odd classes.zip": zipOf({ ...base, "classes.json": text([{ title: "sky" }]) }),
      "twins.zip": zipOf({ ...base, "classes.json": text(["sky", "sky"]) }),
      "many.zip": zipOf({ ...base, "classes.json": text(Array.from({ length: 300 }, (_, i) => `class ${i}`)) }),
    });
    expect(Object.fromEntries(Object.entries(got).map(([name, { message }]) => [name, message]))).toEqual({
      "text.zip": '"text.zip" is not a zip.',
      "empty.zip": '"empty.zip" is not a zip.',
      "cut.zip": '"cut.zip" is a damaged zip, whose end is missing or wrong.',
      "damaged.zip":
        '"damaged.zip" holds no image that can be used: "images/a.png" in "damaged.zip" is damaged and cannot be unpacked.',
      "other.zip": '"other.zip" has no folder images/ with images; it holds "report.docx" and 1 more files.',
      "nothing.zip": '"nothing.zip" is empty.',
      "no images.zip": '"no images.zip" holds no image that can be used: "a.jpg" is text, not an image.',
      "classes.zip": expect.stringMatching(/^"classes\.json" is not JSON: .*\.$/),
      "odd classes.zip": '"classes.json" has no class in entry 0.',
      "twins.zip": '"classes.json" lists "sky" twice.',
      "many.zip": '"classes.json" lists 300 classes, and 1 to 254 are possible.',
    });
    for (const [name, { code }] of Object.entries(got)) expect(code, name).toBe("invalid-data-set");
  });

  it("reads a folder that the browser opened, and the files of one that was chosen", async () => {
    const files = await tree();
    await writeTree(root, files);
    const [opened, chosen] = await onPage(async (page) => {
      const sent = Object.fromEntries(Object.entries(files).map(([path, bytes]) => [path, base64(bytes)]));
      const first = await runOn<Result<BroughtBack>>(page, EXERCISE, "readFolder", sent);
      await runOn(page, EXERCISE, "folderField");
      await page.setInputFiles("#folder", root);
      return [first, (await page.evaluate("chosen()")) as Result<BroughtBack>];
    });
    for (const { value } of [opened, chosen]) {
      expect(value?.notes).toEqual([]);
      expect(value?.images.find(({ name }) => name === "a.png")).toMatchObject({ strokes: 3, labels: LABELS });
      expect(value?.images).toHaveLength(2);
    }
  });

  it("makes one area of the very many regions of a noisy mask, and the same mask of it", async () => {
    const noise = (x: number, y: number): number => (((x * 7919) ^ (y * 104729) ^ (x * y * 31)) >> 2) % 2;
    const { "noisy.zip": got } = await readZips({
      "noisy.zip": zipOf({
        "images/a.png": await photo(80, 90, 1).png().toBuffer(),
        "masks/a.png": greyPng(80, 90, noise),
      }),
    });
    const [image] = got?.value?.images ?? [];
    const labels = Uint8Array.from(image?.labels ?? []);
    expect(tracePolygons({ labels, height: 80, width: 90 }).length).toBeGreaterThan(500);
    expect(image?.strokes).toBeLessThan(200);
    expect(image?.labels).toEqual(Array.from({ length: 80 * 90 }, (_, i) => noise(i % 90, Math.floor(i / 90))));
  });
});
