import { join } from "node:path";
import * as fcn from "@fcn/core";
import { createDevice, type Device, io } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../data/trees.js";
import { writeTinyData } from "./tinyData.js";
import { tinyRun } from "./tinyRun.js";

const root = await temporaryFolder("fcn-settings");
const data = await writeTinyData(join(root, "data"), 5);

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

/** The last weights of a run of two steps, and what it says of itself. */
async function run(name: string, extra: Partial<fcn.TrainRunOptions>) {
  const out = join(root, name);
  const { learningRate: _, ...base } = tinyRun(data, device);
  const result = await fcn.trainRun({ ...base, batchSize: 2, out, steps: 2, ...extra });
  const weights = await io.readSafetensors(join(out, "weights.safetensors"));
  return { configuration: result.configuration, values: [...(weights["conv1_1.weight"]!.data as Float32Array)] };
}

describe("the settings of a run", () => {
  it("may be those of a recipe for a head that the net lacks, but not of a layer that was asked for", async () => {
    const { configuration } = await run("torchvision", { recipe: "torchvision" });
    expect(configuration).toMatchObject({
      recipe: "torchvision",
      learningRate: 0.02,
      weightDecay: 1e-4,
      momentum: 0.9,
    });
    const multipliers = { layers: { aux_classifier: { lr: 10 } } };
    await expect(run("stray", { multipliers })).rejects.toThrow(/multipliers names "aux_classifier"/);
  });

  it("say what AdamW uses, which is 0.01 unless a recipe or an option says otherwise", async () => {
    const plain = await run("adamw", {});
    expect(plain.configuration).toMatchObject({ optimizer: "adamw", weightDecay: 0.01 });
    expect(plain.configuration.momentum).toBeUndefined();
    expect(plain.values).toEqual((await run("adamw 0.01", { weightDecay: 0.01 })).values);
    expect(plain.values).not.toEqual((await run("adamw 5", { weightDecay: 5 })).values);
    const recipe = { recipe: "d2l", optimizer: "adamw", learningRate: 0.1 } as const;
    const published = await run("d2l", recipe);
    expect(published.configuration).toMatchObject({ optimizer: "adamw", weightDecay: 1e-3 });
    expect(published.values).toEqual((await run("d2l 0.001", { ...recipe, weightDecay: 1e-3 })).values);
    expect(published.values).not.toEqual((await run("d2l 0.01", { ...recipe, weightDecay: 0.01 })).values);
    await expect(run("momentum", { momentum: 0.9 })).rejects.toThrow(/momentum 0\.9 with the optimizer adamw/);
    await expect(run("mistyped", { optimizer: "adamax" as "adamw" })).rejects.toThrow(
      /optimizer is "adamax", expected one of/,
    );
  });

  it("scale the decay that AdamW uses", async () => {
    using model = fcn.models.create("fcn8s-small", device, { numClasses: 3, widthMultiplier: 0.25 });
    const split = (await fcn.data.open(data)).splits.train!;
    const groups: unknown[] = [];
    const options = {
      model,
      data: await fcn.data.loadAll(split),
      preprocessing: fcn.data.IMAGENET_MEAN,
      numClasses: 3,
    };
    const multipliers = { bias: { decay: 0.5 } };
    const seen = ({ groups: own }: fcn.Optimizer): void => void groups.push(...own.map((group) => group.weightDecay));
    const rest = { ...options, multipliers, batchSize: 2, steps: 1, learningRate: 1e-3 };
    await fcn.train({ ...rest, optimizer: "adamw", onProgress: (_, optimizer) => seen(optimizer) });
    await fcn.train({ ...rest, onProgress: (_, optimizer) => seen(optimizer) });
    expect(groups).toEqual([0.01, 0.005, 5e-4, 2.5e-4]);
  });

  it("take images as the weights to start from want them, and say so where the file does not", async () => {
    const small = { modelOptions: { widthMultiplier: 0.03125 }, steps: 1, crop: [16, 16] } as const;
    const start = async (model: string, metadata: Record<string, string> = {}) => {
      using net = fcn.models.create(model, device, { numClasses: 3, ...small.modelOptions });
      const file = join(root, `${model}.safetensors`);
      await io.writeSafetensors(file, net.stateDict(), { metadata });
      return file;
    };
    const take = async (name: string, extra: Partial<fcn.TrainRunOptions>) => {
      const lines: string[] = [];
      const view = { line: (text: string) => void lines.push(text) };
      const { configuration } = await run(name, { ...small, view, ...extra });
      return {
        preprocessing: configuration.preprocessing,
        told: lines.filter((text) => text.includes("became numbers")),
      };
    };
    const vgg = { model: "fcn32s-vgg16", weights: await start("fcn32s-vgg16") };
    const { caffe, imagenet, unit } = fcn.data.PREPROCESSINGS;
    expect(await take("caffe", vgg)).toEqual({
      preprocessing: caffe,
      told: [
        `${vgg.weights} does not say how its images became numbers: they are taken as bgr, mean 104.00699, 116.66877, 122.67892, deviation 1, 1, 1 (--preprocessing)`,
      ],
    });
    expect(await take("chosen", { ...vgg, preprocessing: unit })).toEqual({ preprocessing: unit, told: [] });
    expect((await take("from nothing", { model: "fcn32s-vgg16" })).preprocessing).toEqual(imagenet);
    const opened = { ...(await fcn.data.open(data)), preprocessing: unit };
    expect(await take("data", { ...vgg, data: opened })).toMatchObject({
      preprocessing: unit,
      told: [expect.stringContaining("rgb, mean 0, 0, 0")],
    });
    const resnet = { model: "fcn32s-small", weights: await start("fcn32s-small") };
    expect(await take("other", resnet)).toMatchObject({
      preprocessing: imagenet,
      told: [expect.stringContaining("rgb, mean 123.675")],
    });
    await start("fcn32s-vgg16", { preprocessing: JSON.stringify(unit) });
    expect(await take("told", vgg)).toEqual({ preprocessing: unit, told: [] });
  });

  it("are named by errors as the command and as code call them", async () => {
    await expect(run("one value", { batchSize: 1 })).rejects.toMatchObject({
      message: expect.stringMatching(/^train: batchNorm: .* one value per channel/),
      fix: expect.stringContaining("(freezeBatchNorm)"),
      commandFix: expect.stringMatching(/larger windows \(--crop\), .* \(--freeze-batch-norm\)/),
    });
    // Larger windows would not give the batch norm after an average over the image more values.
    const pooled = { model: "deeplabv3_mobilenet_v3_large", modelOptions: { widthMultiplier: 1 / 64 }, batchSize: 1 };
    await expect(run("one average", pooled)).rejects.toMatchObject({
      commandFix: expect.stringMatching(
        /^use larger batches \(--batch; [^)]*\), or keep the statistics of batch norm \(--freeze-batch-norm\)$/,
      ),
    });
    const wild = { optimizer: "sgd", learningRate: 1e18, steps: 9, readEvery: 1 } as const;
    await expect(run("wild", wild)).rejects.toMatchObject({
      code: "diverged",
      fix: expect.stringContaining("warm up (warmUp), or clip gradients (clipNorm)"),
      commandFix: expect.stringContaining("warm up (--warm-up), or clip gradients (--clip-norm)"),
    });
  });
});
