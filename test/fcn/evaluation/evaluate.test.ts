import * as fcn from "@fcn/core";
import { createDevice, type Device } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { random } from "../../support/nd.js";
import { makeImage, RAW, smallNet } from "../prediction/nets.js";

const CLASSES = 4;
const VOID = 255;
let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

/** An image with a label map of blocks, some of them void, and a class that it lacks. */
function sample(height: number, width: number, seed: number): fcn.data.SegmentationSample {
  const blocks = random([64], seed, 0, 4.4).data;
  const labels = new Uint8Array(height * width).map((_, i) => {
    const block = blocks[(((i % width) >> 3) * 5 + (Math.floor(i / width) >> 3) * 11) % 64]!;
    return block >= 4 ? VOID : Math.floor(block) % (seed % 2 ? CLASSES : CLASSES - 1);
  });
  return { name: `sample ${seed}`, image: makeImage(height, width, seed), labels };
}

const samples = [sample(40, 56, 1), sample(40, 56, 2), sample(33, 47, 3), sample(40, 56, 4), sample(72, 72, 5)];
const counts = (confusion: readonly (readonly number[])[]): number => confusion.flat().reduce((a, b) => a + b, 0);

/** The metrics of the labels that predict gives, pixels chosen by `keep`. */
async function reference(
  net: fcn.models.GraphNet,
  options: fcn.InferenceOptions,
  keep: (sample: fcn.data.SegmentationSample) => Uint8Array = ({ labels }) => labels,
): Promise<fcn.SegmentationScores> {
  const metrics = new fcn.SegmentationMetrics(CLASSES);
  for (const one of samples) {
    const { labels } = await fcn.predict(net, one.image, { preprocessing: RAW, ...options });
    metrics.update(labels, keep(one));
  }
  return metrics.compute();
}

