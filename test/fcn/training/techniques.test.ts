import * as fcn from "@fcn/core";
import { createDevice, type Device, nn, optim } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stripes } from "../data/samples.js";
import { changed, relativeDifference, weightsOf } from "./states.js";

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

const samples = [2, 3, 4, 1].map((shift) => stripes(`stripes ${shift}`, 32, 3, shift));
// Unequal numbers of labelled pixels, so that a mean of means would be another loss.
samples[1]?.labels.fill(255, 0, 700);
const preprocessing = fcn.data.measurePreprocessing(samples);
const settings = { data: samples, preprocessing, numClasses: 3, mirror: false, learningRate: 0.05, readEvery: 1 };
const OPTIONS = { numClasses: 3, seed: 4, widthMultiplier: 0.25 };

describe("accumulationSteps", () => {
  it.each(["mean", "batch", "imageMeans"] as const)(
    "makes four images one by one the batch of four (%s)",
    async (reduction) => {
      const run = async (batchSize: number, accumulationSteps: number) => {
        using model = fcn.models.create("fcn16s-small", device, { ...OPTIONS, batchNorm: false });
        const start = await weightsOf(model);
        const classWeights = [1, 2, 0.5];
        const result = await fcn.train({
          ...settings,
          model,
          batchSize,
          accumulationSteps,
          reduction,
          classWeights,
          steps: 3,
        });
        return { start, weights: await weightsOf(model), losses: result.losses.map((entry) => entry.loss) };
      };
      const [large, accumulated] = [await run(4, 1), await run(1, 4)];
      expect(relativeDifference(large.weights, accumulated.weights, large.start)).toBeLessThan(1e-4);
      accumulated.losses.forEach((value, i) => {
        expect(value / (large.losses[i] ?? Number.NaN)).toBeCloseTo(1, 5);
      });
    },
  );

  it("leaves nothing after on the device", async () => {
    using model = fcn.models.create("fcn16s-small", device, OPTIONS);
    const { liveTensors } = device.memory();
    await fcn.train({ ...settings, model, batchSize: 2, accumulationSteps: 3, steps: 2, clipNorm: 1 });
    expect(device.memory().liveTensors).toBe(liveTensors);
  });
});

describe("trainable", () => {
  it("leaves everything else as it is, bit for bit, and lets it learn again afterwards", async () => {
    using model = fcn.models.create("fcn8s-small", device, OPTIONS);
    const learning = model.parameters().map((parameter) => parameter.requiresGrad);
    const before = await weightsOf(model);
    await fcn.train({ ...settings, model, batchSize: 2, steps: 3, trainable: "scores" });
    const scores = ["score_fr", "score_pool4", "score_pool3"];
    expect(changed(before, await weightsOf(model)).sort()).toEqual(
      scores.flatMap((layer) => [`${layer}.weight`, `${layer}.bias`]).sort(),
    );
    expect(model.parameters().map((parameter) => parameter.requiresGrad)).toEqual(learning);
    const fixed = await weightsOf(model);
    await fcn.train({ ...settings, model, batchSize: 2, steps: 1 });
    expect(changed(fixed, await weightsOf(model))).toContain("conv1_1.weight");
  });

  it("keeps no activation of the fixed backbone", async () => {
    const peak = async (options: Partial<fcn.TrainOptions>): Promise<number> => {
      using fresh = await createDevice({ quiet: true });
      using model = fcn.models.create("fcn32s-small", fresh, { ...OPTIONS, widthMultiplier: 1 });
      const data = [stripes("large", 128, 3, 4)];
      fresh.resetPeakMemory();
      const start = fresh.memory().liveBytes;
      await fcn.train({ ...settings, data, model, steps: 1, ...options });
      return fresh.memory().peakBytes - start;
    };
    expect(await peak({ trainable: ["score_fr"] })).toBeLessThan(0.5 * (await peak({})));
  });

  it("trains the norms of a module that learns, and refuses names of none", async () => {
    using model = fcn.models.create("fcn32s-small", device, OPTIONS);
    const before = await weightsOf(model);
    const trainable = ["fc6", "fc6_bn", "score_fr"];
    await fcn.train({ ...settings, model, batchSize: 2, steps: 2, trainable });
    const names = changed(before, await weightsOf(model));
    expect(names).toContain("fc6_bn.running_mean");
    expect(names.every((name) => trainable.some((path) => name.startsWith(`${path}.`)))).toBe(true);
    await expect(fcn.train({ ...settings, model, steps: 1, trainable: ["fc9"] })).rejects.toThrow(
      /trainable names "fc9", which is not a module with parameters/,
    );
    await expect(fcn.train({ ...settings, model, steps: 1, trainable: [] })).rejects.toThrow(/names no module/);
    using bare = new nn.Sequential(new nn.Conv2d(device, 3, 3, { kernelSize: 1 }));
    await expect(fcn.train({ ...settings, model: bare, steps: 1, trainable: "scores" })).rejects.toThrow(
      /needs a net from models.create/,
    );
  });
});

describe("freezeBatchNorm", () => {
  it("keeps the running statistics, and lets weight and bias learn", async () => {
    using model = fcn.models.create("fcn32s-small", device, OPTIONS);
    const before = await weightsOf(model);
    await fcn.train({ ...settings, model, steps: 2, freezeBatchNorm: true });
    const names = changed(before, await weightsOf(model));
    expect(names.filter((name) => name.includes("running"))).toEqual([]);
    expect(names).toContain("conv1_1_bn.weight");
    expect(names).toContain("conv1_1_bn.bias");
  });
});

