import { spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as fcn from "@fcn/core";
import { createDevice, noGrad } from "@fcn/tensor";
import { decode } from "fast-png";
import type { Sharp } from "sharp";
import { describe, expect, it } from "vitest";
import { greyPng, photo, temporaryFolder } from "./fcn/data/trees.js";
import { TINY_CLASSES, writeTinyData } from "./fcn/training/tinyData.js";
import { type DataExercise, dataExercise, type Files } from "./support/data-exercise.js";
import { type Exercise, exercise } from "./support/exercise.js";
import { LIMIT, type LimitsExercise } from "./support/limits-exercise.js";
import { openOnnx } from "./support/onnx.js";
import { onPage, runOn } from "./support/page.js";
import { PAGE_CLASSES, PAGE_PREPROCESSING, type PageNet, pageGraph, pageInput } from "./support/page-net.js";
import { type ShowExercise, shownImages } from "./support/show-exercise.js";

const FCN = fileURLToPath(new URL("../packages/fcn/bin/fcn.js", import.meta.url));

/** Images as a browser decodes them itself, and as this project does. */
async function drawFiles(): Promise<Files> {
  const [height, width] = [48, 64];
  const image = (): Sharp => photo(height, width, 5);
  const clear = photo(height, width, 6).ensureAlpha(0);
  const files: Record<string, Uint8Array> = {
    "photo.png": await image().png().toBuffer(),
    "clear.png": await clear.png().toBuffer(),
    "grey.png": greyPng(height, width, (x, y) => (3 * x + y) % 256),
    "photo.jpg": await image().jpeg({ quality: 90 }).toBuffer(),
    "turned.jpg": await image().withMetadata({ orientation: 6 }).jpeg({ quality: 90 }).toBuffer(),
    "photo.webp": await image().webp({ lossless: true }).toBuffer(),
    "mask.png": greyPng(height, width, (x, y) => (y < 4 ? 255 : x < 20 ? 0 : x < 44 ? 1 : 2)),
  };
  return Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, Array.from(bytes)]));
}

function largestShare(got: readonly number[], want: readonly number[]): number {
  expect(got).toHaveLength(want.length);
  const range = Math.max(...want) - Math.min(...want);
  return Math.max(...want.map((value, i) => Math.abs(value - (got[i] as number)))) / range;
}

