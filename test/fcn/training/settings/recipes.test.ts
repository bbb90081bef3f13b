import * as fcn from "@fcn/core";
import { createDevice, type Device } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stripes } from "../../data/samples.js";

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

describe("recipes", () => {
  it("have the published rates, divided by 100 for each finer stage", () => {
    const rate = (name: fcn.RecipeName, model: string): number => fcn.recipeRate(fcn.recipe(name), model);
    for (const [model, heavy, cvpr] of [
      ["fcn32s-vgg16", 1e-10, 1e-4],
      ["fcn16s-vgg16", 1e-12, 1e-6],
      ["fcn8s-vgg16", 1e-14, 1e-8],
      ["fcn8s-atonce-vgg16", 1e-10, 1e-4],
      ["fcn32s-alexnet", 1e-10, 1e-3],
      ["fcn32s-googlenet-bvlc", 1e-10, 5e-5],
      // Two finished nets are its start; the published SIFT Flow net was not trained at a lower rate than its 16s.
      ["fcn32s-vgg16-hha", 1e-12, 1e-4],
      ["fcn16s-vgg16-siftflow", 1e-12, 1e-6],
      ["fcn8s-vgg16-siftflow", 1e-12, 1e-8],
    ] as const) {
      expect(rate("fcn-heavy", model) / heavy, model).toBeCloseTo(1, 10);
      expect(rate("fcn-cvpr15", model) / cvpr, model).toBeCloseTo(1, 10);
    }
    expect(rate("d2l", "d2l-resnet18")).toBe(1e-3);
    expect(rate("torchvision", "fcn_resnet50")).toBe(0.02);
    expect(() => fcn.recipe("sgd" as fcn.RecipeName)).toThrow(/no recipe called "sgd"/);
  });

  it("see as many images a step as published", () => {
    const images = (name: fcn.RecipeName): number => {
      const { batchSize, accumulationSteps } = fcn.recipe(name).settings;
      return batchSize * accumulationSteps;
    };
    expect(fcn.listRecipes().map(images)).toEqual([1, 20, 32, 32]);
  });

  // Of a net whose scores start at zero.
  it.each([
    ["fcn-heavy", 16 * 16],
    ["fcn-cvpr15", 1],
    ["d2l", 32],
    ["torchvision", 1],
  ] as const)("%s: the first loss is ln C a pixel, the first rate the published one", async (recipe, factor) => {
    const data = [2, 3].map((shift) => stripes(`stripes ${shift}`, 16, 5, shift));
    using model = fcn.models.create("fcn16s-small", device, {
      numClasses: 5,
      widthMultiplier: 0.125,
      batchNorm: false,
    });
    const rates: number[] = [];
    const { losses } = await fcn.train({
      recipe,
      model,
      data,
      preprocessing: fcn.data.measurePreprocessing(data),
      numClasses: 5,
      steps: 1,
      onProgress: ({ learningRate }) => void rates.push(learningRate),
    });
    expect((losses[0]?.loss ?? Number.NaN) / factor).toBeCloseTo(Math.log(5), 5);
    expect(rates).toEqual([fcn.recipeRate(fcn.recipe(recipe), "fcn16s-small")]);
  });

  it("give way to options, and one must give the rate", async () => {
    const data = [stripes("stripes", 16, 2, 3)];
    using model = fcn.models.create("fcn32s-small", device, {
      numClasses: 2,
      widthMultiplier: 0.125,
      batchNorm: false,
    });
    const common = { model, data, preprocessing: fcn.data.measurePreprocessing(data), numClasses: 2, steps: 1 };
    const own = { recipe: "fcn-heavy", learningRate: 3e-9, reduction: "mean" } as const;
    const { losses, learningRate } = await fcn.train({ ...common, ...own });
    expect(learningRate).toBe(3e-9);
    expect(losses[0]?.loss).toBeCloseTo(Math.log(2), 5);
    await expect(fcn.train(common)).rejects.toThrow(/learningRate is missing, expected a number above 0/);
  });

  it("train a net with an auxiliary head by both losses, its own layers ten times as fast", async () => {
    const data = [stripes("stripes", 32, 3, 3)];
    const options = { numClasses: 3, widthMultiplier: 1 / 32, seed: 2 };
    const common = {
      data,
      preprocessing: fcn.data.measurePreprocessing(data),
      numClasses: 3,
      steps: 1,
      recipe: "torchvision",
      batchSize: 1,
      mirror: false,
    } as const;
    const lossOf = async (heads?: Record<string, number>): Promise<number> => {
      using model = fcn.models.create<Record<"out" | "aux", never>>("fcn_resnet50", device, options);
      const { losses } = await fcn.train({ ...common, model, ...(heads ? { heads } : {}) });
      return losses[0]?.loss ?? Number.NaN;
    };
    const [both, out, aux] = [await lossOf(), await lossOf({ out: 1 }), await lossOf({ aux: 1 })];
    expect(both).toBeCloseTo(out + 0.5 * aux, 4);
    await expect(lossOf({ out: 1, middle: 1 })).rejects.toThrow(/heads names "middle", but the net has out, aux/);
    using plain = fcn.models.create("fcn_resnet50", device, { ...options, auxLoss: false });
    const alone = await fcn.train({ ...common, model: plain });
    expect(alone.losses[0]?.loss).toBeGreaterThan(0);
  });
});

describe("the staged recipe", () => {
  it("is one call, and divides the rates as published", async () => {
    const data = [stripes("stripes", 32, 2, 3)];
    const results = await fcn.trainStaged({
      recipe: "fcn-heavy",
      stages: fcn.publishedStages("small", 2),
      device,
      modelOptions: { numClasses: 2, widthMultiplier: 0.125, batchNorm: false },
      data,
      preprocessing: fcn.data.measurePreprocessing(data),
      validation: data,
      validations: 1,
      evaluation: {},
    });
    expect(results.map(({ stage }) => stage.modelName)).toEqual(["fcn32s-small", "fcn16s-small", "fcn8s-small"]);
    const rates = results.map(({ training }) => training.learningRate);
    expect(rates.map((rate) => rate / 1e-10)).toEqual([1, 1e-2, 1e-4].map((want) => expect.closeTo(want, 10)));
    for (const { training } of results) expect(training.losses.at(-1)?.loss).toBeCloseTo(1024 * Math.log(2), -1);
  });
});
