import { data, evaluate, models, train, trainEpochs } from "@fcn/core";
import { createDevice, type Device } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

const preprocessing = data.IMAGENET_MEAN;
const sample = (seed: number) => ({
  name: `${seed}`,
  image: {
    data: Uint8Array.from({ length: 768 * 3 }, (_, i) => (i * (seed + 5)) % 256),
    height: 24,
    width: 32,
    channels: 3,
  },
  labels: Uint8Array.from({ length: 768 }, (_, i) => (i % 32 < 4 * seed ? 1 : 0)),
});
const classes = {
  classes: ["a", "b"],
  palette: [
    [0, 0, 0],
    [9, 9, 9],
  ] as const,
};

/** Five images to learn from in batches of two, and two to be scored on. */
function openData() {
  const learned = data.sampleDataset([1, 2, 3, 4, 5].map(sample), classes);
  const batchSize = 2;
  return {
    ...{
      train: learned,
      test: data.sampleDataset([6, 7].map(sample), classes),
      preprocessing,
      numClasses: 2,
      batchSize,
    },
    loader: new data.DataLoader(learned, { batchSize, preprocessing, dropLast: true, seed: 3 }),
  };
}

const create = () => models.create("fcn32s-small", device, { numClasses: 2, seed: 1 });
const settings = { learningRate: 0.01, momentum: 0.9, schedule: "fixed", mirror: false } as const;

describe("trainEpochs", () => {
  it("learns as train does, and scores whole images after each pass", async () => {
    const [own, other] = [create(), create()];
    const lines: string[] = [];
    const scores = await trainEpochs(own, openData(), { ...settings, epochs: 2, log: (line) => lines.push(line) });
    const { loader, test, train: learned } = openData();
    const expected: { loss: number; trainAccuracy: number; testAccuracy: number }[] = [];
    await train({
      ...{ ...settings, model: other, data: loader.batches(), preprocessing, numClasses: 2, steps: 4, readEvery: 2 },
      onProgress: async ({ loss }) => {
        const accuracy = async (samples: data.SegmentationDataset) =>
          (await evaluate(other, samples, { preprocessing, numClasses: 2 })).pixelAccuracy;
        const trainAccuracy = await accuracy(data.subset(learned, [0, 1]));
        expected.push({ loss, trainAccuracy, testAccuracy: await accuracy(test) });
      },
    });
    expect(scores).toHaveLength(2);
    for (const [i, { epoch, epochs, imagesPerSecond, ...rest }] of scores.entries()) {
      expect([epoch, epochs]).toEqual([i + 1, 2]);
      expect(rest).toEqual(expected[i]);
      expect(imagesPerSecond).toBeGreaterThan(0);
      expect(lines[i]).toMatch(
        `epoch ${i + 1}/2: loss ${rest.loss.toFixed(3)}, train acc ${rest.trainAccuracy.toFixed(3)}`,
      );
    }
  });

  it("gives the mean of the images where their losses are added up", async () => {
    const summed = await trainEpochs(create(), openData(), {
      ...settings,
      reduction: "imageMeans",
      epochs: 1,
      learningRate: 1e-9,
    });
    const mean = await trainEpochs(create(), openData(), {
      ...settings,
      reduction: "mean",
      epochs: 1,
      learningRate: 1e-9,
    });
    expect(summed[0]?.loss).toBeCloseTo(mean[0]?.loss as number, 5);
  });

  it("refuses epochs that are no whole number", async () => {
    await expect(trainEpochs(create(), openData(), { ...settings, epochs: 0.5 })).rejects.toThrow(
      /trainEpochs: epochs/,
    );
  });
});
