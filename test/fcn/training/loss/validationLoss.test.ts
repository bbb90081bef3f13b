import { join } from "node:path";
import * as fcn from "@fcn/core";
import { createDevice, type Device } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { validate } from "../../../../packages/fcn/src/training/run/validate.js";
import { resolveTraining } from "../../../../packages/fcn/src/training/settings/resolve.js";
import { temporaryFolder } from "../../data/trees.js";
import { writeTinyData } from "../tinyData.js";
import { tinyRun } from "../tinyRun.js";

const root = await temporaryFolder("fcn-validation-loss");

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

const PREPROCESSING = { channelOrder: "rgb", mean: [120, 120, 120], std: [60, 60, 60] } as const;

/** Made-up values from 0 to below `below`. */
const values = (count: number, below: number, seed: number): Uint8Array =>
  Uint8Array.from({ length: count }, (_, i) => (Math.imul(i + seed * 7919, 0x9e3779b1) >>> 16) % below);

function sampleOf(side: number, seed: number, voids: number): fcn.data.SegmentationSample {
  const labels = values(side * side, 3, seed).fill(255, 0, voids);
  return {
    name: `${seed}`,
    image: { data: values(side * side * 3, 256, seed), height: side, width: side, channels: 3 },
    labels,
  };
}

const SAMPLES = [sampleOf(32, 1, 40), sampleOf(48, 2, 0), sampleOf(32, 3, 1024)];

type Host = readonly (readonly number[])[];

/** For each labelled pixel of a sample its probabilities and its label, in float64. */
async function pixelsOf(
  net: fcn.GraphNet,
  sample: fcn.data.SegmentationSample,
): Promise<{ q: Host; labels: number[] }> {
  const { probabilities } = await fcn.predict(net, sample.image, { preprocessing: PREPROCESSING, probabilities: true });
  const { data } = probabilities!;
  const size = sample.labels.length;
  const kept = [...sample.labels.keys()].filter((i) => sample.labels[i] !== 255);
  return {
    q: kept.map((i) => [0, 1, 2].map((c) => Number(data[c * size + i]))),
    labels: kept.map((i) => sample.labels[i]!),
  };
}

const sum = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);
const WEIGHTS = [1, 2, 0.5];

interface Case {
  readonly options: Partial<fcn.TrainOptions>;
  /** The loss, from the pixels of each sample that has any, by the definition. */
  readonly expected: (images: readonly { q: Host; labels: number[]; pixels: number }[]) => number;
}

const costs = ({ q, labels }: { q: Host; labels: number[] }) => labels.map((label, i) => -Math.log(q[i]![label]!));
const weighted = (image: { q: Host; labels: number[] }) =>
  sum(costs(image).map((cost, i) => cost * WEIGHTS[image.labels[i]!]!));

const CASES: Record<string, Case> = {
  "cross-entropy, over all pixels": {
    options: {},
    expected: (images) => sum(images.flatMap(costs)) / sum(images.map(({ labels }) => labels.length)),
  },
  "cross-entropy with class weights": {
    options: { classWeights: WEIGHTS },
    expected: (images) =>
      sum(images.map(weighted)) / sum(images.flatMap(({ labels }) => labels.map((label) => WEIGHTS[label]!))),
  },
  "the sum over the images of a step": {
    options: { reduction: "sum", batchSize: 3, accumulationSteps: 2 },
    expected: (images) => (6 * sum(images.flatMap(costs))) / images.length,
  },
  "means of images": {
    options: { reduction: "imageMeans", batchSize: 2 },
    expected: (images) => (2 * sum(images.map((image) => sum(costs(image)) / image.pixels))) / images.length,
  },
  focal: {
    options: { loss: { kind: "focal", gamma: 3 } },
    expected: (images) =>
      sum(images.flatMap((image) => costs(image).map((cost) => (1 - Math.exp(-cost)) ** 3 * cost))) /
      sum(images.map(({ labels }) => labels.length)),
  },
  dice: {
    options: { loss: "dice", heads: { out: 2 } },
    expected: (images) => {
      const of = ({ q, labels }: { q: Host; labels: number[] }) =>
        sum(
          [0, 1, 2].map((c) => {
            const hits = sum(q.map((p, i) => (labels[i] === c ? p[c]! : 0)));
            return 1 - (2 * hits + 1) / (sum(q.map((p) => p[c]!)) + labels.filter((label) => label === c).length + 1);
          }),
        ) / 3;
      return (2 * sum(images.map(of))) / images.length;
    },
  },
  "hard pixels of each image": {
    options: { loss: { kind: "ohem", threshold: 0.3 } },
    expected: (images) =>
      sum(
        images.map((image) => {
          const hard = costs(image).filter((cost) => cost > -Math.log(0.3));
          return sum(hard) / hard.length;
        }),
      ) / images.length,
  },
};

