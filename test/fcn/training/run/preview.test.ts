import { join } from "node:path";
import * as fcn from "@fcn/core";
import { createDevice, type Device, io } from "@fcn/tensor";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { imageOf, normaliseInto } from "../../../../packages/fcn/src/data/samples/preprocessing.js";
import { temporaryFolder } from "../../data/trees.js";
import { writeTinyData } from "../tinyData.js";
import { tinyRun } from "../tinyRun.js";

const root = await temporaryFolder("fcn-preview");
const data = await writeTinyData(join(root, "data"), 8);

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

describe("a preview of a run", () => {
  it("shows its first images as they are trained on, and changes nothing of the run", async () => {
    const settings = { ...tinyRun(data, device), steps: 3, crop: [24, 20] as const, open: { validation: 0 } };
    const preview = join(root, "sheet.png");
    await fcn.trainRun({ ...settings, out: join(root, "with"), preview });
    await fcn.trainRun({ ...settings, out: join(root, "without") });
    const weights = (name: string) => io.readSafetensors(join(root, name, "weights.safetensors"));
    expect(await weights("with")).toEqual(await weights("without"));
    const { data: pixels, info } = await sharp(preview).raw().toBuffer({ resolveWithObject: true });
    // Three columns of cells, six rows.
    expect(info.width).toBe(2 * 24 + 3 * 232 + 2 * 10);
    expect(info.height).toBeGreaterThan(6 * 232);
    const colours = new Set<string>();
    const left = 24 + 232 + 10;
    for (let y = 150; y < 1400; y += 7) {
      for (let x = left + 30; x < left + 200; x += 7) {
        const at = (y * info.width + x) * info.channels;
        colours.add([...pixels.subarray(at, at + 3)].join());
      }
    }
    // The middle column is in the colours of the classes.
    for (const colour of ["0,0,0", "128,0,0"]) expect(colours).toContain(colour);
  });

  it("is of the pixels that a net gets, in either order of channels", () => {
    const image = { data: Float32Array.from({ length: 60 }, (_, i) => i), height: 3, width: 5, channels: 4 };
    for (const channelOrder of ["rgb", "bgr"] as const) {
      const preprocessing = { channelOrder, mean: [10, 20, 30, 40], std: [1, 2, 4, 8] };
      const planes = new Float32Array(60);
      normaliseInto(planes, 0, image, preprocessing);
      expect(imageOf(planes, [1, 4, 3, 5], preprocessing)).toEqual(image);
    }
  });
});
