/**
 * Makes what the page serves besides its code, in studio/public/generated: the example with its strokes, and the
 * weights of FCN-8s on MobileNetV2 whose features were learned on ImageNet (npm package nsfwjs, MIT). What is there
 * stays.
 */
import { existsSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as fcn from "@fcn/core";
import { createDevice } from "@fcn/tensor";
import { CLASSES, loadParts, paintStrokes, SIDE } from "./example.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "../public/generated");

/** Writes into a folder with another name first, so that one that is there is whole. */
async function provide(name, fill) {
  const folder = join(root, name);
  if (existsSync(folder)) return;
  const draft = `${folder}.part`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true });
  await fill(draft);
  await rename(draft, folder);
  console.log(`studio: made ${name}`);
}

async function example(folder) {
  const images = [];
  for (const [i, { id, name, image, labels }] of (await loadParts()).entries()) {
    await image.jpeg({ quality: 82, mozjpeg: true }).toFile(join(folder, `${id}.jpg`));
    const strokes = paintStrokes(labels, { count: 3, width: 14, seed: i + 1 });
    images.push({ id, name, height: SIDE, width: SIDE, strokes });
  }
  await writeFile(join(folder, "session.json"), JSON.stringify({ classes: CLASSES, images }));
}

async function weights(folder) {
  const device = await createDevice({ quiet: true });
  try {
    const { model, preprocessing } = await fcn.createPretrained("fcn8s-mobilenetv2", device, {
      numClasses: 2,
      weights: "nsfwjs/mobilenetv2",
      seed: 1,
    });
    const metadata = { classes: ["background", "object"], preprocessing };
    await fcn.saveModel(join(folder, "fcn8s-mobilenetv2.safetensors"), model, metadata);
  } finally {
    device.destroy();
  }
}

await provide("example", example);
await provide("weights", weights);
