import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fcn from "@fcn/core";
import { createDevice, crossEntropy, type Device, io, optim } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stripes } from "../data/samples.js";

const OPTIONS = { numClasses: 2, seed: 4, widthMultiplier: 0.25 };
const samples = [2, 3, 4].map((shift) => stripes(`stripes ${shift}`, 32, 2, shift));
const preprocessing = fcn.data.measurePreprocessing(samples);
const settings = { data: samples, preprocessing, numClasses: 2, batchSize: 2, learningRate: 0.05, seed: 5 };

let device: Device;
let folder: string;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
  folder = await mkdtemp(join(tmpdir(), "fcn-training-"));
});
afterAll(async () => {
  device?.destroy();
  await rm(folder, { recursive: true, force: true });
});

describe("train", () => {
  it("learns a problem that colour decides: the loss falls, and prediction and scores follow", async () => {
    using model = fcn.models.create("fcn8s-small", device, OPTIONS);
    const before = await fcn.evaluate(model, samples, { preprocessing, numClasses: 2 });
    const { losses } = await fcn.train({ ...settings, model, steps: 40, readEvery: 5 });
    expect(losses.map(({ step }) => step)).toEqual([5, 10, 15, 20, 25, 30, 35, 40]);
    const [first, last] = [losses[0]!.loss, losses.at(-1)!.loss];
    expect(first).toBeGreaterThan(0.2);
    expect(last).toBeLessThan(first / 2);
    const after = await fcn.evaluate(model, samples, { preprocessing, numClasses: 2 });
    expect(after.pixelAccuracy).toBeGreaterThan(Math.max(0.8, before.pixelAccuracy));
  });

  it("repeats itself bit for bit with one seed, and differs with another", async () => {
    const run = async (seed: number): Promise<number[]> => {
      using model = fcn.models.create("fcn8s-small", device, OPTIONS);
      const { losses } = await fcn.train({ ...settings, model, seed, steps: 4, readEvery: 1 });
      return losses.map(({ loss }) => loss);
    };
    const once = await run(1);
    expect(await run(1)).toEqual(once);
    expect(await run(2)).not.toEqual(once);
  });

  it("leaves nothing after on the device, and needs no more memory for more steps", async () => {
    using model = fcn.models.create("fcn16s-small", device, OPTIONS);
    const start = device.memory().liveTensors;
    const live: number[] = [];
    const onProgress = (): void => void live.push(device.memory().liveBytes);
    await fcn.train({ ...settings, model, steps: 6, readEvery: 2, onProgress });
    expect(device.memory().liveTensors).toBe(start);
    expect(new Set(live).size).toBe(1);
  });

  it("reports where it stands and lowers the rate to the polynomial schedule", async () => {
    using model = fcn.models.create("fcn32s-small", device, OPTIONS);
    const seen: fcn.TrainProgress[] = [];
    await fcn.train({ ...settings, model, steps: 5, readEvery: 2, onProgress: (p) => void seen.push(p) });
    expect(seen.map(({ step }) => step)).toEqual([2, 4, 5]);
    seen.forEach(({ step, learningRate }) => {
      expect(learningRate).toBeCloseTo(0.05 * (1 - (step - 1) / 5) ** 0.9, 10);
    });
    expect(seen.at(-1)?.secondsLeft).toBe(0);
  });

  it("takes another optimiser and schedule", async () => {
    using model = fcn.models.create("fcn32s-small", device, OPTIONS);
    const rates: number[] = [];
    await fcn.train({
      ...settings,
      model,
      steps: 3,
      readEvery: 1,
      optimizer: (parameters, lr) => new optim.AdamW(parameters, { lr }),
      schedule: (optimizer) => optim.lrScheduler.step(optimizer, { stepSize: 1, gamma: 0.5 }),
      onProgress: ({ learningRate }) => void rates.push(learningRate),
    });
    expect(rates).toEqual([0.05, 0.025, 0.0125]);
  });

  it("freezes batch norm on request: the statistics stay and are used, and all parameters still learn", async () => {
    const statistics = /\.running_(mean|var)$/;
    const valuesOf = async (model: fcn.models.GraphNet): Promise<Map<string, number[]>> => {
      const entries = Object.entries(model.stateDict());
      return new Map(await Promise.all(entries.map(async ([name, t]) => [name, Array.from(await t.data())] as const)));
    };
    const train = async (freezeBatchNorm: boolean) => {
      using model = fcn.models.create("fcn8s-small", device, { ...OPTIONS, deconv: "learned" });
      await fcn.train({ ...settings, model, steps: 3 });
      const before = await valuesOf(model);
      const { losses } = await fcn.train({ ...settings, model, steps: 2, readEvery: 1, freezeBatchNorm });
      const after = await valuesOf(model);
      const changed = [...before].filter(([name, values]) => values.some((value, i) => value !== after.get(name)?.[i]));
      return { changed: changed.map(([name]) => name), names: [...before.keys()], losses };
    };
    const [free, frozen] = [await train(false), await train(true)];
    expect(free.changed.filter((name) => statistics.test(name)).length).toBeGreaterThan(0);
    expect(frozen.changed).toEqual(frozen.names.filter((name) => !statistics.test(name)));
    expect(frozen.losses[0]?.loss).not.toBe(free.losses[0]?.loss);
  });

  it("normalises by the frozen statistics: the loss of a first step is that of evaluation mode", async () => {
    using model = fcn.models.create("fcn8s-small", device, OPTIONS);
    await fcn.train({ ...settings, model, steps: 3 });
    const single = { ...settings, model, data: samples.slice(0, 1), batchSize: 1, mirror: false };
    model.eval();
    const batch = fcn.data.toTensors(device, fcn.data.stackSamples(single.data, preprocessing));
    const want = await device.scope(async () => crossEntropy(model.forward(batch.images), batch.labels).item());
    const { losses } = await fcn.train({ ...single, steps: 1, learningRate: 1e-9, freezeBatchNorm: true });
    expect(losses[0]?.loss).toBe(want);
    batch.images.dispose();
    batch.labels.dispose();
  });

  it("stops with one clear error when labels or settings are wrong, or the loss leaves the numbers", async () => {
    using model = fcn.models.create("fcn8s-small", device, OPTIONS);
    const base = { ...settings, model, steps: 2 };
    await expect(fcn.train({ ...base, numClasses: 1 })).rejects.toThrow(
      /"stripes 2" holds label 1, the net has 1 class/,
    );
    await expect(fcn.train({ ...base, steps: 0 })).rejects.toThrow(/steps is 0/);
    await expect(fcn.train({ ...base, learningRate: -1 })).rejects.toThrow(/learningRate is -1/);
    const wild = { ...base, learningRate: 1e38, steps: 5 };
    await expect(fcn.train(wild)).rejects.toMatchObject({
      code: "diverged",
      message: expect.stringContaining("a learning rate of 1e+38"),
    });
  });
});

