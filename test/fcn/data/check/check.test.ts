import { join } from "node:path";
import { data } from "@fcn/core";
import { encode } from "fast-png";
import sharp, { type Sharp } from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { knownCounts } from "../../../../packages/fcn/src/data/samples/labelCounts.js";
import { findLookalikes, fingerprintOf } from "../../../../packages/fcn/src/data/workers/fingerprint.js";
import { greyPng, jpeg, palettePng, photo, rgbPng, temporaryFolder, writeTree } from "../trees.js";

const base = await temporaryFolder("check");
const [HEIGHT, WIDTH] = [24, 32];
const mask = (height = HEIGHT, width = WIDTH): Uint8Array =>
  greyPng(height, width, (x, y) => (y === 0 ? 255 : x < 8 ? 0 : 1));
const lists = (train: string, val: string): Record<string, string> => ({
  "splits/train.txt": train.replaceAll(" ", "\n"),
  "splits/val.txt": val.replaceAll(" ", "\n"),
  "classes.json": '["ground", "tree"]',
});

async function clean(root: string, names: readonly string[]): Promise<void> {
  for (const [i, name] of names.entries()) {
    await writeTree(root, { [`images/${name}.jpg`]: await jpeg(HEIGHT, WIDTH, i + 1), [`masks/${name}.png`]: mask() });
  }
}
/** Level, code, file below the root and text of each remark. */
const linesOf = ({ remarks, root }: data.DataReport): string[] =>
  remarks.map(({ level, code, file, text }) => `${level} ${code} ${file.slice(root.length + 1)}: ${text}`);