describe("the loss of validation", () => {
  it.each(Object.keys(CASES))("is that of training by its definition: %s", async (name) => {
    const { options, expected } = CASES[name]!;
    using model = fcn.models.create("fcn8s-small", device, { numClasses: 3, widthMultiplier: 0.25, seed: 4 });
    for (const [key, parameter] of model.namedParameters()) {
      if (key.startsWith("score")) parameter.assign(device.randn(parameter.shape, { seed: 5 }));
    }
    const settings = resolveTraining({
      ...{ model, data: [], preprocessing: PREPROCESSING, numClasses: 3, steps: 1, learningRate: 1 },
      ...options,
    });
    const metadata = {
      ...{ model: "m", options: { numClasses: 3 }, palette: [], preprocessing: PREPROCESSING },
      classes: ["a", "b", "c"],
    };
    const source = { length: SAMPLES.length, load: async (i: number) => SAMPLES[i]! };
    const before = device.memory().liveTensors;
    const found = await validate(model, source, { metadata, step: 1, settings });
    expect(device.memory().liveTensors).toBe(before);
    const plain = await validate(model, source, { metadata, step: 1 });
    expect(found.scores).toEqual(plain.scores);
    expect(plain.loss).toBeUndefined();
    const images = [];
    for (const sample of SAMPLES.slice(0, 2))
      images.push({ ...(await pixelsOf(model, sample)), pixels: sample.labels.length });
    const wanted = expected(images);
    expect(wanted).toBeGreaterThan(0.1);
    expect(Math.abs(found.loss! - wanted)).toBeLessThan(1e-4 * wanted);
  });

  it("weighs the heads, each with its labels", async () => {
    using model = fcn.models.create("fcn_resnet50", device, { numClasses: 3, widthMultiplier: 0.016, seed: 4 });
    const metadata = {
      ...{ model: "m", options: { numClasses: 3 }, palette: [], preprocessing: PREPROCESSING },
      classes: ["a", "b", "c"],
    };
    const source = { length: 1, load: async () => SAMPLES[0]! };
    const lossOf = async (heads: Record<string, number>): Promise<number> => {
      const settings = resolveTraining({
        ...{ model, data: [], preprocessing: PREPROCESSING, numClasses: 3, steps: 1, learningRate: 1, heads },
      });
      return (await validate(model, source, { metadata, step: 1, settings })).loss!;
    };
    const [out, aux] = [await lossOf({ out: 1 }), await lossOf({ aux: 1 })];
    expect(out).not.toBe(aux);
    expect(await lossOf({ out: 1, aux: 0.5 })).toBeCloseTo(out + 0.5 * aux, 6);
  });

  it("is kept by a run in its table, its report and its checkpoint, also where it goes on", async () => {
    const data = await writeTinyData(join(root, "data"), 6);
    const base = { ...tinyRun(data, device), readEvery: 2, validateEvery: 2, schedule: "fixed" } as const;
    const told: (number | undefined)[] = [];
    const view = { validation: (_: number, __: number, loss?: number) => void told.push(loss) };
    const [straight, parts] = [join(root, "straight"), join(root, "parts")];
    await fcn.trainRun({ ...base, out: straight, steps: 6, view });
    await fcn.trainRun({ ...base, out: parts, steps: 4 });
    await fcn.trainRun({ ...base, out: parts, steps: 6, resume: true });
    const table = async (out: string) => (await import("node:fs/promises")).readFile(join(out, "metrics.csv"), "utf8");
    const text = await table(straight);
    expect(await table(parts)).toBe(text);
    const [header = "", ...rows] = text.trim().split("\n");
    const at = header.split(",").indexOf("validationLoss");
    expect(rows.map((row) => Number(row.split(",")[at]))).toEqual(told);
    expect(told).toHaveLength(3);
    expect(told.every((loss) => loss! > 0)).toBe(true);
  });
});