describe("evaluate", () => {
  const cases: [name: string, options: fcn.EvaluateOptions][] = [
    ["one at a time", {}],
    ["in batches of neighbours of one size", { batchSize: 3 }],
    ["in tiles and views", { tile: [24, 32], overlap: 8, mirror: true, scales: [1, 0.75] }],
  ];
  it.each(cases)("gives exactly the scores of the metrics on the labels, %s", async (_, options) => {
    using net = smallNet(device, { numClasses: CLASSES });
    const before = device.memory().liveTensors;
    const found = await fcn.evaluate(net, samples, { preprocessing: RAW, numClasses: CLASSES, ...options });
    expect(found).toEqual(await reference(net, options));
    expect(counts(found.confusion)).toBe(samples.flatMap(({ labels }) => [...labels]).filter((l) => l !== VOID).length);
    expect(device.memory().liveTensors).toBe(before);
  });

  it.each(cases)("hands out the scores of each image by itself, %s", async (_, options) => {
    using net = smallNet(device, { numClasses: CLASSES });
    const seen: [number, fcn.SegmentationScores][] = [];
    const onImage = (index: number, scores: fcn.SegmentationScores): void => void seen.push([index, scores]);
    const boundary = { radii: [2] };
    await fcn.evaluate(net, samples, {
      preprocessing: RAW,
      numClasses: CLASSES,
      ...options,
      boundary,
      onImage,
    });
    const wanted: [number, fcn.SegmentationScores][] = [];
    for (const [index, { image, labels }] of samples.entries()) {
      const found = await fcn.predict(net, image, { preprocessing: RAW, ...options });
      wanted.push([index, new fcn.SegmentationMetrics(CLASSES).update(found.labels, labels).compute()]);
    }
    expect(seen).toEqual(wanted);
  });

  it("scores the pixels near boundaries at every radius, as the trimaps do", async () => {
    using net = smallNet(device, { numClasses: CLASSES });
    const radii = [3, 1, 6.5];
    const settings = { preprocessing: RAW, numClasses: CLASSES };
    const { boundary, ...all } = await fcn.evaluate(net, samples, { ...settings, boundary: { radii } });
    expect(all).toEqual(await reference(net, {}));
    expect(boundary?.map(({ radius }) => radius)).toEqual([1, 3, 6.5]);
    for (const { radius, ...scores } of boundary ?? []) {
      const band = ({ image, labels }: fcn.data.SegmentationSample) =>
        fcn.data.boundaryBand(labels, { ...image, radius, side: (label) => label });
      expect(scores).toEqual(await reference(net, {}, band));
    }
    const side = (label: number): number => label >> 1;
    const one = await fcn.evaluate(net, samples, { ...settings, boundary: { radii: [2], side } });
    const band = ({ image, labels }: fcn.data.SegmentationSample) =>
      fcn.data.boundaryBand(labels, { ...image, radius: 2, side });
    expect(one.boundary).toEqual([{ radius: 2, ...(await reference(net, {}, band)) }]);
  });

  it("scores objects by the pixels that a class has in an image", async () => {
    using net = smallNet(device, { numClasses: CLASSES });
    const bounds = [200, 700] as const;
    const { sizes } = await fcn.evaluate(net, samples, { preprocessing: RAW, numClasses: CLASSES, sizes: bounds });
    const groups = [0, 1, 2].map(() => ({ right: [0, 0, 0, 0], union: [0, 0, 0, 0], objects: 0 }));
    for (const { image, labels } of samples) {
      const { labels: found } = await fcn.predict(net, image, { preprocessing: RAW });
      for (let label = 0; label < CLASSES; label++) {
        const area = labels.filter((l) => l === label).length;
        if (area === 0) continue;
        const group = groups[area < bounds[0] ? 0 : area < bounds[1] ? 1 : 2]!;
        group.objects++;
        labels.forEach((truth, i) => {
          if (truth === VOID) return;
          if (truth === label && found[i] === label) group.right[label]!++;
          if (truth === label || found[i] === label) group.union[label]!++;
        });
      }
    }
    expect(sizes?.map(({ name, from, below }) => [name, from, below])).toEqual([
      ["small", 1, 200],
      ["medium", 200, 700],
      ["large", 700, Infinity],
    ]);
    for (const [i, group] of groups.entries()) {
      const perClassIU = group.right.map((right, label) => right / group.union[label]!);
      const present = perClassIU.filter((iu) => !Number.isNaN(iu));
      expect(sizes?.[i]).toMatchObject({ objects: group.objects, perClassIU });
      expect(sizes?.[i]?.meanIU).toBe(present.reduce((a, b) => a + b, 0) / present.length);
    }
    expect(groups.every(({ objects }) => objects > 0)).toBe(true);
  });

  it("loads samples one at a time, a few ahead, and reports where it stands", async () => {
    using net = smallNet(device, { numClasses: CLASSES });
    let [loading, most] = [0, 0];
    const source: fcn.SampleSource = {
      length: 12,
      load: async (index) => {
        most = Math.max(most, ++loading);
        await new Promise((done) => setTimeout(done, 2));
        loading--;
        return samples[index % samples.length]!;
      },
    };
    const seen: string[] = [];
    const onProgress = (done: number, total: number): void => void seen.push(`${done}/${total}`);
    await fcn.evaluate(net, source, { preprocessing: RAW, numClasses: CLASSES, onProgress });
    expect(seen).toEqual(Array.from({ length: 12 }, (_, i) => `${i + 1}/12`));
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(4);
  });

  it("stops with one clear error", async () => {
    using net = smallNet(device, { numClasses: CLASSES });
    const settings = { preprocessing: RAW, numClasses: CLASSES };
    const broken = {
      length: 3,
      load: async (i: number) => (i === 1 ? Promise.reject(new Error("no disk")) : samples[0]!),
    };
    await expect(fcn.evaluate(net, broken, settings)).rejects.toThrow("no disk");
    await expect(fcn.evaluate(net, samples, { ...settings, numClasses: 2 })).rejects.toThrow(
      /"sample 1" holds label 2/,
    );
    const unlabelled = [{ ...samples[0]!, labels: new Uint8Array(40 * 56) }];
    await expect(fcn.evaluate(net, unlabelled, { ...settings, numClasses: 3 })).rejects.toThrow(
      /net has 4 classes, but only 3 are/,
    );
    await expect(fcn.evaluate(net, samples, { numClasses: 4 })).rejects.toThrow(/without preprocessing/);
    await expect(fcn.evaluate(net, samples, { preprocessing: RAW })).rejects.toThrow(/number of classes is unknown/);
    await expect(fcn.evaluate(net, samples, { ...settings, boundary: { radii: [0.5] } })).rejects.toThrow(
      /radii is \[0.5\]/,
    );
    for (const batchSize of [0, 1.5, Number.NaN]) {
      await expect(fcn.evaluate(net, samples, { ...settings, batchSize })).rejects.toMatchObject({
        code: "invalid-argument",
        message: `evaluate: batchSize is ${batchSize}, expected a whole number of at least 1`,
      });
    }
    await expect(fcn.evaluate(net, samples, { ...settings, sizes: [100, 10] })).rejects.toMatchObject({
      code: "invalid-argument",
      message: "evaluate: sizes is [100,10], expected two rising areas in pixels, such as COCO's [1024, 9216]",
    });
  });
});
