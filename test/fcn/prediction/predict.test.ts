import * as fcn from "@fcn/core";
import { createDevice, type Device, interpolate, nn, type Tensor } from "@fcn/tensor";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { spansOf } from "../../../packages/fcn/src/prediction/tiling.js";
import { assertProperty } from "../../support/property.js";
import { makeImage, RAW, smallGraph, smallNet } from "./nets.js";

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

const int = (min: number, max: number) => fc.integer({ min, max });
const STRIDE = 4;
const [REACH] = fcn.models.reachOf(smallGraph(3));

type Raster = ReturnType<typeof makeImage>;

/** Logits [C, H, W] of a part of an image, straight from the net. */
async function logitsOf(
  net: nn.Module,
  image: Raster,
  part: { top: number; left: number; height: number; width: number },
) {
  const planes = new Float32Array(3 * part.height * part.width);
  for (let i = 0; i < planes.length; i++) {
    const [c, y, x] = [
      Math.floor(i / part.height / part.width),
      Math.floor(i / part.width) % part.height,
      i % part.width,
    ];
    planes[i] = image.data[((part.top + y) * image.width + part.left + x) * 3 + c]!;
  }
  const found = await device.scope(() =>
    (net.forward(device.tensor(planes, [1, 3, part.height, part.width])) as Tensor).data(),
  );
  return found as Float32Array;
}

/** Softmax over the first of [C, pixels], in float64. */
function softmaxOf(logits: ArrayLike<number>, classes: number): Float64Array {
  const pixels = logits.length / classes;
  const out = new Float64Array(logits.length);
  for (let p = 0; p < pixels; p++) {
    const values = Array.from({ length: classes }, (_, c) => logits[c * pixels + p]!);
    const top = Math.max(...values);
    const sum = values.reduce((total, v) => total + Math.exp(v - top), 0);
    for (const [c, v] of values.entries()) out[c * pixels + p] = Math.exp(v - top) / sum;
  }
  return out;
}

const probabilitiesOf = (prediction: fcn.Prediction): Float32Array => prediction.probabilities?.data as Float32Array;

function expectClose(found: ArrayLike<number>, wanted: ArrayLike<number>, tolerance: number): void {
  expect(found.length).toBe(wanted.length);
  let worst = 0;
  for (let i = 0; i < wanted.length; i++) worst = Math.max(worst, Math.abs(found[i]! - wanted[i]!));
  expect(worst).toBeLessThanOrEqual(tolerance);
}

/** Pixels that some tile sees from nearer than `reach` to a border of the tile that is not the image's. */
function disturbed(size: number, spans: readonly { begin: number; end: number }[], reach: number): boolean[] {
  return Array.from({ length: size }, (_, x) =>
    spans.some(({ begin, end }) => {
      if (x < begin || x >= end) return false;
      return (begin > 0 && x - begin < reach) || (end < size && end - 1 - x < reach);
    }),
  );
}