describe("check", () => {
  it("finds nothing in a sound folder, and counts its pixels", async () => {
    const root = join(base, "sound");
    await clean(root, ["a", "b", "c"]);
    await writeTree(root, lists("a b", "c"));
    for (const workers of [0, 2]) {
      const report = await data.check(root, { workers });
      expect([report.ok, linesOf(report)]).toEqual([true, []]);
      expect(report.splits.train).toEqual({
        samples: 2,
        pixels: 2 * HEIGHT * WIDTH,
        histogram: [2 * 8 * 23, 2 * 24 * 23],
        presentPixels: [2 * 32 * 23, 2 * 32 * 23],
        voidShare: 1 / HEIGHT,
        smallest: [HEIGHT, WIDTH],
        largest: [HEIGHT, WIDTH],
      });
    }
  });

  it("counts masks that were looked at while the folder was opened as if it decoded them, unless they have changed", async () => {
    const grey = mask();
    const palette = palettePng(
      HEIGHT,
      WIDTH,
      [
        [0, 0, 0],
        [0, 255, 0],
      ],
      (x) => (x < 9 ? 0 : 1),
    );
    const painted = rgbPng(HEIGHT, WIDTH, (x) => (x < 7 ? 0 : 0x00ff00));
    for (const [kind, masks, classes] of [
      ["numbers", [grey, palette], '["ground", "tree"]'],
      ["colours", [palette, painted], '[{"name": "ground", "color": "#000000"}, {"name": "tree", "color": "#00ff00"}]'],
    ] as const) {
      const root = join(base, `known ${kind}`);
      await clean(root, ["a", "b"]);
      await writeTree(root, { ...lists("a", "b"), "classes.json": classes });
      for (const [i, png] of masks.entries()) await writeTree(root, { [`masks/${"ab"[i]}.png`]: png });
      const opened = await data.open(root);
      const anew = Object.entries(opened.splits).map(([name, set]) => {
        // A copy of an item is not known.
        const item = (i: number): data.SampleItem => structuredClone(set.item?.(i) as data.SampleItem);
        return [name, { ...set, item }];
      });
      // Where colours are listed, the first mask alone is looked at.
      const items = Object.values(opened.splits).map((set) => set.item?.(0) as data.SampleItem);
      expect(items.map(({ labels }) => knownCounts(labels) !== undefined)).toEqual([true, kind === "numbers"]);
      const { seconds: _, ...report } = await data.check(opened);
      expect(report.ok).toBe(true);
      expect({ ...(await data.check({ ...opened, splits: Object.fromEntries(anew) })), seconds: 0 }).toEqual({
        ...report,
        seconds: 0,
      });
      await writeTree(root, { "masks/b.png": greyPng(HEIGHT, WIDTH, () => 7) });
      const changed = await data.check(opened);
      expect(linesOf(changed)).toContainEqual(expect.stringMatching(/^problem \S+ masks\/b\.png: /));
    }
  });

  describe("in a folder with one fault of each kind", () => {
    const root = join(base, "faults");
    let report: data.DataReport;
    beforeAll(async () => {
      const names = [
        "good",
        "other",
        "size",
        "range",
        "colours",
        "wide",
        "interlaced",
        "cmyk",
        "grey",
        "alpha",
        "turned",
        "fits",
        "upside",
        "mirrored",
        "empty",
        "cut",
        "cutmask",
        "void",
        "lossy",
        "copy",
        "like",
      ];
      await clean(root, names);
      const exif = photo(HEIGHT, WIDTH, 40).withMetadata({ orientation: 6 });
      const whole = await jpeg(HEIGHT, WIDTH, 50);
      await writeTree(root, {
        ...lists(names.filter((name) => !["copy", "like"].includes(name)).join(" "), "copy like"),
        "masks/size.png": mask(HEIGHT, WIDTH + 1),
        "masks/range.png": greyPng(HEIGHT, WIDTH, (x, y) => (x === 5 && y > 20 ? 7 : 0)),
        "masks/colours.png": rgbPng(HEIGHT, WIDTH, (x) => (x === 1 ? 0xff0102 : 0)),
        "masks/wide.png": encode({
          height: HEIGHT,
          width: WIDTH,
          channels: 1,
          depth: 16,
          data: new Uint16Array(HEIGHT * WIDTH).fill(1000, 40),
        }),
        "masks/interlaced.png": encode(
          { height: HEIGHT, width: WIDTH, channels: 1, depth: 8, data: new Uint8Array(HEIGHT * WIDTH).fill(1) },
          { interlace: "Adam7" },
        ),
        "images/cmyk.jpg": new Uint8Array(await photo(HEIGHT, WIDTH, 20).toColourspace("cmyk").jpeg().toBuffer()),
        "images/grey.jpg": new Uint8Array(await photo(HEIGHT, WIDTH, 21).greyscale().jpeg().toBuffer()),
        "images/turned.jpg": new Uint8Array(await exif.clone().jpeg().toBuffer()),
        "images/fits.jpg": new Uint8Array(
          await photo(HEIGHT, WIDTH, 41).withMetadata({ orientation: 8 }).jpeg().toBuffer(),
        ),
        "masks/fits.png": mask(WIDTH, HEIGHT),
        "images/upside.jpg": new Uint8Array(
          await photo(HEIGHT, WIDTH, 42).withMetadata({ orientation: 3 }).jpeg().toBuffer(),
        ),
        "images/mirrored.jpg": new Uint8Array(
          await photo(HEIGHT, WIDTH, 43).withMetadata({ orientation: 4 }).jpeg().toBuffer(),
        ),
        "images/empty.jpg": "",
        "images/cut.jpg": whole.subarray(0, whole.length - 200),
        "masks/cutmask.png": mask().subarray(0, 60),
        "masks/void.png": greyPng(HEIGHT, WIDTH, () => 255),
        "images/copy.jpg": await jpeg(HEIGHT, WIDTH, 1),
        "images/like.jpg": new Uint8Array(
          await sharp(await photo(HEIGHT, WIDTH, 2).png().toBuffer())
            .resize(64, 48)
            .jpeg({ quality: 60 })
            .toBuffer(),
        ),
        "masks/like.png": mask(48, 64),
        "images/lone.jpg": await jpeg(HEIGHT, WIDTH, 60),
        "masks/stray.png": mask(),
      });
      const { rm } = await import("node:fs/promises");
      await rm(join(root, "images", "alpha.jpg"));
      await rm(join(root, "masks", "lossy.png"));
      await writeTree(root, {
        "images/alpha.png": new Uint8Array(await photo(HEIGHT, WIDTH, 22).ensureAlpha(0.5).png().toBuffer()),
        "masks/lossy.jpg": await jpeg(HEIGHT, WIDTH, 1),
      });
      report = await data.check(root);
    });

    it("names each in one line, with the file and what to do", () => {
      expect(report.ok).toBe(false);
      for (const line of linesOf(report)) expect(line).not.toContain("\n");
      const told = linesOf(report).filter((line) => line.startsWith("problem"));
      const wanted: [string, RegExp][] = [
        ["masks/size.png", /^problem size-mismatch .*the labels are 24x33, but size\.jpg is 24x32 \(export/],
        [
          "masks/range.png",
          /label-out-of-range .*labels are 0 to 1 or 255, but it holds 7 \(3 pixels\), first at column 5, row 21/,
        ],
        ["masks/colours.png", /unknown-colour .*it holds colours \(column 1, row 0\), but the masks here hold numbers/],
        ["masks/wide.png", /label-out-of-range .*but it holds 1000 \(728 pixels\)/],
        [
          "masks/turned.png",
          /size-mismatch .*but turned\.jpg is 32x24 upright: its EXIF tag \(orientation 6\) turns it, and the labels fit only the image as stored/,
        ],
        ["images/empty.jpg", /corrupt-file .*it is empty \(0 bytes\)/],
        ["images/cut.jpg", /corrupt-file .*the image is cut off or damaged/],
        ["masks/cutmask.png", /corrupt-file .*it is cut off after 60 bytes/],
        ["masks/lossy.jpg", /unsupported-file .*a mask must be PNG, but it is a JPEG image/],
        ["images/copy.jpg", /duplicate .*this image of "val" is the same file as .*images\/good\.jpg of "train"/],
        ["images/lone.jpg", /image-without-mask .*masks\/lone\.png is missing/],
        ["masks/stray.png", /mask-without-image .*it has no image in/],
      ];
      for (const [file, line] of wanted) expect(told.find((found) => found.includes(` ${file}: `))).toMatch(line);
      expect(told).toHaveLength(wanted.length);
    });

    it("warns of what is likely a mistake, and takes grey, alpha, CMYK, interlaced and fitting turned images as they are", () => {
      const warnings = linesOf(report).filter((line) => line.startsWith("warning"));
      expect(warnings.slice(1)).toEqual([
        "warning exif-orientation images/mirrored.jpg: it is mirrored by its EXIF tag (orientation 4): its mask must be drawn on the upright image",
        "warning exif-orientation images/upside.jpg: it is turned by its EXIF tag (orientation 3): its mask must be drawn on the upright image",
        "warning all-void masks/void.png: all its pixels are void",
      ]);
      expect(warnings[0]).toMatch(
        /near-duplicate images\/like\.jpg: this image of "val" looks the same as .*images\/other\.jpg of "train"/,
      );
      for (const name of ["cmyk", "grey", "alpha", "interlaced", "fits"])
        expect(linesOf(report).join("\n")).not.toContain(`/${name}.`);
    });

    it("says the same with workers", async () => {
      expect(linesOf(await data.check(root, { workers: 2 }))).toEqual(linesOf(report));
    });

    it("draws a contact sheet of what can be read", async () => {
      const opened = await data.open(root);
      const png = await data.contactSheet(opened, { count: 4, seed: 3 });
      const { width, height } = await sharp(png).metadata();
      expect([width, height]).toEqual([764, 1226]);
      expect(await data.contactSheet(opened, { count: 4, seed: 3 })).toEqual(png);
      expect(await data.contactSheet(opened, { count: 4, seed: 4 })).not.toEqual(png);
      await expect(data.contactSheet(opened, { split: "test" })).rejects.toThrow('has no split "test"');
    });
  });

  it("judges splits: one class alone, classes without pixels, much void, nothing to validate", async () => {
    const root = join(base, "split");
    await clean(root, ["a", "b"]);
    await writeTree(root, {
      ...lists("a", "b"),
      "masks/a.png": greyPng(HEIGHT, WIDTH, (x) => (x < 20 ? 255 : 1)),
      "classes.json": '["ground","tree","sky"]',
    });
    expect(linesOf(await data.check(root))).toEqual([
      'problem one-class : train: all labelled pixels are "tree": there is nothing to learn',
      "warning much-void : train: 62.5 % of the pixels are void",
      'warning empty-class : val: no pixel has the class "sky"',
    ]);
    await writeTree(root, { "splits/val.txt": "\n", "masks/a.png": mask() });
    expect(linesOf(await data.check(root))).toEqual([
      "warning left-out : 1 labelled image is left out, because no list in splits/ names it: b",
      'warning empty-class : train: no pixel has the class "sky"',
      "warning empty-split : val: it has no image",
    ]);
  });

  it("tells a folder that cannot be trained on, which is no problem, from one without any list", async () => {
    const root = join(base, "no-train");
    await clean(root, ["a", "b"]);
    await writeTree(root, { "splits/val.txt": "a\nb", "classes.json": '["ground", "tree"]' });
    const report = await data.check(root);
    expect([report.ok, linesOf(report)]).toEqual([
      true,
      [
        "warning no-train : it has no split named train: it can be evaluated but not trained on until splits/train.txt names images",
      ],
    ]);
    const unscored = join(base, "no-val");
    await clean(unscored, ["a", "b"]);
    await writeTree(unscored, { "splits/train.txt": "a\nb", "classes.json": '["ground", "tree"]' });
    const untold = await data.check(unscored);
    expect([untold.ok, linesOf(untold)]).toEqual([
      true,
      [
        "warning no-val : it has no split named val: training has no scores, and the last weights count as the best; name images in splits/val.txt, or remove splits/, so that a part is held back at random",
      ],
    ]);
    const bare = join(base, "no-list");
    await writeTree(bare, { "JPEGImages/x": "", "SegmentationClass/x": "", "ImageSets/Segmentation/x": "" });
    expect(linesOf(await data.check(bare))).toEqual(["problem no-split : it has no split: no list names its images"]);
  });

  it("looks at images of several lists once", async () => {
    const root = join(base, "lists");
    await clean(root, ["a", "b"]);
    await writeTree(root, { ...lists("a", "b"), "splits/trainval.txt": "a\nb" });
    let total = 0;
    const report = await data.check(root, {
      onProgress: (_, all) => {
        total = all;
      },
    });
    expect([total, report.splits.trainval?.samples, report.ok]).toEqual([2, 2, true]);
  });
});

describe("findLookalikes", () => {
  const print = async (image: Sharp): Promise<number[]> => {
    const { data: pixels, info } = await image.removeAlpha().raw().toBuffer({ resolveWithObject: true });
    return fingerprintOf({ data: new Uint8Array(pixels), height: info.height, width: info.width, channels: 3 });
  };

  /** Soft spots of random colours. */
  const spots = (seed: number): Sharp => {
    const random = data.createRandom(seed);
    const pixels = Uint8Array.from({ length: 5 * 6 * 3 }, () => 256 * random());
    return sharp(pixels, { raw: { height: 5, width: 6, channels: 3 } }).resize(80, 60, {
      fit: "fill",
      kernel: "cubic",
    });
  };

  it("finds an image in another size and quality, and no other", async () => {
    const originals = await Promise.all(Array.from({ length: 30 }, (_, i) => print(spots(i))));
    const copyOf = async (i: number): Promise<number[]> => {
      const small = await spots(i).png().toBuffer();
      return print(sharp(await sharp(small).resize(50, 35, { fit: "fill" }).jpeg({ quality: 50 }).toBuffer()));
    };
    const copies = await Promise.all(Array.from({ length: 30 }, (_, i) => copyOf(i)));
    const pairs = findLookalikes(originals, copies);
    expect(pairs).toEqual(Array.from({ length: 30 }, (_, i) => ({ a: i, b: i })));
    expect(findLookalikes(originals.slice(0, 15), copies.slice(15))).toEqual([]);
  });

  it("does not take flat images for one another", async () => {
    const flat = await print(sharp({ create: { width: 20, height: 20, channels: 3, background: "#808080" } }));
    expect(findLookalikes([flat], [flat])).toEqual([]);
  });
});