describe("clipNorm", () => {
  it("shortens a step to the norm, and leaves a shorter one alone", async () => {
    const step = async (clipNorm?: number): Promise<number> => {
      using model = fcn.models.create("fcn32s-small", device, { ...OPTIONS, batchNorm: false });
      const before = await weightsOf(model);
      const common = { ...settings, model, steps: 1, momentum: 0, weightDecay: 0, learningRate: 1 };
      await fcn.train({ ...common, reduction: "sum", ...(clipNorm === undefined ? {} : { clipNorm }) });
      const after = await weightsOf(model);
      const squares = Object.entries(after).flatMap(([name, values]) =>
        Array.from(values, (value, i) => (value - (before[name]?.[i] ?? 0)) ** 2),
      );
      return Math.sqrt(squares.reduce((a, b) => a + b));
    };
    const free = await step();
    expect(free).toBeGreaterThan(1);
    expect(await step(0.5)).toBeCloseTo(0.5, 4);
    expect((await step(10 * free)) / free).toBeCloseTo(1, 4);
  });

  it("is that of PyTorch: the norm of all gradients together, and a joint factor", async () => {
    await device.scope(async () => {
      const a = device.tensor([0, 0], [2], { requiresGrad: true });
      const b = device.tensor([0], [1], { requiresGrad: true });
      const idle = device.tensor([1], [1], { requiresGrad: true });
      a.grad = device.tensor([3, 0]);
      b.grad = device.tensor([4]);
      expect(await optim.clipGradNorm([a, b, idle], 10).item()).toBeCloseTo(5, 5);
      expect(Array.from((await a.grad?.data()) ?? [])).toEqual([3, 0]);
      await optim.clipGradNorm([a, b, idle], 1).item();
      expect((await a.grad?.data())?.[0]).toBeCloseTo(0.6, 5);
      expect((await b.grad?.data())?.[0]).toBeCloseTo(0.8, 5);
      expect(() => optim.clipGradNorm([idle], 1)).toThrow(/no parameter has a gradient/);
      expect(() => optim.clipGradNorm([a], -1)).toThrow(/maxNorm is -1/);
    });
  });
});

describe("max fusion", () => {
  /** Two score maps of one image, of which the larger counts. */
  function fusedGraph(kind: "add" | "max"): fcn.models.Graph {
    const builder = new fcn.models.GraphBuilder(kind);
    const data = builder.add("data", { kind: "input", channels: 3 });
    const branch = (name: string, kernelSize: number): string => {
      const padding = (kernelSize - 1) / 2;
      const hidden = builder.add(name, { kind: "conv", outChannels: 6, kernelSize, padding, init: "kaiming" }, data);
      const active = builder.add(`${name}_relu`, { kind: "relu" }, hidden);
      return builder.add(`score_${name}`, { kind: "conv", outChannels: 3, kernelSize: 1 }, active);
    };
    return builder.build({ out: builder.add("fuse", { kind }, branch("fine", 1), branch("coarse", 5)) });
  }

  it.each(["add", "max"] as const)("%s trains from end to end", async (kind) => {
    using model = new fcn.models.GraphNet(device, fusedGraph(kind), 3);
    const before = await weightsOf(model);
    const { losses } = await fcn.train({ ...settings, model, batchSize: 4, steps: 25, readEvery: 5 });
    expect(losses.at(-1)?.loss).toBeLessThan((losses[0]?.loss ?? 0) * 0.95);
    expect(changed(before, await weightsOf(model))).toEqual(expect.arrayContaining(["fine.weight", "coarse.weight"]));
  });
});

describe("options out of range", () => {
  it("are refused before the first step", async () => {
    using model = fcn.models.create("fcn32s-small", device, OPTIONS);
    const train = (options: object) => fcn.train({ ...settings, model, steps: 1, ...options });
    await expect(train({ accumulationSteps: 0, batchSize: 1.5 })).rejects.toThrow(
      /batchSize is 1.5, .* accumulationSteps is 0, /,
    );
    await expect(train({ heads: {} })).rejects.toThrow(/heads is \{\}/);
    await expect(train({ heads: { out: -1 } })).rejects.toThrow(/heads is \{"out":-1\}/);
    await expect(train({ clipNorm: 0 })).rejects.toThrow(/clipNorm is 0,/);
    await expect(train({ classWeights: [1, 1] })).rejects.toThrow(/classWeights is \[1,1\], expected 3 finite weights/);
    await expect(train({ lossSampling: { probability: 2 } })).rejects.toThrow(/"probability":2/);
    await expect(train({ schedule: "linear" })).rejects.toThrow(/schedule is "linear", expected one of/);
    await expect(train({ recipe: "heavy" })).rejects.toThrow(/no recipe called "heavy"/);
  });

  it("take class weights from the data", async () => {
    using model = fcn.models.create("fcn32s-small", device, { ...OPTIONS, batchNorm: false });
    const loss = async (classWeights: fcn.TrainOptions["classWeights"]) => {
      const options = classWeights === undefined ? {} : { classWeights };
      const result = await fcn.train({
        ...settings,
        model,
        reduction: "sum",
        steps: 1,
        batchSize: 4,
        learningRate: 1e-12,
        ...options,
      });
      return result.losses[0]?.loss;
    };
    const computed = fcn.classWeights(samples, 3, "median");
    expect(await loss("median")).toBe(await loss(computed));
    expect(await loss("median")).not.toBe(await loss(undefined));
  });
});