describe("predict in tiles", () => {
  const cases = fc.record({
    height: int(1, 90),
    width: int(1, 90),
    tile: fc.tuple(int(4, 14), int(4, 14)).map((sides) => sides.map((side) => side * STRIDE) as [number, number]),
    overlap: int(0, 12),
    seed: int(1, 1e6),
  });

  it("is the whole prediction, bit for bit, at every pixel that no tile sees from nearer to its border than the reach", () =>
    assertProperty(cases, 12, async ({ height, width, tile, overlap, seed }) => {
      using net = smallNet(device, { seed });
      const image = makeImage(height, width, seed);
      const options = { preprocessing: RAW, probabilities: true };
      const whole = await fcn.predict(net, image, options);
      const tiled = await fcn.predict(net, image, { ...options, tile, overlap });
      const shared = Math.ceil(overlap / STRIDE) * STRIDE;
      const [rows, columns] = [spansOf(height, tile[0], shared, STRIDE), spansOf(width, tile[1], shared, STRIDE)];
      expect([whole.tiles, tiled.tiles]).toEqual([1, rows.length * columns.length]);
      const [down, across] = [disturbed(height, rows, REACH), disturbed(width, columns, REACH)];
      for (let i = 0; i < height * width; i++) {
        if (down[Math.floor(i / width)] || across[i % width]) continue;
        expect(tiled.labels[i]).toBe(whole.labels[i]);
        for (let c = 0; c < 3; c++) {
          const at = c * height * width + i;
          expect(probabilitiesOf(tiled)[at]).toBe(probabilitiesOf(whole)[at]);
        }
      }
    }));

  it("takes the softmax of the mean of the logits of all tiles at a pixel", () =>
    assertProperty(cases, 6, async ({ height, width, tile, overlap, seed }) => {
      using net = new fcn.models.GraphNet(device, smallGraph(3), seed);
      const image = makeImage(height, width, seed);
      const shared = Math.ceil(overlap / STRIDE) * STRIDE;
      const sums = new Float64Array(3 * height * width);
      const hits = new Float64Array(height * width);
      for (const row of spansOf(height, tile[0], shared, STRIDE)) {
        for (const column of spansOf(width, tile[1], shared, STRIDE)) {
          const [h, w] = [row.end - row.begin, column.end - column.begin];
          const logits = await logitsOf(net, image, { top: row.begin, left: column.begin, height: h, width: w });
          for (let i = 0; i < h * w; i++) {
            const at = (row.begin + Math.floor(i / w)) * width + column.begin + (i % w);
            hits[at]!++;
            for (let c = 0; c < 3; c++) sums[c * height * width + at]! += logits[c * h * w + i]!;
          }
        }
      }
      const found = await fcn.predict(net, image, { preprocessing: RAW, probabilities: true, tile, overlap });
      const mean = sums.map((value, i) => value / hits[i % (height * width)]!);
      expectClose(probabilitiesOf(found), softmaxOf(mean, 3), 2e-6);
    }));

  /** A prediction, and the most bytes that it held on the device. */
  const measure = async (net: nn.Module, image: Raster, options: fcn.InferenceOptions) => {
    device.resetPeakMemory();
    const before = device.memory().liveBytes;
    const prediction = await fcn.predict(net, image, { preprocessing: RAW, ...options });
    expect(device.memory().liveBytes).toBe(before);
    return { ...prediction, bytes: device.memory().peakBytes - before };
  };

  it("of an image of 2000 x 3000 takes a tenth of the memory, and agrees with the whole beyond the reach", async () => {
    using net = smallNet(device, { numClasses: 2 });
    const image = makeImage(2000, 3000);
    const tiled = await measure(net, image, { tile: 256, overlap: 32 });
    const whole = await measure(net, image, { memory: 2 ** 40 });
    expect([whole.tiles, tiled.tiles]).toEqual([1, 9 * 14]);
    expect(tiled.bytes).toBeLessThan(whole.bytes / 10);
    const down = disturbed(2000, spansOf(2000, 256, 32, STRIDE), REACH);
    const across = disturbed(3000, spansOf(3000, 256, 32, STRIDE), REACH);
    let [different, compared] = [0, 0];
    for (let y = 0; y < 2000; y++) {
      for (let x = 0; x < 3000; x++) {
        if (down[y] || across[x]) continue;
        compared++;
        if (tiled.labels[y * 3000 + x] !== whole.labels[y * 3000 + x]) different++;
      }
    }
    expect(different).toBe(0);
    expect(compared).toBeGreaterThan(0.5 * 6e6);
  });

  it("are chosen so that the image stays within the memory that is allowed", async () => {
    using net = smallNet(device, { numClasses: 5 });
    const image = makeImage(900, 1100);
    for (const views of [{}, { scales: [1, 1.5] }]) {
      const whole = await measure(net, image, views);
      const memory = whole.bytes / 3;
      const tiled = await measure(net, image, { ...views, memory });
      expect(tiled.tiles).toBeGreaterThan(whole.tiles);
      expect(tiled.bytes).toBeLessThanOrEqual(memory);
    }
  });

  it("leave no more idle on the device than the memory that is allowed", async () => {
    using net = smallNet(device, { numClasses: 5 });
    await fcn.predict(net, makeImage(600, 700), { preprocessing: RAW });
    const memory = device.memory().pooledBytes / 8;
    const images = [200, 260, 330, 410].map((side) => makeImage(side, side + 40));
    for await (const { error } of fcn.predictAll(net, images, { preprocessing: RAW, memory })) {
      expect(error).toBeUndefined();
      // Results that are still being read are freed after it.
      expect(device.memory().pooledBytes).toBeLessThanOrEqual(1.5 * memory);
    }
  });

  it("refuses a tile that is no multiple of the stride, and more classes than labels", async () => {
    using net = smallNet(device);
    const image = makeImage(40, 40);
    const base = { preprocessing: RAW };
    await expect(fcn.predict(net, image, { ...base, tile: 30 })).rejects.toThrow(
      /tile is 30x30 \(height x width\), the net's stride 4/,
    );
    await expect(fcn.predict(net, image, { ...base, tile: 32, overlap: 32 })).rejects.toThrow(/overlap is 32/);
    await expect(fcn.predict(net, image, { ...base, scales: [] })).rejects.toThrow(/scales is \[\]/);
    await expect(fcn.predict(net, image)).rejects.toThrow(/without preprocessing/);
    using wide = smallNet(device, { numClasses: 256 });
    await expect(fcn.predict(wide, image, base)).rejects.toThrow(/256 classes/);
  });
});

