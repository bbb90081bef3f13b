import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import * as fcn from "@fcn/core";
import { createDevice } from "@fcn/tensor";
import { decode } from "fast-png";
import type { Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CHROMIUM_FLAGS } from "../../scripts/lib/chromium.mjs";
import { temporaryFolder } from "../fcn/data/trees.js";
import { openOnnx } from "../support/onnx.js";
import { killGpu } from "../support/page.js";
import { choose, DIST, openStudio, panel, type StudioPage, takeAway } from "./studioPage.js";
import { unpack } from "./unpack.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const FCN = join(root, "packages/fcn/bin/fcn.js");
const MINUTE = 60_000;

let studio: StudioPage;
beforeAll(async () => {
  studio = await openStudio(CHROMIUM_FLAGS);
}, 5 * MINUTE);
afterAll(async () => {
  expect(studio.problems).toEqual([]);
  await studio.close();
});

/** A photograph of a dark field with a bright disc in it, as PNG. */
async function disc(height: number, width: number, left: number): Promise<Buffer> {
  const data = Buffer.alloc(height * width * 3);
  for (let i = 0; i < height * width; i++) {
    const [y, x] = [Math.floor(i / width), i % width];
    const isInside = Math.hypot(y - height / 2, x - left) < height / 3;
    const noise = ((i * 7919) % 31) - 15;
    data.set(isInside ? [200 + noise, 120 + noise, 60] : [40 + noise, 70, 90 + noise], i * 3);
  }
  return sharp(data, { raw: { height, width, channels: 3 } })
    .png()
    .toBuffer();
}

const training = (page: Page) => page.getByRole("switch", { name: "Training" });

async function stepOf(page: Page): Promise<number> {
  const text = (await training(page).textContent()) ?? "";
  return Number(/Step ([\d,]+)/.exec(text)?.[1]?.replaceAll(",", "") ?? 0);
}

/** Waits until so many steps are made. */
async function untilStep(page: Page, step: number): Promise<void> {
  while ((await stepOf(page)) < step) await page.waitForTimeout(100);
}

async function heldBack(page: Page): Promise<number> {
  const words = await page.getByRole("img", { name: /^Held-back accuracy/ }).getAttribute("aria-label");
  return Number(/(\d+) % at step \d+$/.exec(words ?? "")?.[1] ?? Number.NaN) / 100;
}

/** Paints with the brush from one place of the image to another, in shares of its sides. */
async function paint(page: Page, [fromX, fromY]: readonly number[], [toX, toY]: readonly number[]): Promise<void> {
  const box = await page.locator("canvas.strokes").boundingBox();
  if (box === null) throw new Error("no image is shown");
  const at = (x: number, y: number): [number, number] => [box.x + x * box.width, box.y + y * box.height];
  await page.mouse.move(...at(fromX!, fromY!));
  await page.mouse.down();
  await page.mouse.move(...at(toX!, toY!), { steps: 8 });
  await page.mouse.up();
}

const strokes = (page: Page): Promise<string | null> => page.locator("canvas.strokes").getAttribute("aria-label");

/** What onnxruntime says of an image whose sides the net takes as they are. */
async function onnxLabels(model: Uint8Array, file: Buffer, preprocessing: fcn.data.Preprocessing): Promise<number[]> {
  const { image } = await fcn.data.decodeImage("image", file);
  const { height, width } = image;
  const pixels = height * width;
  const data = new Float32Array(3 * pixels);
  fcn.data.normaliseInto(data, 0, image, preprocessing);
  const session = await openOnnx(model);
  const { out } = await session.run({ dtype: "float32", data, shape: [1, 3, height, width] });
  await session.release();
  const scores = out!.data as Float32Array;
  const classes = scores.length / pixels;
  return Array.from({ length: pixels }, (_, i) => {
    const own = Array.from({ length: classes }, (_, c) => scores[c * pixels + i] as number);
    return own.indexOf(Math.max(...own));
  });
}

