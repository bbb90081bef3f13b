import { join } from "node:path";
import * as fcn from "@fcn/core";
import { createDevice, type Device } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { validate } from "../../../../packages/fcn/src/training/run/validate.js";
import { temporaryFolder } from "../../data/trees.js";
import { TINY_CLASSES, writeTinyData } from "../tinyData.js";

const root = await temporaryFolder("fcn-validate");
const { splits } = await fcn.data.open(await writeTinyData(join(root, "data"), 9), { validation: 0.8 });
const [train, val] = [splits.train!, splits.val!];

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

/** A net with two heads whose scores differ from pixel to pixel, and images with labels for both. */
function twoHeads() {
  const net = fcn.models.create("fcn32s-vgg16-siftflow", device, {
    ...{ numClasses: 4, geometricClasses: 3, widthMultiplier: 0.04, seed: 4 },
  });
  for (const [name, parameter] of net.namedParameters()) {
    if (name.startsWith("score")) parameter.assign(device.randn(parameter.shape, { seed: 5 }));
  }
  const sampleOf = (height: number, width: number, seed: number): fcn.data.SegmentationSample => {
    const values = (count: number, below: number): Uint8Array =>
      Uint8Array.from({ length: count }, (_, i) => (Math.imul(i + seed * 7919, 0x9e3779b1) >>> 16) % below);
    const [labels, geometric] = [values(height * width, 4), values(height * width, 3).fill(255, 0, 40)];
    const image = { data: values(height * width * 3, 256), height, width, channels: 3 } as const;
    return { name: `${seed}`, image, labels, more: { geometric } };
  };
  return { net, samples: [sampleOf(40, 48, 1), sampleOf(40, 48, 2), sampleOf(72, 96, 3)] };
}

describe("validation", () => {
  it.each<[string, fcn.EvaluateOptions]>([
    ["whole", {}],
    ["in batches", { batchSize: 2 }],
    ["in tiles and views", { tile: 64, overlap: 32, mirror: true, scales: [1, 0.5] }],
  ])("counts every head in one pass of the net, to the integers of a pass for each: %s", async (_, how) => {
    const { net, samples } = twoHeads();
    using model = net;
    const forward = model.forward.bind(model);
    let passes = 0;
    model.forward = (x) => {
      passes++;
      return forward(x);
    };
    const common = { ...how, preprocessing: fcn.data.IMAGENET_MEAN };
    const sem = await fcn.evaluate(model, samples, { ...common, numClasses: 4 });
    const each = passes;
    const own = { head: "geo", labels: "geometric", numClasses: 3 };
    const geo = await fcn.evaluate(model, samples, { ...common, ...own });
    expect(new Set(geo.confusion.flat().filter((count) => count > 0)).size).toBeGreaterThan(2);
    passes = 0;
    const before = device.memory().liveTensors;
    const heads = { geo: { labels: "geometric" } };
    expect(await fcn.evaluate(model, samples, { ...common, numClasses: 4, heads })).toEqual({ ...sem, heads: { geo } });
    expect(passes).toBe(each);
    expect(device.memory().liveTensors).toBe(before);
  });

  it("refuses a further head that the net or the samples lack", async () => {
    const { net, samples } = twoHeads();
    using model = net;
    const common = { preprocessing: fcn.data.IMAGENET_MEAN, numClasses: 4 };
    const scored = (heads: fcn.EvaluateOptions["heads"]) => fcn.evaluate(model, samples, { ...common, heads });
    await expect(scored({ depth: { numClasses: 4 } })).rejects.toThrow(/no head "depth"/);
    await expect(scored({ depth: {} })).rejects.toThrow(/does not say how many classes its head "depth" has/);
    await expect(scored({ geo: { labels: "depth" } })).rejects.toThrow(/no extra labels "depth".*are geometric/);
    await expect(scored({ geo: { labels: "geometric", numClasses: 2 } })).rejects.toThrow(/holds label 2/);
  });

  it.each([0, 2])("counts as the metrics do on the labels, and ranks the images, with %d workers", async (workers) => {
    const options = { numClasses: 3, seed: 2, widthMultiplier: 0.25 };
    using model = fcn.models.create("fcn8s-small", device, options);
    for (const [name, parameter] of model.namedParameters()) {
      if (name.startsWith("score")) parameter.assign(device.randn(parameter.shape, { seed: 5 }));
    }
    const preprocessing = fcn.data.IMAGENET_MEAN;
    const metadata = { model: "fcn8s-small", options, classes: TINY_CLASSES, palette: [], preprocessing };
    await using loader = new fcn.data.DataLoader(train, { batchSize: 1, preprocessing, workers });
    model.train();
    const before = device.memory().liveTensors;
    const found = await validate(model, await loader.samplesOf(val), { metadata, step: 7 });
    expect(model.training).toBe(true);
    expect(device.memory().liveTensors).toBe(before);

    const all = new fcn.SegmentationMetrics(3);
    const images: { index: number; meanIU: number }[] = [];
    for (let index = 0; index < val.length; index++) {
      const { image, labels } = await val.load(index);
      const prediction = await fcn.predict(model, image, { preprocessing });
      const own = new fcn.SegmentationMetrics(3).update(prediction.labels, labels);
      all.merge(own);
      images.push({ index, meanIU: own.compute().meanIU });
    }
    expect(found.step).toBe(7);
    expect(found.scores).toEqual(all.compute());
    expect(found.scores.confusion.flat().every(Number.isInteger)).toBe(true);
    const ranked = images.sort((a, b) => a.meanIU - b.meanIU);
    expect(ranked.length).toBeGreaterThanOrEqual(6);
    expect(found.worst).toEqual(ranked.slice(0, 3));
    expect(found.best).toEqual(ranked.slice(-3).reverse());
  });
});
