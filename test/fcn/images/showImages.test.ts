import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { label2image, showImages, toImage, toTensor } from "@fcn/core";
import { createDevice, type Device } from "@fcn/tensor";
import { decode, encode } from "fast-png";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../data/trees.js";

const root = await temporaryFolder("fcn-show");
let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

const image = (height: number, width: number, channels = 3) => ({
  data: Uint8Array.from({ length: height * width * channels }, (_, i) => (i * 37) % 256),
  ...{ height, width, channels },
});

describe("toTensor and toImage", () => {
  it.each([1, 3])("turn rows of %i channels into planes from 0 to 1 and back", async (channels) => {
    const given = image(5, 7, channels);
    const tensor = await toTensor(device, given);
    expect(tensor.shape).toEqual([channels, 5, 7]);
    const values = await tensor.data();
    for (const [c, y, x] of [
      [0, 0, 0],
      [channels - 1, 4, 6],
      [channels - 1, 2, 3],
    ] as const) {
      expect(values[(c * 5 + y) * 7 + x]).toBeCloseTo((given.data[(y * 7 + x) * channels + c] as number) / 255, 6);
    }
    expect(await toImage(tensor)).toEqual(given);
    expect(await toImage(tensor.reshape([1, channels, 5, 7]))).toEqual(given);
  });

  it("reads files, in memory too, and drops opacity", async () => {
    const { data } = image(4, 6);
    const png = encode({ data, height: 4, width: 6, channels: 3, depth: 8 });
    expect(await toImage(await toTensor(device, png))).toEqual(image(4, 6));
    const rgba = Uint8ClampedArray.from({ length: 96 }, (_, i) =>
      i % 4 === 3 ? 9 : (data[i - Math.floor(i / 4)] as number),
    );
    expect(await toImage(await toTensor(device, { data: rgba, height: 4, width: 6 }))).toEqual(image(4, 6));
  });

  it("clips what is beyond 0 and 1", async () => {
    const { data } = await toImage(device.tensor([-1, 0.5, 2, 1], [1, 2, 2]));
    expect([...data]).toEqual([0, 128, 255, 255]);
  });

  it("refuses what is no image", async () => {
    await expect(toImage(device.zeros([2, 4, 4]))).rejects.toThrow(/toImage: .*\[2,4,4\].*1 or 3 channels/);
    await expect(toImage(device.zeros([2, 3, 4, 4]))).rejects.toMatchObject({ code: "invalid-shape" });
    await expect(toTensor(device, 7 as never)).rejects.toThrow(/^toTensor: got number/);
  });
});

describe("showImages", () => {
  const pixel = ({ data, width }: { data: ArrayLike<number>; width: number }, y: number, x: number) =>
    [0, 1, 2].map((c) => data[(y * width + x) * 3 + c]);

  it("lays images out row by row on white, and writes them", async () => {
    const [a, b, c] = [image(4, 6), image(3, 2), image(4, 6, 1)];
    const file = join(root, "grid.png");
    const bytes = await showImages([a, b, await toTensor(device, c)], { columns: 2, file });
    expect(new Uint8Array(await readFile(file))).toEqual(bytes);
    const grid = decode(bytes);
    expect([grid.height, grid.width, grid.channels]).toEqual([4 + 8 + 4, 6 + 8 + 6, 3]);
    expect(pixel(grid, 3, 5)).toEqual(pixel(a, 3, 5));
    expect(pixel(grid, 2, 15)).toEqual(pixel(b, 2, 1));
    expect(pixel(grid, 15, 5)).toEqual([c.data[23], c.data[23], c.data[23]]);
    for (const [y, x] of [
      [0, 6],
      [3, 14],
      [5, 0],
      [15, 19],
    ] as const)
      expect(pixel(grid, y, x)).toEqual([255, 255, 255]);
  });

  it("enlarges by whole pixels", async () => {
    const grid = decode(
      await showImages([label2image({ labels: [0, 15, 255, 1], height: 2, width: 2 })], { scale: 3 }),
    );
    expect([grid.height, grid.width]).toEqual([6, 6]);
    expect(pixel(grid, 2, 2)).toEqual([0, 0, 0]);
    expect(pixel(grid, 0, 3)).toEqual([192, 128, 128]);
    expect(pixel(grid, 5, 2)).toEqual([224, 224, 192]);
    expect(pixel(grid, 5, 5)).toEqual([128, 0, 0]);
  });

  it("refuses empty lists, options that it does not have, and rows of another length", async () => {
    await expect(showImages([])).rejects.toThrow(/there are no images/);
    await expect(showImages([image(2, 2)], { column: 2 } as never)).rejects.toMatchObject({ code: "invalid-argument" });
    await expect(showImages([{ ...image(2, 2), height: 3 }])).rejects.toMatchObject({ code: "invalid-shape" });
  });
});