describe("predict in several views", () => {
  it("takes the mean of the softmax of each", () =>
    assertProperty(
      fc.record({ height: int(5, 40), width: int(5, 40), mirror: fc.boolean(), seed: int(1, 1e6) }),
      5,
      async ({ height, width, mirror, seed }) => {
        using net = new fcn.models.GraphNet(device, smallGraph(3), seed);
        const image = makeImage(height, width, seed);
        const scales = [0.5, 1, 1.3];
        const sum = new Float64Array(3 * height * width);
        const pixels = height * width;
        for (const scale of scales) {
          for (const turned of mirror ? [false, true] : [false]) {
            const size = [Math.round(height * scale), Math.round(width * scale)];
            const planes = new Float32Array(3 * pixels);
            for (let i = 0; i < planes.length; i++) {
              const [c, p] = [Math.floor(i / pixels), i % pixels];
              planes[i] = image.data[p * 3 + c]!;
            }
            const reversed = (values: Float32Array, w: number): Float32Array =>
              values.map((_, i) => values[i - (i % w) + (w - 1 - (i % w))]!);
            const bilinear = async (values: Float32Array, from: number[], to: number[], channels: number) =>
              (await device.scope(() =>
                interpolate(device.tensor(values, [1, channels, ...from]), { size: to, mode: "bilinear" }).data(),
              )) as Float32Array;
            const small = await bilinear(planes, [height, width], size, 3);
            const x = turned ? reversed(small, size[1]!) : small;
            const y = (await device.scope(() => net.forward(device.tensor(x, [1, 3, ...size])).data())) as Float32Array;
            const back = await bilinear(turned ? reversed(y, size[1]!) : y, size, [height, width], 3);
            softmaxOf(back, 3).forEach((value, i) => {
              sum[i]! += value / scales.length / (mirror ? 2 : 1);
            });
          }
        }
        const found = await fcn.predict(net, image, { preprocessing: RAW, probabilities: true, scales, mirror });
        expect(found.tiles).toBe(mirror ? 6 : 3);
        expectClose(probabilitiesOf(found), sum, 2e-6);
      },
    ));

  it("keeps a pixel of images that a scale would leave nothing of", async () => {
    using net = smallNet(device);
    for (const [height, width] of [
      [200, 1],
      [1, 1],
    ] as const) {
      const options = { preprocessing: RAW, scales: [0.25, 1] };
      const { labels } = await fcn.predict(net, makeImage(height, width), options);
      expect(labels).toHaveLength(height * width);
    }
  });

  it("gives the mirror image of the answer for the mirror image of the image, exactly", async () => {
    using net = smallNet(device, { seed: 9 });
    const image = makeImage(37, 51, 4);
    const mirror = (data: ArrayLike<number>, channels: number): Uint8Array =>
      Uint8Array.from(data, (_, i) => {
        const x = Math.floor(i / channels) % 51;
        return data[i + (50 - 2 * x) * channels]!;
      });
    const options = { preprocessing: RAW, mirror: true, scales: [1, 0.75] };
    const a = await fcn.predict(net, image, options);
    const b = await fcn.predict(net, { ...image, data: mirror(image.data, 3) }, options);
    expect(b.labels).toEqual(mirror(a.labels, 1));
  });

  it("changes nothing for a net that is its own mirror image", async () => {
    using net = smallNet(device, { symmetric: true });
    const image = makeImage(33, 41);
    const options = { preprocessing: RAW, probabilities: true };
    const one = await fcn.predict(net, image, options);
    const both = await fcn.predict(net, image, { ...options, mirror: true });
    expect(both.labels).toEqual(one.labels);
    expect(probabilitiesOf(both)).toEqual(probabilitiesOf(one));
  });

  it("works in tiles as well, and then bounds the memory by them", async () => {
    using net = smallNet(device);
    const image = makeImage(300, 200);
    const views = { scales: [0.5, 1, 1.5], mirror: true, preprocessing: RAW };
    const whole = await fcn.predict(net, image, views);
    const tiled = await fcn.predict(net, image, { ...views, tile: [128, 128], overlap: 64 });
    expect(tiled.tiles).toBe(6 * 4 * 3);
    const same = whole.labels.reduce((n, label, i) => n + (label === tiled.labels[i] ? 1 : 0), 0);
    expect(same / whole.labels.length).toBeGreaterThan(0.9);
  });
});

/** A net of someone else's: it takes multiples of 8 only. */
class Picky extends nn.Module {
  readonly score: nn.Conv2d;
  constructor(on: Device) {
    super();
    this.score = new nn.Conv2d(on, 3, 2, { kernelSize: 1 });
  }
  override forward(x: Tensor): { out: Tensor; aux: Tensor } {
    if (x.shape.slice(2).some((side) => side % 8 !== 0)) throw new Error(`got ${x.shape}`);
    const out = this.score.forward(x) as Tensor;
    return { out, aux: out };
  }
}

