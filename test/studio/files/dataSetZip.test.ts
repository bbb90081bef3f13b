import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as fcn from "@fcn/core";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { addImages, addStroke, newId, newSession } from "../../../studio/src/session/commands.js";
import { rasterise, VOID } from "../../../studio/src/session/raster.js";
import type { PaintedImage, Session, Stroke } from "../../../studio/src/session/types.js";
import { photo, temporaryFolder, writeTree } from "../../fcn/data/trees.js";
import { fcn as runFcn } from "../../support/commandLine.js";
import { onPage, runOn } from "../../support/page.js";
import { area, blank, line } from "../session/sessions.js";
import { unpack } from "../unpack.js";
import type { Base64, BroughtBack, Result, Whole } from "./filesExercise.js";

const EXERCISE = "../studio/files/filesExercise";
const base64 = (bytes: Uint8Array): Base64 => Buffer.from(bytes).toString("base64");

const bytesOf = ({ value }: Result<Base64>): Buffer => Buffer.from(value ?? "", "base64");

const place = await temporaryFolder("studio-export");

interface Exported {
  readonly zip: Result<Base64>;
  readonly coco: Result<string>;
  readonly told: readonly string[];
}

/** A session of seven images in several formats, one turned by EXIF, the last one without a stroke. */
async function makeWhole(): Promise<Whole> {
  const images: [string, Uint8Array, PaintedImage][] = [];
  for (const [i, name] of ["a.jpg", "b.JPEG", "turned.jpg", "d.webp", "e.png", "pasted", "bare.png"].entries()) {
    const [height, width] = name === "turned.jpg" ? [96, 64] : [64, 96];
    const image = photo(64, 96, i + 1);
    const format = /png|pasted/.test(name) ? image.png() : name === "d.webp" ? image.webp() : image.jpeg();
    const file = await (name === "turned.jpg" ? image.withMetadata({ orientation: 6 }).jpeg() : format).toBuffer();
    images.push([name, file, blank(height as number, width as number, name)]);
  }
  let session = addImages(
    newSession(),
    images.map(([, , image]) => image),
  );
  const [background, object] = session.classes.map(({ id }) => id) as [string, string];
  const paint = (image: PaintedImage, classId: string | null, shape: Stroke["shape"]): void => {
    session = addStroke(session, image.id, { id: newId(), classId, shape });
  };
  for (const [i, image] of session.images.slice(0, 6).entries()) {
    const square = (x: number, y: number, side: number): [number, number][] => [
      [x, y],
      [x + side, y],
      [x + side, y + side],
      [x, y + side],
    ];
    paint(image, background, line([[4, 4], [60 - i, 8], [30, 20 + i]], 7)); // biome-ignore format: points on a line
    paint(image, object, area(square(20, 25, 30), square(30, 33, 8 + i)));
    paint(image, null, line([[18, 30], [55, 45]], 3)); // biome-ignore format: points on a line
  }
  return { session, files: Object.fromEntries(images.map(([, file, { id }]) => [id, base64(file)])) };
}

const masksIn = ({ images, classes }: Session): Map<string, Uint8Array> =>
  new Map(images.map((image) => [image.name.replace(/\..*/, ""), rasterise(image, classes, image).all]));

/** The labels of all samples of a folder by name. */
async function labelsIn(root: string): Promise<{ classes: readonly string[]; labels: Map<string, Uint8Array> }> {
  const { classes, splits } = await fcn.data.open(root);
  const labels = new Map<string, Uint8Array>();
  for (const split of Object.values(splits)) {
    for (const sample of await fcn.data.loadAll(split)) labels.set(sample.name, sample.labels);
  }
  return { classes, labels };
}