describe("trainValidated", () => {
  it("scores at equal distances and at the end, as evaluate does, and trains as train does", async () => {
    using model = fcn.models.create("fcn8s-small", device, OPTIONS);
    using twin = fcn.models.create("fcn8s-small", device, OPTIONS);
    const seen: number[] = [];
    const result = await fcn.trainValidated({
      ...settings,
      model,
      steps: 6,
      readEvery: 1,
      validation: samples,
      validations: 3,
      onValidation: (step) => void seen.push(step),
    });
    expect(seen).toEqual([2, 4, 6]);
    expect(result.validations.map(({ step }) => step)).toEqual(seen);
    const { losses } = await fcn.train({ ...settings, model: twin, steps: 6, readEvery: 1 });
    expect(result.training.losses).toEqual(losses);
    const scores = await fcn.evaluate(twin, samples, { preprocessing, numClasses: 2 });
    expect(result.evaluation).toEqual(scores);
    expect(result.validations.at(-1)?.evaluation).toEqual(scores);
  });
});

describe("evaluate", () => {
  it("scores as the metrics do on the labels that predict gives, and keeps the training mode", async () => {
    using model = fcn.models.create("fcn8s-small", device, { ...OPTIONS, deconv: "learned" });
    await fcn.train({ ...settings, model, steps: 10 });
    const metrics = new fcn.SegmentationMetrics(2);
    for (const sample of samples) {
      const { labels, height, width } = await fcn.predict(model, sample.image, { preprocessing });
      expect([height, width, labels.length]).toEqual([32, 32, 1024]);
      metrics.update(labels, sample.labels);
    }
    expect(model.training).toBe(true);
    const boundary = { radii: [2] };
    const scores = await fcn.evaluate(model, samples, { preprocessing, numClasses: 2, batchSize: 2, boundary });
    const { boundary: [near] = [], ...all } = scores;
    expect(all).toEqual(metrics.compute());
    const counted = near?.confusion.flat().reduce((a, b) => a + b, 0) ?? 0;
    const wanted = samples
      .map(({ labels }) => fcn.data.boundaryBand(labels, { height: 32, width: 32, radius: 2, side: (label) => label }))
      .reduce((sum, labels) => sum + labels.filter((label) => label !== 255).length, 0);
    expect(counted).toBe(wanted);
  });
});

