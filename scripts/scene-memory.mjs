// What the prediction of a large image takes on this machine: as a scene, of which regions are predicted, and whole.
// Writes a tiled TIFF, predicts it with a net of three layers in a process for each way, and prints seconds and the
// most memory, which on the software adapter holds what a GPU would.
//
//   node scripts/scene-memory.mjs [--side N] [--region PIXELS] [--tile N] [--way scene|whole|both]
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { models, saveModel } from "@fcn/core";
import { createDevice } from "@fcn/tensor";
import sharp from "sharp";
import { processPeak } from "../bench/lib/processPeak.mjs";
import { expandInputs } from "../packages/fcn/dist/prediction/files/inputs.js";
import { runPredict } from "../packages/fcn/dist/prediction/files/run.js";

const MIB = 2 ** 20;
const CLASSES = 3;
const { values: options } = parseArgs({
  options: {
    side: { type: "string", default: "10000" },
    region: { type: "string", default: `${2048 ** 2}` },
    tile: { type: "string", default: "512" },
    way: { type: "string", default: "both" },
    folder: { type: "string" },
  },
});
const [side, region, tile] = [options.side, options.region, options.tile].map(Number);

/** Noise of few pixels, enlarged: the image, in tiles of a file. */
async function writeImage(path) {
  const small = await sharp({
    create: { width: 256, height: 256, channels: 3, noise: { type: "gaussian", mean: 128, sigma: 60 } },
  })
    .png()
    .toBuffer();
  await sharp(small, { limitInputPixels: false })
    .resize(side, side, { kernel: "nearest" })
    .tiff({ tile: true, tileWidth: 256, tileHeight: 256, compression: "deflate", bigtiff: true })
    .toFile(path);
}

/** A net that takes as little time as any, so that what is read, held and written shows. */
function tinyGraph() {
  const builder = new models.GraphBuilder("tiny");
  const image = builder.add("data", { kind: "input", channels: 3 });
  const features = builder.add("conv", { kind: "conv", outChannels: 4, kernelSize: 8, stride: 8 }, image);
  const score = builder.add("score", { kind: "conv", outChannels: CLASSES, kernelSize: 1 }, features);
  const up = { kind: "convTranspose", outChannels: CLASSES, groups: CLASSES, kernelSize: 16, stride: 8 };
  return builder.build({ out: builder.add("out", { kind: "crop" }, builder.add("up", up, score), image) });
}

async function writeNet(path) {
  const device = await createDevice({ quiet: true });
  const net = new models.GraphNet(device, tinyGraph(), 1);
  const preprocessing = { channelOrder: "rgb", mean: [128, 128, 128], std: [60, 60, 60] };
  await saveModel(path, net, { classes: ["a", "b", "c"], preprocessing });
  device.destroy();
}

/** Predicts the image in this process, and prints what it took. */
async function measure(folder, way) {
  const inputs = await expandInputs([join(folder, "scene.tif")]);
  const scenes = { mostPixels: way === "scene" ? 0 : Number.MAX_SAFE_INTEGER, region };
  const job = {
    inputs,
    weights: [join(folder, "net.safetensors")],
    out: join(folder, way),
    save: ["labels"],
    tolerance: 0,
  };
  let found;
  const summary = await runPredict({ ...job, scenes, options: { tile } }, (report) => {
    found = report;
  });
  const peak = processPeak() / MIB;
  const what = found.error ? found.error.message : `${found.tiles} tiles`;
  const device = Math.round(summary.peakBytes / MIB);
  console.log(
    `${way}: ${what}, ${summary.seconds.toFixed(1)} s, ${Math.round(peak)} MiB at most, ${device} of them on the device`,
  );
}

if (options.folder !== undefined) {
  await measure(options.folder, options.way);
} else {
  const folder = mkdtempSync(join(tmpdir(), "fcn-scene-memory-"));
  try {
    await writeImage(join(folder, "scene.tif"));
    await writeNet(join(folder, "net.safetensors"));
    console.log(`an image of ${side}x${side}, tiles of ${tile}x${tile}, regions of about ${region} pixels`);
    for (const way of options.way === "both" ? ["scene", "whole"] : [options.way]) {
      const args = [`--side=${side}`, `--region=${region}`, `--tile=${tile}`, `--way=${way}`, `--folder=${folder}`];
      const { status } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), ...args], { stdio: "inherit" });
      if (status !== 0) process.exitCode = 1;
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
