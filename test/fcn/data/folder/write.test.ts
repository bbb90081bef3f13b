import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { data } from "@fcn/core";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../trees.js";

const root = await temporaryFolder("fcn-write");

const sample = (name: string, labels: readonly number[], channels = 3): data.SegmentationSample => ({
  name,
  image: { data: Uint8Array.from({ length: 6 * channels }, (_, i) => (37 * i) % 256), height: 2, width: 3, channels },
  labels: Uint8Array.from(labels),
});
const classes = ["background", "cat", "dog"];
const palette = [
  [0, 0, 0],
  [10, 20, 30],
  [40, 50, 60],
] as const;

describe("writeFolder", () => {
  it("writes what open reads: images, labels, void, names, colours and splits", async () => {
    const folder = join(root, "round");
    const train = [sample("1 on a/b", [0, 1, 2, 255, 1, 0]), sample("1 on a b", [2, 2, 2, 2, 2, 2], 1)];
    const val = [sample("Ünter", [0, 0, 1, 1, 255, 255])];
    const written = await data.writeFolder(folder, { classes, palette, splits: { train, val } });
    expect(written).toEqual({ train: 2, val: 1 });
    const opened = await data.open(folder);
    expect(opened.classes).toEqual(classes);
    expect(opened.palette).toEqual(palette);
    expect(Object.keys(opened.splits)).toEqual(["train", "val"]);
    expect(await readdir(join(folder, "images"))).toEqual(["1-on-a-b-2.png", "1-on-a-b.png", "Ünter.png"]);
    const [first] = await data.loadAll(opened.splits.train as data.SegmentationDataset);
    expect(first?.image.data).toEqual(train[0]?.image.data);
    expect(first?.labels).toEqual(train[0]?.labels);
    const [held] = await data.loadAll(opened.splits.val as data.SegmentationDataset);
    expect(held?.labels).toEqual(val[0]?.labels);
  });

  it.each<[string, readonly (readonly [number, number, number])[], string]>([
    [
      "the colour of void",
      [
        [0, 0, 0],
        [224, 224, 192],
        [1, 2, 3],
      ],
      'class "cat" has the colour [224,224,192]',
    ],
    [
      "one colour twice",
      [
        [0, 0, 0],
        [1, 2, 3],
        [1, 2, 3],
      ],
      'classes "cat" and "dog" have one colour [1,2,3]',
    ],
    [
      "no colour",
      [
        [0, 0, 0],
        [1, 2, 3],
      ],
      'class "dog" has no colour',
    ],
  ])("refuses classes with %s, whose masks would be read as another class", async (_, colours, problem) => {
    const folder = join(root, "colours");
    await expect(data.writeFolder(folder, { classes, palette: colours, splits: {} })).rejects.toMatchObject({
      code: "invalid-argument",
      message: expect.stringContaining(problem),
    });
  });

  it("never writes over images", async () => {
    const folder = join(root, "full");
    await mkdir(join(folder, "images"), { recursive: true });
    await writeFile(join(folder, "images", "a.png"), "kept");
    const write = data.writeFolder(folder, { classes, palette, splits: { train: [sample("a", [0, 0, 0, 0, 0, 0])] } });
    await expect(write).rejects.toMatchObject({ code: "folder-exists", message: expect.stringContaining(folder) });
    expect(await readFile(join(folder, "images", "a.png"), "utf8")).toBe("kept");
  });

  it("refuses labels without a class before it writes the sample", async () => {
    const folder = join(root, "stray");
    const write = data.writeFolder(folder, { classes, palette, splits: { train: [sample("a", [0, 0, 3, 0, 0, 0])] } });
    await expect(write).rejects.toMatchObject({ code: "label-out-of-range" });
    expect(await readdir(join(folder, "images"))).toEqual([]);
  });

  it("says which file cannot be written", async () => {
    const file = join(root, "file");
    await writeFile(file, "");
    const write = data.writeFolder(file, { classes, palette, splits: {} });
    await expect(write).rejects.toMatchObject({ code: "unwritable-file", message: expect.stringContaining(file) });
  });
});
