import { access } from "node:fs/promises";
import { join } from "node:path";
import * as fcn from "@fcn/core";
import { createDevice, type Device } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { greyPng, rgbPng, temporaryFolder, writeTree } from "../data/trees.js";
import { tinyRun } from "./tinyRun.js";

const root = await temporaryFolder("fcn-nothing");
let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

const SIDE = 64;

const SQUARE = { height: SIDE, width: SIDE };

/** A sample whose labels a function gives. */
const sample = (name: string, label: (x: number, y: number) => number): fcn.data.SegmentationSample => ({
  name,
  image: { data: Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, i) => (i * 37) % 251), ...SQUARE, channels: 3 },
  labels: Uint8Array.from({ length: SIDE * SIDE }, (_, i) => label(i % SIDE, Math.floor(i / SIDE))),
});

async function train(samples: readonly fcn.data.SegmentationSample[], extra: Partial<fcn.TrainOptions> = {}) {
  using model = fcn.models.create("fcn8s-small", device, { numClasses: extra.numClasses ?? 3, widthMultiplier: 0.25 });
  const told: string[] = [];
  const base = { model, data: samples, preprocessing: fcn.data.IMAGENET_MEAN, numClasses: 3, steps: 4, readEvery: 1 };
  const onWarning = (text: string): void => void told.push(text);
  const error = await fcn.train({ ...base, learningRate: 1e-3, onWarning, ...extra }).then(
    ({ nothingLearned }) => nothingLearned,
    (cause: unknown) => cause,
  );
  return { error, told };
}

describe("a training in which nothing is learned", () => {
  const isVoid = [sample("void", () => 255)];
  const halves = [sample("halves", (x) => (x < 32 ? 0 : 1))];

  it("tells within the first steps that all labels are void, and says so at the end", async () => {
    const { error, told } = await train(isVoid);
    expect(told).toEqual([expect.stringMatching(/^no pixel of the first 3 steps has a label: all are void.*--crop/)]);
    expect(error).toMatchObject({
      code: "nothing-learned",
      message: expect.stringMatching(/has a label: all are void/),
    });
    const short = await train(isVoid, { steps: 1 });
    expect(short.told[0]).toMatch(/of the first step has a label/);
    expect(short.error).toMatchObject({ code: "nothing-learned" });
  });

  it("says so of class weights of 0, of a sampling that keeps nothing, and of one class alone", async () => {
    const weighted = await train(halves, { classWeights: [0, 0, 1] });
    expect(weighted.told).toEqual([expect.stringMatching(/all classes in them have a weight of 0 \(0, 0, 1\)/)]);
    expect(weighted.error).toMatchObject({ code: "nothing-learned" });
    const sampled = await train(halves, { lossSampling: { probability: 1e-12 } });
    expect(sampled.told).toEqual([expect.stringMatching(/that lossSampling keeps \(probability 1e-12\) has a label/)]);
    const single = await train([sample("one", () => 0)], { numClasses: 1 });
    expect(single.error).toMatchObject({ code: "nothing-learned", message: expect.stringMatching(/with one class/) });
  });

  it("says so of rates of 0, of a loss that is 0 everywhere, and of a loss that stays the same", async () => {
    const layers = { "*": { lr: 0 } };
    expect((await train(halves, { multipliers: { layers } })).error).toMatchObject({ code: "nothing-learned" });
    const zero = await train(halves, { loss: { kind: "ohem", threshold: 1e-9, minKept: 0 } });
    expect(zero.error).toMatchObject({ message: expect.stringMatching(/loss was 0 at every step.*ohem/) });
    const still = { learningRate: 1e-30, mirror: false, weightDecay: 0 };
    // A net whose scores start at 0 and that learns slowly may stay at one loss for some steps.
    expect((await train(halves, { ...still, steps: 5, readEvery: 1 })).error).toBeUndefined();
    const constant = await train(halves, { ...still, steps: 20, readEvery: 1 });
    expect(constant.error).toMatchObject({ message: expect.stringMatching(/loss was [\d.]+ at every reading/) });
  });

  it("is none where some pixel counts, in a step of its own", async () => {
    const { error, told } = await train([...isVoid, ...halves], { steps: 6 });
    expect(error).toBeUndefined();
    expect(told.length).toBeLessThanOrEqual(1);
    expect(await train(halves)).toEqual({ error: undefined, told: [] });
  });

  it("leaves its weights in the folder of a run, and a run that goes on says the same", async () => {
    const files: Record<string, Uint8Array | string> = { "classes.json": '["a", "b"]' };
    for (let i = 0; i < 6; i++) {
      files[`images/${i}.png`] = rgbPng(80, 80, (x, y) => (x * 3 + y * 5 * (i + 1)) % 0xffffff);
      files[`masks/${i}.png`] = greyPng(80, 80, (x, y) => (y === 0 && x < 2 ? x : 255));
    }
    const data = join(root, "corners");
    await writeTree(data, files);
    const out = join(root, "run");
    const lines: string[] = [];
    const view = { line: (text: string): void => void lines.push(text) };
    const options = { ...tinyRun(data, device), out, crop: [8, 8] as const, steps: 4, readEvery: 1, view };
    const running = fcn.trainRun(options);
    await expect(running).rejects.toMatchObject({ code: "nothing-learned" });
    expect(lines).toContainEqual(expect.stringMatching(/^warning: no pixel of the first 3 steps has a label/));
    await access(join(out, "weights.safetensors"));
    await access(join(out, "report.html"));
    await expect(fcn.trainRun({ ...options, resume: true })).rejects.toMatchObject({ code: "nothing-learned" });
  });
});
