import { access } from "node:fs/promises";
import { join } from "node:path";
import { TensorError } from "@fcn/tensor";
import { findPackage } from "../../files/findPackage.js";
import type { RasterImage } from "../../labels/sample.js";
import { earthLabels } from "./labels.js";
import { EARTH_SPLIT, type EarthSamples, splitEarth } from "./split.js";

const MAP_WIDTH = 2048;
const MAP_HEIGHT = 1024;

/**
 * Training and validation tiles of NASA's Blue Marble, labelled from a water mask and an elevation map. All come from
 * the npm package `three-globe` and are resized to 2048 x 1024 pixels. Node only.
 */
export async function loadEarth(): Promise<EarthSamples> {
  const folder = await findImageFolder();
  const photo = await decode(join(folder, "earth-blue-marble.jpg"), 3);
  const water = await decode(join(folder, "earth-water.png"), 1);
  const elevation = await decode(join(folder, "earth-topology.png"), 1);
  return splitEarth(photo, earthLabels(water.data as Uint8Array, elevation.data as Uint8Array), EARTH_SPLIT);
}

/** The package exports only its code. */
async function findImageFolder(): Promise<string> {
  const folder = await findPackage("three-globe");
  if (folder !== undefined) return join(folder, "example", "img");
  throw new TensorError({
    code: "missing-data",
    message: "demo: the npm package three-globe, which holds the satellite imagery, is not installed",
    fix: "npm install three-globe",
  });
}

async function decode(file: string, channels: 1 | 3): Promise<RasterImage> {
  await access(file).catch(() => {
    throw new TensorError({
      code: "missing-data",
      message: `demo: ${file} is missing`,
      fix: "install three-globe again (version 2.45 has it)",
    });
  });
  const { default: sharp } = await import("sharp");
  const image = sharp(file)
    .resize(MAP_WIDTH, MAP_HEIGHT, { fit: "fill" })
    .toColourspace(channels === 1 ? "b-w" : "srgb");
  const { data, info } = await image.removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { data: new Uint8Array(data), height: info.height, width: info.width, channels: info.channels };
}