describe("in a browser", () => {
  it("a net computes and trains as in Node", async () => {
    const got = await onPage((page) => runOn<Exercise>(page, "exercise", "exercise"));
    const want = await exercise();
    expect(want.runtime).toBe("dawn-node");
    expect(got.runtime).toBe("browser");
    expect(largestShare(got.logits, want.logits)).toBeLessThan(1e-4);
    expect(got.loss).toBeCloseTo(want.loss, 4);
    expect(largestShare(got.trained, want.trained)).toBeLessThan(1e-4);
    expect(largestShare(got.trained, want.logits)).toBeGreaterThan(1e-3);
    expect(got.onnxBytes).toBe(want.onnxBytes);
    for (const { steps } of [got, want]) {
      expect(steps.captured).toEqual(steps.run);
      expect(steps.run[4]).toBeLessThan(steps.run[0]!);
    }
    expect([got.ofNaN, want.ofNaN]).toEqual(new Array(2).fill("NaN,1,0 NaN,1,0 NaN,1,0 NaN,1,0 NaN,0,-1 1,1,0"));
  });

  it("sizes around the limits of buffers and bindings, which are one number here, and large uploads", async () => {
    const around = await onPage((page) => runOn<LimitsExercise>(page, "limits-exercise", "limitsExercise"));
    expect(around).toMatchObject({ runtime: "browser", wrong: [] });
    expect(around.largest.buffer).toBeLessThanOrEqual(LIMIT);
    expect(around.largest.binding).toBeLessThanOrEqual(LIMIT);
    const upload = await onPage((page) => runOn<LimitsExercise>(page, "limits-exercise", "uploadExercise"));
    expect(upload).toMatchObject({ runtime: "browser", wrong: [], largest: { write: 32 * 2 ** 20 } });
  });

  it("files become samples, a trained net and scores as in Node", async () => {
    const files = await drawFiles();
    const got = await onPage((page) => runOn<DataExercise>(page, "data-exercise", "dataExercise", files));
    const want = await dataExercise(files);
    for (const [name, { size, values }] of Object.entries(want.images)) {
      const { [name]: own } = got.images;
      expect(own?.size, name).toEqual(size);
      const difference = Math.max(...values.map((value, i) => Math.abs(value - (own?.values[i] as number))));
      // Decoders of JPEG may round otherwise.
      expect(difference, name).toBeLessThanOrEqual(name.endsWith(".jpg") ? 8 : 0);
    }
    expect(want.images["turned.jpg"]?.size).toEqual([64, 48, 3]);
    expect(got.labels).toEqual(want.labels);
    expect(got.order).toEqual(want.order);
    expect(got.batch).toEqual(want.batch);
    expect(want.losses).toHaveLength(2);
    for (const [i, loss] of want.losses.entries()) expect(got.losses[i]).toBeCloseTo(loss, 4);
    const pixels = want.confusion.flat().reduce((a, b) => a + b, 0);
    expect(pixels).toBe(2 * 44 * 64);
    const moved = want.confusion.flat().map((count, i) => Math.abs(count - (got.confusion.flat()[i] as number)));
    // Values at the border between two classes may fall to either side.
    expect(Math.max(...moved)).toBeLessThan(pixels / 200);
    expect(got.predicted.reduce((a, b) => a + b, 0)).toBe(48 * 64);
    for (const [c, count] of want.predicted.entries())
      expect(Math.abs(count - (got.predicted[c] as number))).toBeLessThan((48 * 64) / 100);
  });

  it("images are shown on a canvas and as a file as in Node", async () => {
    const got = await onPage((page) => runOn<ShowExercise>(page, "show-exercise", "showExercise"));
    const want = decode(await fcn.showImages(shownImages(), { scale: 2 }));
    const pixels = (image: { data: ArrayLike<number>; channels: number }): number[] =>
      Array.from(image.data).filter((_, i) => i % image.channels < 3);
    expect(got.canvas.size).toEqual([want.width, want.height]);
    expect(pixels({ data: got.canvas.pixels, channels: 4 })).toEqual(pixels(want));
    expect(pixels(decode(Uint8Array.from(got.png)))).toEqual(pixels(want));
    expect(got.back).toEqual(Array.from(shownImages()[0]?.data ?? []));
  });

  it("a net that is built and trained on a page goes on in the command line", async () => {
    const root = await temporaryFolder("fcn-page");
    const data = await writeTinyData(join(root, "data"));
    const opened = await fcn.data.open(data);
    const samples = (await fcn.data.loadAll(opened.splits.train!)).slice(0, 4);
    const plain = samples.map(({ image, labels }) => [...labels, ...image.data]);
    const page = await onPage((tab) => runOn<PageNet>(tab, "page-net", "pageNet", plain));
    expect(page.runtime).toBe("browser");
    expect(page.saving).toContain("fcn.encodeModel(net, metadata)");
    const [weights, onnx] = [join(root, "page.safetensors"), join(root, "page.onnx")];
    await writeFile(weights, Uint8Array.from(page.bytes));
    const device = await createDevice({ quiet: true });
    try {
      const { model, metadata } = await fcn.loadModel(weights, device);
      expect(model.graph).toEqual(pageGraph());
      expect(metadata).toMatchObject({ classes: PAGE_CLASSES, preprocessing: PAGE_PREPROCESSING, model: "page-net" });
      const x = device.tensor(pageInput(), [1, 3, 64, 96]);
      const logits = Array.from(await noGrad(() => model.forward(x)).data());
      expect(largestShare(logits, page.logits)).toBeLessThan(1e-4);
    } finally {
      device.destroy();
    }
    const run = (...args: string[]): string => {
      const child = spawnSync(process.execPath, [FCN, ...args], { cwd: root, encoding: "utf8" });
      expect([child.stderr.match(/^(error|fix):.*$/m)?.[0], child.status]).toEqual([undefined, 0]);
      return child.stdout;
    };
    const scored = JSON.parse(run("eval", "--data", "data", "--weights", weights, "--json"));
    expect(scored).toMatchObject({ model: "page-net", classes: PAGE_CLASSES });
    const predicted = JSON.parse(run("predict", "data/images", "--weights", weights, "--out", "labelled", "--json"));
    expect(predicted).toMatchObject({ failed: 0, images: { length: 10 } });
    const exported = JSON.parse(run("export", "--weights", weights, "--onnx", onnx, "--json"));
    expect(exported).toMatchObject({ model: "page-net", outputs: [{ name: "out" }] });
    const session = await openOnnx(await readFile(onnx));
    const { out } = await session.run({ dtype: "float32", data: pageInput(), shape: [1, 3, 64, 96] });
    expect(largestShare(Array.from(out!.data as Float32Array), page.logits)).toBeLessThan(1e-4);
    await session.release();
    // It can be trained further, on the same classes.
    expect(TINY_CLASSES).toEqual(PAGE_CLASSES);
    const further = ["--data", "data", "--weights", weights, "--out", "further", "--steps", "2", "--json"];
    expect(JSON.parse(run("train", ...further, "--workers", "0"))).toMatchObject({ model: "page-net", done: 2 });
    run("eval", "--data", "data", "--weights", join("further", "best.safetensors"), "--json");
  }, 600_000);
});
