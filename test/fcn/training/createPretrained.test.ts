import { join } from "node:path";
import * as fcn from "@fcn/core";
import { createDevice, type Device, io } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadStartWeights } from "../../../packages/fcn/src/training/run/start/startWeights.js";
import { temporaryFolder } from "../data/trees.js";

const root = await temporaryFolder("fcn-create-pretrained");
const fetch = { cacheDir: join(root, "cache") };

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

describe("createPretrained", () => {
  it("builds the net that published weights need, holds them, and knows how images become numbers", async () => {
    const { model, preprocessing, weights, startAnew } = await fcn.createPretrained("fcn16s-mobilenetv2", device, {
      ...{ numClasses: 3, weights: "nsfwjs/mobilenetv2-1.4", fetch },
    });
    const state = model.stateDict();
    for (const [name, { data }] of Object.entries(await io.readSafetensors(weights.path))) {
      if (state[name]) expect(await state[name].data(), name).toEqual(data);
    }
    expect(preprocessing).toEqual(weights.entry.preprocessing);
    expect(startAnew).toContain("score_fr.weight");
    expect(startAnew.filter((name) => name.startsWith("backbone."))).toEqual([]);
    const file = join(root, "saved.safetensors");
    await fcn.saveModel(file, model);
    const saved = await fcn.loadModel(file, device);
    expect(saved.metadata).toMatchObject({ preprocessing, options: { widthMultiplier: 1.4, samePadding: true } });
    saved.model.dispose();
    model.dispose();
  });

  it("names the net for which none are published, and what does not fit", async () => {
    await expect(fcn.createPretrained("fcn8s-small", device, { numClasses: 3, fetch })).rejects.toThrow(
      "createPretrained fcn8s-small: no pretrained weights are published for fcn8s-small",
    );
    const narrow = { numClasses: 3, widthMultiplier: 0.5, weights: "nsfwjs/mobilenetv2", fetch };
    await expect(fcn.createPretrained("fcn16s-mobilenetv2", device, narrow)).rejects.toMatchObject({
      code: "state-dict-mismatch",
      message: expect.stringMatching(/^createPretrained fcn16s-mobilenetv2: the weights in /),
    });
  });
});

describe("weights under the names of another library", () => {
  it("start VGG16 as published, whose layers have Caffe's names", async () => {
    const options = { numClasses: 3, widthMultiplier: 1 / 32 };
    using source = fcn.models.create("fcn32s-vgg16", device, { ...options, seed: 1 });
    using target = fcn.models.create("fcn32s-vgg16", device, { ...options, seed: 2 });
    const { rename } = fcn.weights.nameMap("caffe-to-vgg16");
    const named = Object.entries(source.stateDict()).filter(([name]) => rename(name) !== name);
    const file = join(root, "torchvision.safetensors");
    await io.writeSafetensors(file, Object.fromEntries(named.map(([name, tensor]) => [rename(name), tensor])));
    const names = fcn.weights.nameMap("vgg16-to-caffe");
    const { loaded, missing } = await loadStartWeights(target, file, { names });
    expect(loaded).toBe(30);
    expect(missing.every((name) => /score|upscore/.test(name))).toBe(true);
    const own = target.stateDict();
    for (const [name, tensor] of named) expect(await own[name]?.data(), name).toEqual(await tensor.data());
  });
});