describe("the studio", () => {
  it(
    "paints first from less than 200 KB, and the example learns by itself",
    async () => {
      const html = readFileSync(join(DIST, "index.html"), "utf8");
      const files = [...html.matchAll(/(?:src|href)="\.\/(assets\/[^"]+)"/g)].map(([, name]) => name as string);
      expect(files.length).toBeGreaterThan(1);
      const sizes = ["index.html", ...files].map((name) => gzipSync(readFileSync(join(DIST, name))).length);
      expect(sizes.reduce((a, b) => a + b)).toBeLessThan(200_000);
      const page = await studio.open({ serviceWorkers: "allow" });
      await untilStep(page, 60);
      expect(await heldBack(page)).toBeGreaterThan(0.8);
      expect(await page.getByRole("img", { name: /^Prediction for Andes/ }).count()).toBe(1);
      await page.evaluate("navigator.serviceWorker.ready.then(() => true)");
      await page.context().setOffline(true);
      await page.reload();
      await page.getByRole("button", { name: /^Show Andes/ }).waitFor();
      await untilStep(page, 61);
      await page.context().close();
    },
    6 * MINUTE,
  );

  it(
    "learns own images from three strokes a class, goes on after a reload and a lost GPU, and gives all away",
    async () => {
      const folder = await temporaryFolder("fcn-studio");
      const photos = [await disc(128, 160, 80), await disc(96, 128, 48)] as const;
      const page = await studio.open();
      await choose(page, "Start with your own images", [
        { name: "one.png", mimeType: "image/png", buffer: photos[0] },
        { name: "two.png", mimeType: "image/png", buffer: photos[1] },
      ]);
      await page.getByRole("button", { name: /^Show one\.png/ }).waitFor();
      await page.getByRole("button", { name: /^Show one\.png/ }).click();
      await page.keyboard.press("1");
      await paint(page, [0.05, 0.1], [0.3, 0.1]);
      await paint(page, [0.75, 0.9], [0.95, 0.9]);
      await paint(page, [0.06, 0.9], [0.06, 0.6]);
      await page.keyboard.press("2");
      await paint(page, [0.45, 0.4], [0.55, 0.4]);
      await page.getByRole("button", { name: /^Show two\.png/ }).click();
      await paint(page, [0.35, 0.55], [0.42, 0.55]);
      await paint(page, [0.35, 0.4], [0.4, 0.45]);
      expect(await strokes(page)).toBe("2 strokes");
      await page.keyboard.press("Control+z");
      expect(await strokes(page)).toBe("1 strokes");
      await page.keyboard.press("Control+Shift+z");
      expect(await strokes(page)).toBe("2 strokes");
      if ((await training(page).getAttribute("aria-checked")) === "false") await page.keyboard.press("t");
      await untilStep(page, 60);
      expect(await heldBack(page)).toBeGreaterThan(0.8);
      // The net is saved every few seconds at least.
      await page.waitForTimeout(6000);
      await page.reload();
      await untilStep(page, 61);
      expect(await page.getByRole("button", { name: /^Show two\.png \(2 strokes\)/ }).count()).toBe(1);
      await killGpu(studio.browser);
      await page
        .getByRole("log", { name: "Notes" })
        .getByText("The graphics device was lost")
        .first()
        .waitFor({ timeout: MINUTE });
      const before = await stepOf(page);
      await untilStep(page, before + 10);
      await training(page).click();
      await page.getByRole("button", { name: /^Show one\.png/ }).click();
      await panel(page, "Take away");
      await page.getByLabel("What they hold").selectOption("net");
      const out = {
        mask: await takeAway(page, "Masks (PNG)"),
        overlay: await takeAway(page, "Overlay (PNG)"),
        coco: await takeAway(page, "COCO (JSON)"),
        weights: await takeAway(page, "Weights"),
        onnx: await takeAway(page, "ONNX"),
        session: await takeAway(page, "Whole session (zip)"),
      };
      await page.getByLabel("What they hold").selectOption("strokes");
      const dataSet = await takeAway(page, "Data set (zip)");
      await page.context().close();
      const mask = decode(out.mask);
      expect([mask.height, mask.width, mask.palette?.length]).toEqual([128, 160, 256]);
      const overlay = decode(out.overlay);
      expect([overlay.height, overlay.width]).toEqual([128, 160]);
      await unpack(dataSet, join(folder, "data"));
      const run = (...args: string[]) => spawnSync(process.execPath, [FCN, ...args], { cwd: folder, encoding: "utf8" });
      const check = run("data", "check", "data", "--json");
      expect([check.status, check.stderr.match(/^error:.*/m)?.[0]]).toEqual([0, undefined]);
      await writeFile(join(folder, "net.safetensors"), out.weights);
      await writeFile(join(folder, "one.png"), photos[0]);
      const predict = run("predict", "one.png", "--weights", "net.safetensors", "--out", "masks", "--json");
      expect(predict.status).toBe(0);
      const same = (labels: ArrayLike<number>): number =>
        Array.from(labels).filter((label, i) => label === mask.data[i]).length / mask.data.length;
      expect(same(decode(readFileSync(join(folder, "masks/one.png"))).data)).toBeGreaterThan(0.999);
      const device = await createDevice({ quiet: true });
      const { metadata } = await fcn.loadModel(out.weights, device).finally(() => device.destroy());
      expect([metadata.model, metadata.classes.length]).toEqual(["fcn8s-small", 2]);
      expect(same(await onnxLabels(out.onnx, photos[0], metadata.preprocessing))).toBeGreaterThan(0.999);
      const coco = JSON.parse(new TextDecoder().decode(out.coco));
      expect(coco.images.map(({ file_name }: { file_name: string }) => file_name)).toEqual(["one.png", "two.png"]);
      expect(coco.annotations.length).toBeGreaterThan(1);
      expect(out.session.length).toBeGreaterThan(out.weights.length);
    },
    8 * MINUTE,
  );
});
