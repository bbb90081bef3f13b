import * as fcn from "@fcn/core";
import { createDevice, type Device } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stripes } from "../../data/samples.js";
import { relativeDifference, weightsOf } from "../states.js";

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

const samples = [2, 3].map((shift) => stripes(`stripes ${shift}`, 32, 3, shift));
samples[1]?.labels.fill(255, 0, 300);
const preprocessing = fcn.data.measurePreprocessing(samples);
const PIXELS = 32 * 32;
const LABELLED = 2 * PIXELS - 300;
const NET = { numClasses: 3, seed: 4, widthMultiplier: 0.25, batchNorm: false };
const settings = { data: samples, preprocessing, numClasses: 3, batchSize: 2, mirror: false, readEvery: 1 };

async function stepsWith(options: Partial<fcn.TrainOptions>) {
  using model = fcn.models.create("fcn16s-small", device, NET);
  const start = await weightsOf(model);
  const { losses } = await fcn.train({ ...settings, model, steps: 2, learningRate: 0.01, ...options });
  return { start, loss: losses[0]?.loss ?? Number.NaN, weights: await weightsOf(model) };
}

describe("reductions of the loss", () => {
  it.each([
    ["sum", LABELLED],
    ["batch", LABELLED / 2],
    ["mean", 1],
    ["imageMeans", LABELLED / PIXELS],
  ] as const)("%s of a net without opinion is ln C times %d", async (reduction, factor) => {
    const first = await stepsWith({ reduction, learningRate: 1e-9 });
    expect(first.loss / factor).toBeCloseTo(Math.log(3), 5);
  });

  it("weigh the labelled pixels by their class, as PyTorch's weighted mean does", async () => {
    const classWeights = [2, 0.5, 0];
    const { loss } = await stepsWith({ classWeights, learningRate: 1e-9 });
    expect(loss).toBeCloseTo(Math.log(3), 5);
    const counts = fcn.data.countLabels(samples, 3);
    const weighted = counts.reduce((sum, count, c) => sum + count * (classWeights[c] ?? 0), 0);
    const { loss: total } = await stepsWith({ classWeights, reduction: "sum", learningRate: 1e-9 });
    expect(total / weighted).toBeCloseTo(Math.log(3), 5);
  });

  it("cost nothing where no pixel is labelled", async () => {
    const empty = stripes("empty", 32, 3, 2);
    empty.labels.fill(255);
    const { loss } = await stepsWith({ data: [empty], batchSize: 1 });
    expect(loss).toBe(0);
  });

  it("are refused when they have another name", async () => {
    await expect(stepsWith({ reduction: "average" as "mean" })).rejects.toThrow(
      'reduction is "average", expected one of',
    );
  });
});

describe("convertLearningRate", () => {
  it("gives the figures of the published nets", () => {
    const change = { from: "sum", to: "mean", pixels: 500 * 375 } as const;
    expect(fcn.convertLearningRate(1e-10, change)).toBeCloseTo(1.875e-5, 12);
    expect(fcn.convertWeightDecay(5e-4, change) * 187_500).toBeCloseTo(5e-4, 12);
    // d2l's rate at batches of 32, as one on the mean.
    expect(
      fcn.convertLearningRate(1e-3, { from: "imageMeans", to: "mean", pixels: 320 * 480, batchSize: 32 }),
    ).toBeCloseTo(0.032);
    expect(fcn.convertLearningRate(1, { from: "batch", to: "sum", pixels: 10, batchSize: 4 })).toBe(0.25);
  });

  it.each([
    ["convertLearningRate", fcn.convertLearningRate],
    ["convertWeightDecay", fcn.convertWeightDecay],
  ] as const)("refuses images without pixels, as %s", (name, convert) => {
    const refused = () => convert(1, { from: "sum", to: "mean", pixels: 0 });
    expect(refused).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    expect(refused).toThrow(new RegExp(`^${name}: pixels is 0`));
  });

  it.each([
    ["sum", "mean"],
    ["batch", "mean"],
    ["imageMeans", "sum"],
  ] as const)("makes steps on %s those on %s, to rounding", async (from, to) => {
    const full = [2, 3].map((shift) => stripes(`stripes ${shift}`, 32, 3, shift));
    const change = { from, to, pixels: PIXELS, batchSize: 2 };
    const rate = fcn.convertLearningRate(0.1, { ...change, from: "mean", to: from });
    const decay = fcn.convertWeightDecay(0.01, { ...change, from: "mean", to: from });
    const a = await stepsWith({ data: full, reduction: from, learningRate: rate, weightDecay: decay });
    const b = await stepsWith({
      data: full,
      reduction: to,
      learningRate: fcn.convertLearningRate(rate, change),
      weightDecay: fcn.convertWeightDecay(decay, change),
    });
    expect(relativeDifference(a.weights, b.weights, a.start)).toBeLessThan(1e-4);
  });
});
