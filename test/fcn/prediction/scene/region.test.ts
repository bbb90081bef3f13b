import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fcn from "@fcn/core";
import { createDevice, type Device } from "@fcn/tensor";
import fc from "fast-check";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cutImage } from "../../../../packages/fcn/src/data/samples/tiles.js";
import { createInference } from "../../../../packages/fcn/src/prediction/inference.js";
import { joinRegions } from "../../../../packages/fcn/src/prediction/scene/join.js";
import { planScene, regionsOf } from "../../../../packages/fcn/src/prediction/scene/plan.js";
import { predictRegion } from "../../../../packages/fcn/src/prediction/scene/region.js";
import { openWindows, type Windows } from "../../../../packages/fcn/src/prediction/scene/windows.js";
import { assertProperty } from "../../../support/property.js";
import { fillWeights } from "../../../support/random-weights.js";
import { makeImage, RAW, smallNet } from "../nets.js";

let device: Device;
let folder: string;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
  folder = await mkdtemp(join(tmpdir(), "fcn-regions-"));
});
afterAll(async () => {
  device?.destroy();
  await rm(folder, { recursive: true, force: true });
});

const int = (min: number, max: number) => fc.integer({ min, max });
type Net = fcn.models.GraphNet;

/** FCN-8s of few channels, with weights of which none is what it starts with. */
function netOf(numClasses: number, seed: number): Net {
  const net = fcn.models.create("fcn8s-small", device, { numClasses, seed }) as Net;
  fillWeights(net, `scene ${seed}`);
  return net;
}

/** Images of small values become inputs among whose labels there are several. */
const VIVID: fcn.data.Preprocessing = { channelOrder: "rgb", mean: [3, 4, 3], std: [0.1, 0.1, 0.1] };

/** Windows of an image in memory. */
const windowsOf = (image: fcn.data.RasterImage): Windows => ({
  ...{ height: image.height, width: image.width, channels: image.channels },
  read: async (rectangle) => cutImage(image, rectangle),
  close: async () => {},
});

/** The labels of an image that is predicted region by region. */
async function joined(
  nets: readonly Net[],
  windows: Windows,
  options: fcn.PredictOptions & { readonly pixels: number },
): Promise<{ labels: Uint8Array; regions: number; tiles: number }> {
  const { pixels, ...given } = options;
  const [first, ...others] = nets.map((model) => ({ model, preprocessing: VIVID })) as [
    { model: Net; preprocessing: typeof VIVID },
  ];
  const inference = createInference(first.model, VIVID, given, [], others);
  const plan = planScene(inference, windows, { ...given, pixels });
  const labels = new Uint8Array(windows.height * windows.width);
  const regions = regionsOf(plan);
  let tiles = 0;
  for (const region of regions) {
    const found = await predictRegion(inference, windows, plan, region);
    tiles += found.tiles;
    for (let y = 0; y < region.height; y++) {
      const row = found.labels.subarray(y * region.width, (y + 1) * region.width);
      labels.set(row, (region.top + y) * windows.width + region.left);
    }
  }
  return { labels, regions: regions.length, tiles };
}

const differing = (a: Uint8Array, b: Uint8Array): number =>
  a.reduce((count, label, i) => count + (label === b[i] ? 0 : 1), Math.abs(a.length - b.length));

describe("labels of regions", () => {
  it("are those of the whole image, whatever the sizes", async () => {
    const net = netOf(4, 3);
    const { stride } = createInference(net, RAW, {});
    const cases = fc.record({
      ...{ height: int(1, 5 * stride), width: int(1, 5 * stride), pixels: int(1, 9 * stride ** 2), seed: int(1, 1e6) },
      tile: fc.tuple(int(1, 3), int(1, 3)),
      overlap: int(0, 2),
    });
    let cut = 0;
    await assertProperty(cases, 20, async ({ height, width, pixels, seed, tile: [down, across], overlap }) => {
      const tile = [down * stride, across * stride] as [number, number];
      const options = { tile, overlap: Math.min(overlap, down - 1, across - 1) * stride, preprocessing: VIVID };
      const image = makeImage(height, width, seed);
      const whole = await fcn.predict(net, image, options);
      const { labels, regions } = await joined([net], windowsOf(image), { ...options, pixels });
      if (regions > 1) cut++;
      expect(differing(labels, whole.labels)).toBe(0);
    });
    expect(cut).toBeGreaterThan(5);
  });

  it("are those of the whole image in several views of several nets", async () => {
    const nets = [1, 2].map((seed) => netOf(5, seed));
    const { stride } = createInference(nets[0] as Net, RAW, {});
    const image = makeImage(4 * stride + 7, 5 * stride + 3, 5);
    const options = { tile: 2 * stride, overlap: stride, scales: [0.75, 1], mirror: true, preprocessing: VIVID };
    const whole = await fcn.predict(nets, image, options);
    const { labels, regions } = await joined(nets, windowsOf(image), { ...options, pixels: 4 * stride ** 2 });
    expect(regions).toBeGreaterThan(3);
    expect(new Set(labels).size).toBeGreaterThan(1);
    expect(differing(labels, whole.labels)).toBe(0);
  });

  it("of a tiled TIFF, joined to a file, are those that predict gives the file", async () => {
    const net = smallNet(device);
    const image = makeImage(210, 170, 9);
    const path = join(folder, "scene.tif");
    const raw = { raw: { height: 210, width: 170, channels: 3 as const } };
    await writeFile(
      path,
      await sharp(image.data, raw).tiff({ tile: true, tileWidth: 32, tileHeight: 48, compression: "lzw" }).toBuffer(),
    );
    const options = { tile: 40, overlap: 12, preprocessing: RAW };
    const whole = await fcn.predict(net, path, options);
    const windows = await openWindows(path, RAW);
    const inference = createInference(net, RAW, options);
    const plan = planScene(inference, windows, { ...options, pixels: 3000 });
    expect(regionsOf(plan).length).toBeGreaterThan(6);
    const colours = [
      [0, 0, 0],
      [9, 8, 7],
      [255, 0, 0],
    ] as const;
    const pieces: Uint8Array[] = [];
    const png = joinRegions(
      plan,
      colours,
      async (region) => (await predictRegion(inference, windows, plan, region)).labels,
    );
    for await (const piece of png) pieces.push(piece);
    await windows.close();
    const file = new Uint8Array(Buffer.concat(pieces));
    const { samples, palette, ...size } = await fcn.data.decodePng("joined.png", file);
    expect(size).toMatchObject({ height: 210, width: 170, channels: 1 });
    expect([...(palette ?? [])].slice(0, 9)).toEqual(colours.flat());
    expect(differing(samples as Uint8Array, whole.labels)).toBe(0);
  });

  it("of a part that is not the region's end the joining with its number", async () => {
    const plan = { height: 8, width: 8, tile: [4, 4] as const, overlap: 0, stride: 4, pixels: 16 };
    const pieces = joinRegions(plan, [[0, 0, 0]], async (_, index) => new Uint8Array(index === 3 ? 15 : 16));
    const read = async (): Promise<void> => {
      for await (const _ of pieces);
    };
    await expect(read()).rejects.toMatchObject({ code: "corrupt-file", message: expect.stringContaining("region 3") });
  });
});