describe("predict with other nets and images", () => {
  it("fills images up for nets that want multiples, whole and in tiles", async () => {
    using net = new Picky(device);
    const image = makeImage(21, 30);
    const base = { preprocessing: RAW, stride: 8 };
    const whole = await fcn.predict(net, image, base);
    expect(await fcn.predict(net, image, { ...base, tile: 16, overlap: 8 })).toEqual({ ...whole, tiles: 2 * 3 });
    const pixel = (i: number) =>
      fcn.predict(net, { ...image, height: 1, width: 1, data: image.data.slice(3 * i, 3 * i + 3) }, base);
    for (const i of [0, 29, 21 * 30 - 1]) expect((await pixel(i)).labels[0]).toBe(whole.labels[i]);
  });

  it("paints the classes over the image as the overlay on the CPU does, whole and in tiles", async () => {
    using net = smallNet(device);
    const image = makeImage(50, 35);
    const palette = [
      [1, 2, 3],
      [250, 0, 10],
      [0, 255, 100],
    ] as const;
    const table = Uint8Array.from(palette.flat());
    for (const tile of [undefined, 16]) {
      const { labels, overlay } = await fcn.predict(net, image, { preprocessing: RAW, palette, overlay: true, tile });
      const rgb = Array.from(overlay ?? []).filter((_, i) => i % 4 !== 3);
      expect(rgb).toEqual(Array.from(fcn.overlay(image.data, labels, { palette: table })));
      expect(Array.from(overlay ?? []).every((value, i) => i % 4 !== 3 || value === 255)).toBe(true);
    }
    const all = { preprocessing: RAW, palette, overlay: { alpha: 1 }, classes: ["a", "b", "c"] };
    const { labels, overlay } = await fcn.predict(net, image, all);
    const rgb = Array.from(overlay ?? []).filter((_, i) => i % 4 !== 3);
    expect(rgb).toEqual(Array.from(fcn.colorize(labels, table)));
  });

  it("takes ImageData, and refuses what is no image", async () => {
    using net = smallNet(device);
    const image = makeImage(12, 17);
    const rgba = new Uint8ClampedArray(12 * 17 * 4).map((_, i) =>
      i % 4 === 3 ? 77 : image.data[(i >> 2) * 3 + (i % 4)]!,
    );
    const options = { preprocessing: RAW };
    const wanted = await fcn.predict(net, image, options);
    expect(await fcn.predict(net, { data: rgba, height: 12, width: 17 }, options)).toEqual(wanted);
    await expect(fcn.predict(net, { data: rgba, height: 12, width: 16 }, options)).rejects.toThrow(
      /12x16 with 4 channels/,
    );
    await expect(fcn.predict(net, 5 as never, options)).rejects.toThrow(/got number, but needs an image/);
  });
});

describe("predictAll", () => {
  it("returns in order, goes on after a broken image, and leaves the memory as it was", async () => {
    using net = smallNet(device);
    const good = Array.from({ length: 9 }, (_, i) => makeImage(20 + 5 * (i % 3), 24, i + 1));
    const images: fcn.ImageInput[] = good.flatMap((image, i) => (i === 4 ? ["/nonexistent/x.jpg", image] : [image]));
    const live: number[] = [];
    const results: fcn.PredictionResult<fcn.ImageInput>[] = [];
    const before = device.memory();
    for await (const result of fcn.predictAll(net, images, { preprocessing: RAW })) {
      results.push(result);
      // A scope of the consumer's own does not meet those of the images.
      await device.scope(async () => void (await device.zeros([4]).data()));
      live.push(device.memory().liveTensors);
    }
    expect(results.map(({ item }) => item)).toEqual(images);
    expect(results[4]?.error).toMatchObject({
      code: "missing-data",
      message: expect.stringContaining("/nonexistent/x.jpg"),
    });
    for (const { item, prediction } of results) {
      if (!prediction) continue;
      expect(prediction).toEqual(await fcn.predict(net, item, { preprocessing: RAW }));
    }
    expect(device.memory().liveBytes).toBe(before.liveBytes);
    expect(Math.max(...live)).toBe(before.liveTensors);
  });

  it("stops decoding when the consumer stops", async () => {
    using net = smallNet(device);
    let asked = 0;
    function* endless() {
      for (;;) {
        asked++;
        yield makeImage(8, 8, asked);
      }
    }
    for await (const { prediction } of fcn.predictAll(net, endless(), { preprocessing: RAW })) {
      expect(prediction).toBeDefined();
      break;
    }
    expect(asked).toBeLessThanOrEqual(7);
  });
});
