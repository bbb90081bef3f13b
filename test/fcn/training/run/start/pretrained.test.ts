import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as fcn from "@fcn/core";
import { createDevice, type Device, io } from "@fcn/tensor";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { temporaryFolder } from "../../../data/trees.js";
import { writeTinyData } from "../../tinyData.js";

const root = await temporaryFolder("fcn-pretrained");
const data = await writeTinyData(join(root, "data"), 5);
const cache = join(root, "cache");
const NAME = "nsfwjs/mobilenetv2";

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => {
  vi.unstubAllEnvs();
  device?.destroy();
});
beforeEach(() => void vi.stubEnv("FCN_CACHE", cache));

const lines: string[] = [];
const view = { line: (text: string) => void lines.push(text) };

function run(out: string, options: Partial<fcn.TrainRunOptions>): Promise<fcn.TrainRunResult> {
  lines.length = 0;
  const fixed = { batchSize: 2, steps: 1, learningRate: 1e-3, workers: 0, seed: 1 };
  return fcn.trainRun({ data, device, view, out: join(root, out), ...fixed, ...options });
}

const weightsOf = (out: string): string => join(root, out, "weights.safetensors");

describe("a run from published weights", () => {
  it("takes those that are here, for the net that none names, and images as they want them", async () => {
    const { model, configuration } = await run("auto", { pretrained: "auto" });
    expect(model).toBe("fcn16s-mobilenetv2");
    expect(configuration.weights).toEqual({ file: NAME, sha256: expect.stringMatching(/^[0-9a-f]{16}$/) });
    expect(lines).toContain("the net is fcn16s-mobilenetv2, as none is named");
    expect(lines.find((line) => line.includes(NAME))).toMatch(/on this machine .*: 260 arrays loaded$/);
    const { options, preprocessing } = await io.readSafetensorsMetadata(weightsOf("auto"));
    expect(JSON.parse(options ?? "")).toMatchObject({ samePadding: true, bnEps: 1e-3 });
    expect(JSON.parse(preprocessing ?? "")).toMatchObject({ mean: [0, 0, 0], std: [255, 255, 255] });
    const { path } = await fcn.fetchWeights(NAME, { offline: true });
    await run("file", { weights: path, model });
    expect((await readFile(weightsOf("file"))).equals(await readFile(weightsOf("auto")))).toBe(true);
  });

  it("keeps its start when it is resumed, whatever is here by then, and refuses another", async () => {
    const [out, choice] = ["resumed", { pretrained: NAME }];
    const { configuration } = await run(out, choice);
    const resume = { resume: true, steps: 2 };
    for (const pretrained of ["none", "nsfwjs/mobilenetv2-1.4"]) {
      await expect(run(out, { ...resume, pretrained })).rejects.toMatchObject({ code: "checkpoint-mismatch" });
    }
    vi.stubEnv("FCN_CACHE", join(root, "empty"));
    const again = await run(out, { ...resume, pretrained: "auto" });
    expect(again).toMatchObject({ resumedFrom: 1, done: 2, configuration: { weights: configuration.weights } });
  });

  it("starts from random weights where none are here, and says how to have others", async () => {
    const small = { modelOptions: { widthMultiplier: 0.25 } };
    const random = await run("random", { ...small, pretrained: "auto" });
    expect(random.configuration.weights).toBeUndefined();
    expect(lines).toContain("starting from random weights: none are published for this fcn16s-mobilenetv2");
    await run("resnet", { model: "fcn32s-resnet18", pretrained: "auto", modelOptions: {} });
    expect(lines).toContain('starting from random weights; for pretrained ones: pretrained: "default" fetches them');
    await run("none", { ...small, pretrained: "none" });
    expect((await readFile(weightsOf("none"))).equals(await readFile(weightsOf("random")))).toBe(true);
    expect(lines.join()).not.toContain("starting from");
  });

  it("takes the net of whole weights, and says what does not go together", async () => {
    await mkdir(join(root, "whole"), { recursive: true });
    vi.stubEnv("FCN_CACHE", join(root, "whole"));
    await writeFile(join(root, "whole/fcn32s-heavy-pascal.caffemodel"), "x");
    const wrong: [Partial<fcn.TrainRunOptions>, RegExp][] = [
      // The file is opened for the net that it is of.
      [{ pretrained: "berkeley/fcn32s-heavy-pascal" }, /fcn32s-heavy-pascal\.caffemodel/],
      [{ pretrained: "berkeley/fcn32s-heavy-pascal", model: "fcn8s-vgg16" }, /are of fcn32s-vgg16, not of fcn8s-vgg16/],
      [{ pretrained: "default", model: "fcn8s-small" }, /no pretrained weights are published for fcn8s-small/],
      [{ pretrained: "default", weights: "x.safetensors", model: "fcn8s-small" }, /cannot be used together/],
      [{ pretrained: "yes" }, /pretrained is "yes", expected default, auto, none/],
      [{ pretrained: NAME, modelOptions: { widthMultiplier: 0.5 } }, /do not fit fcn16s-mobilenetv2/],
    ];
    for (const [options, message] of wrong) await expect(run("wrong", options)).rejects.toThrow(message);
  });
});