describe("what is taken away", () => {
  let whole: Whole;
  let exported: Exported;
  let root: string;
  let back: Result<BroughtBack>;

  beforeAll(async () => {
    whole = await makeWhole();
    [exported, back] = await onPage(async (page) => {
      const all = await runOn<Exported>(page, EXERCISE, "exportAll", whole);
      const zips = { "data.zip": all.zip.value };
      const read = await runOn<Record<string, Result<BroughtBack>>>(page, EXERCISE, "readZips", zips);
      return [all, read["data.zip"]!] as const;
    });
    root = await unpack(bytesOf(exported.zip), join(place, "set"));
  });

  it("is a data set in which fcn data check finds nothing wrong", async () => {
    const { code, stdout, stderr } = await runFcn(["data", "check", root, "--json"]);
    expect([code, stderr]).toEqual([0, ""]);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ layout: "folder", classes: ["background", "object"] });
    const codes = report.remarks.map((remark: { code: string }) => remark.code);
    // Most of each image is unpainted, in either split.
    expect(codes).toEqual(["much-void", "much-void"]);
    expect(report.splits.train.samples + report.splits.val.samples).toBe(6);
    expect(exported.told).toEqual([1, 2, 3, 4, 5, 6].map((done) => `${done} of 6`));
  });

  it("holds exactly the masks that are painted, in the colours of the classes", async () => {
    const { classes, labels } = await labelsIn(root);
    const want = masksIn(whole.session);
    want.delete("bare");
    expect(classes).toEqual(["background", "object"]);
    expect(labels).toEqual(want);
    for (const mask of want.values()) expect(new Set(mask)).toEqual(new Set([0, 1, VOID]));
    const pixels = await sharp(join(root, "masks", "a.png"))
      .removeAlpha()
      .raw()
      .toBuffer();
    const at = want.get("a")!.indexOf(1);
    expect([...pixels.subarray(3 * at, 3 * at + 3)]).toEqual(whole.session.classes[1]!.colour);
  });

  it("keeps the files of images as they were given, and names those without an ending", async () => {
    const [first, , , , , pasted] = whole.session.images;
    expect(base64(await readFile(join(root, "images", "a.jpg")))).toBe(whole.files[first!.id]);
    expect(base64(await readFile(join(root, "images", "pasted.png")))).toBe(whole.files[pasted!.id]);
  });

  it("comes back as a session that makes the same masks", async () => {
    const want = masksIn(whole.session);
    expect(back.value?.notes).toEqual([]);
    expect(back.value?.classes).toEqual(whole.session.classes.map(({ name, colour }) => [name, [...colour]]));
    expect(back.value?.images.map(({ name }) => name).sort()).toEqual(
      ["a.jpg", "b.JPEG", "turned.jpg", "d.webp", "e.png", "pasted.png"].sort(),
    );
    for (const { name, size, bytes, labels } of back.value?.images ?? []) {
      const base = name.replace(/\..*/, "");
      expect(size).toEqual(base === "turned" ? [96, 64] : [64, 96]);
      expect(bytes).toBeGreaterThan(100);
      expect(labels, name).toEqual(Array.from(want.get(base)!));
    }
  });

  it("is read from COCO's JSON with the same labels, and void where nothing is painted", async () => {
    const folder = join(place, "coco");
    for (const name of ["a.jpg", "b.JPEG", "turned.jpg", "d.webp", "e.png", "pasted.png"]) {
      await writeTree(folder, { [`images/${name}`]: await readFile(join(root, "images", name)) });
    }
    await writeFile(join(folder, "instances.json"), exported.coco.value ?? "");
    const { classes, labels } = await labelsIn(folder);
    expect(classes).toEqual(["background", "object"]);
    const want = masksIn(whole.session);
    expect([...labels.keys()].map((name) => name.replace("images/", "")).sort()).toEqual(
      ["a", "b", "d", "e", "pasted", "turned"].sort(),
    );
    for (const [name, found] of labels) {
      // COCO has no annotation for background, so that what is painted as such is what is neither class nor crowd.
      expect(found, name).toEqual(want.get(name.replace("images/", ""))!);
    }
  });

  it("holds what is predicted instead, if that is asked for", async () => {
    const [image] = whole.session.images;
    const predicted = Array.from({ length: 64 * 96 }, (_, i) => (i % 96 < 40 ? 0 : 1));
    const session = { ...whole.session, images: [image!] };
    const got = await onPage((page) => runOn<Exported>(page, EXERCISE, "exportAll", { ...whole, session, predicted }));
    const folder = await unpack(bytesOf(got.zip), join(place, "predicted"));
    expect((await labelsIn(folder)).labels.get("a")).toEqual(Uint8Array.from(predicted));
    expect(await readFile(join(folder, "splits", "train.txt"), "utf8")).toBe("a\n");
    expect((await runFcn(["data", "check", folder, "--json"])).code).toBe(0);
  });

  it("says so when nothing is painted", async () => {
    const images = whole.session.images.map((image) => ({ ...image, strokes: [] }));
    const bare = { ...whole, session: { ...whole.session, images } };
    const { zip, coco } = await onPage((page) => runOn<Exported>(page, EXERCISE, "exportAll", bare));
    for (const { code, message } of [zip, coco]) {
      expect(code).toBe("invalid-data-set");
      expect(message).toBe("Nothing is painted on the 7 images, so there are no labels to take away.");
    }
  });
});