describe("weights files", () => {
  const metadata = {
    model: "fcn8s-small",
    options: OPTIONS,
    classes: ["left", "right"],
    palette: [[1, 2, 3] as const, [40, 50, 60] as const],
    preprocessing,
  };

  it("carry all that is needed to predict the same labels again", async () => {
    using model = fcn.models.create("fcn8s-small", device, OPTIONS);
    await fcn.train({ ...settings, model, steps: 5 });
    const path = join(folder, "weights.safetensors");
    await fcn.saveModel(path, model, metadata);
    expect(await readdir(folder)).toEqual(["weights.safetensors"]);
    for (const source of [path, new Uint8Array(await readFile(path))]) {
      const loaded = await fcn.loadModel(source, device);
      expect(loaded.metadata).toEqual(metadata);
      expect(loaded.model.training).toBe(false);
      for (const { image } of samples) {
        expect(await fcn.predict(loaded.model, image, loaded.metadata)).toEqual(
          await fcn.predict(model, image, { preprocessing }),
        );
      }
      loaded.model.dispose();
    }
  });

  it("that say nothing of their net are refused with what is missing", async () => {
    const path = join(folder, "bare.safetensors");
    await io.writeSafetensors(path, {}, { metadata: { model: '"fcn8s-small"', classes: "[" } });
    await expect(fcn.loadModel(path, device)).rejects.toThrow(/lacks options, palette, preprocessing/);
    const bad = {
      ...Object.fromEntries(["model", "options", "palette", "preprocessing"].map((k) => [k, "{}"])),
      classes: "[",
    };
    await io.writeSafetensors(path, {}, { metadata: bad });
    await expect(fcn.loadModel(path, device)).rejects.toThrow(/"classes".*not JSON/);
    await writeFile(path, "not a weights file");
    await expect(fcn.loadModel(path, device)).rejects.toMatchObject({ name: "TensorError" });
  });
});

describe("the staged recipe", () => {
  it("starts each net where the one before ended", async () => {
    using coarse = fcn.models.create("fcn32s-small", device, OPTIONS);
    await fcn.train({ ...settings, model: coarse, steps: 3 });
    using fine = fcn.models.create("fcn16s-small", device, { ...OPTIONS, seed: 99 });
    const { copied } = fcn.transplant(coarse, fine);
    expect(copied).toContain("conv1_1.weight");
    expect(copied).toContain("score_fr.weight");
    expect(copied).not.toContain("score_pool4.weight");
    expect(copied).not.toContain("upscore.weight");
    for (const name of copied) {
      expect(await fine.stateDict()[name]?.data()).toEqual(await coarse.stateDict()[name]?.data());
    }
  });

  it("trains, validates and hands over every stage, and frees all nets", async () => {
    const start = device.memory().liveTensors;
    const events: string[] = [];
    const results = await fcn.trainStaged({
      ...settings,
      device,
      stages: ["fcn32s-small", "fcn16s-small"].map((modelName) => ({ modelName, learningRate: 0.02, steps: 3 })),
      modelOptions: OPTIONS,
      validation: samples.slice(0, 1),
      validations: 2,
      readEvery: 1,
      evaluation: { batchSize: 1 },
      onStageStart: ({ modelName }, copied) => void events.push(`${modelName} ${copied.length > 0}`),
      onValidation: (_, step) => void events.push(`validation ${step}`),
      onStageEnd: async ({ stage }) => void events.push(`end ${stage.modelName}`),
    });
    const each = ["validation 2", "validation 3"];
    expect(events).toEqual([
      ...["fcn32s-small false", ...each, "end fcn32s-small"],
      ...["fcn16s-small true", ...each, "end fcn16s-small"],
    ]);
    for (const { training, validations, evaluation } of results) {
      expect(training.losses).toHaveLength(3);
      expect(evaluation).toEqual(validations.at(-1)?.evaluation);
    }
    expect(device.memory().liveTensors).toBe(start);
  });
});
