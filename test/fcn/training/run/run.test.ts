import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as fcn from "@fcn/core";
import { createDevice, type Device, io } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../data/trees.js";
import { TINY_CLASSES, writeTinyData } from "../tinyData.js";
import { tinyRun } from "../tinyRun.js";

const root = await temporaryFolder("fcn-run");
const data = await writeTinyData(join(root, "data"));

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

const base = (): Omit<fcn.TrainRunOptions, "out"> => tinyRun(data, device);

/** All arrays of the only checkpoint in the folder of a run. */
async function lastCheckpoint(out: string): Promise<Record<string, io.HostArray>> {
  const names = await readdir(join(out, "checkpoint"));
  expect(names).toHaveLength(1);
  return io.readSafetensors(join(out, "checkpoint", names[0] as string));
}

const bits = ({ data: values }: io.HostArray): Buffer => {
  const { buffer, byteOffset, byteLength } = values as Float32Array;
  return Buffer.from(buffer, byteOffset, byteLength);
};

function expectSameBits(a: Record<string, io.HostArray>, b: Record<string, io.HostArray>): void {
  expect(Object.keys(a).sort()).toEqual(Object.keys(b).sort());
  const different = Object.keys(a).filter((name) => !bits(a[name]!).equals(bits(b[name]!)));
  expect(different).toEqual([]);
}

describe("trainRun", () => {
  it("learns, and leaves files that say all that is needed to use them", async () => {
    const out = join(root, "learns");
    const seen: number[] = [];
    const view = { validation: (step: number) => void seen.push(step) };
    const result = await fcn.trainRun({ ...base(), out, steps: 60, validateEvery: 20, view });
    expect(seen).toEqual([20, 40, 60]);
    expect(result).toMatchObject({ steps: 60, done: 60, resumedFrom: 0, classes: TINY_CLASSES });
    expect(result.best?.scores.meanIU).toBeGreaterThan(0.5);
    // A run does more than steps, and steps do more than wait.
    expect(result.waited).toBeLessThanOrEqual(result.stepping);
    expect(result.stepping).toBeGreaterThan(0);
    expect(result.stepping).toBeLessThan(result.seconds);
    expect((await readdir(out)).sort()).toEqual(
      [
        "best.safetensors",
        "checkpoint",
        "config.json",
        "metrics.csv",
        "report.html",
        "tensorboard",
        "weights.safetensors",
      ].sort(),
    );
    const { model, metadata } = await fcn.loadModel(join(out, "best.safetensors"), device);
    const { val } = (await fcn.data.open(data)).splits;
    const scores = await fcn.evaluate(model, await fcn.data.loadAll(val!), { ...metadata, numClasses: 3 });
    expect(scores).toEqual(result.best?.scores);
    model.dispose();
    const csv = (await readFile(join(out, "metrics.csv"), "utf8")).trim().split("\n");
    expect(csv).toHaveLength(1 + 6);
    expect(csv[2]).toMatch(/^20,[\d.]+,[\d.e-]+,[\d.]+,[\d.]+,[\d.]+,[\d.]+,[\d.]+$/);
    const html = await readFile(join(out, "report.html"), "utf8");
    for (const part of [
      "Training and validation loss",
      "mean IU",
      "Confusion",
      "Worst images",
      "Best images",
      "learningRate",
      "adapter",
    ]) {
      expect(html).toContain(part);
    }
    for (const name of TINY_CLASSES) expect(html).toContain(name);
    expect(html).not.toMatch(/(src|href)="(?!data:)/);
    expect(html).not.toMatch(/https?:\/\/(?!www\.w3\.org)/);
  });

  it.each([
    ["AdamW", { augmentation: { scale: [0.8, 1.25], colour: { brightness: 0.2 } }, crop: [32, 32] }],
    [
      "SGD with warm-up, accumulation and draws with replacement",
      { optimizer: "sgd", warmUp: 6, accumulationSteps: 2, clipNorm: 1, loss: "focal", order: "replacement" },
    ],
  ] as const)("goes on from a checkpoint with the bits of a run that never stopped: %s", async (name, extra) => {
    const dropout = { widthMultiplier: 0.25, dropout: 0.5 };
    // In the middle of an epoch, and of a net whose dropout draws masks.
    const options = {
      ...base(),
      ...extra,
      model: "fcn16s-small",
      modelOptions: dropout,
      steps: 20,
      readEvery: 5,
      batchSize: 3,
    };
    const [straight, stopped] = [join(root, `straight ${name}`), join(root, `stopped ${name}`)];
    await fcn.trainRun({ ...options, out: straight });
    const stop = new AbortController();
    const view = { progress: ({ step }: fcn.TrainProgress) => void (step === 10 && stop.abort()) };
    const first = await fcn.trainRun({ ...options, out: stopped, signal: stop.signal, view });
    expect(first.done).toBe(10);
    const second = await fcn.trainRun({ ...options, out: stopped, resume: true });
    expect(second).toMatchObject({ resumedFrom: 10, done: 20 });
    expectSameBits(await lastCheckpoint(straight), await lastCheckpoint(stopped));
    for (const file of ["weights.safetensors", "best.safetensors"]) {
      expectSameBits(await io.readSafetensors(join(straight, file)), await io.readSafetensors(join(stopped, file)));
    }
    const metrics = (out: string): Promise<string> => readFile(join(out, "metrics.csv"), "utf8");
    expect(await metrics(stopped)).toBe(await metrics(straight));
  });

  it("refuses a checkpoint of another run, and a folder with a run", async () => {
    const out = join(root, "refuses");
    const options = { ...base(), out, steps: 4, batchSize: 2 };
    await fcn.trainRun(options);
    await expect(fcn.trainRun(options)).rejects.toMatchObject({ code: "run-exists" });
    await expect(fcn.trainRun({ ...options, resume: true, learningRate: 0.5 })).rejects.toMatchObject({
      code: "checkpoint-mismatch",
      message: expect.stringContaining("learningRate was 0.01 and is 0.5"),
    });
    await expect(fcn.trainRun({ ...options, resume: true, order: "replacement" })).rejects.toMatchObject({
      code: "checkpoint-mismatch",
      message: expect.stringContaining('order was "shuffle" and is "replacement"'),
    });
    const again = await fcn.trainRun({ ...options, resume: true });
    expect(again).toMatchObject({ done: 4, resumedFrom: 4 });
  });

  it("goes on without the file of weights that it was started from, named or not", async () => {
    using old = fcn.models.create("fcn8s-small", device, { numClasses: 3, seed: 9, widthMultiplier: 0.125 });
    const weights = join(root, "start.safetensors");
    const fitting = { channelOrder: "rgb", mean: [90, 80, 70], std: [50, 50, 50] } as const;
    await fcn.saveModel(weights, old, {
      ...{ model: "fcn8s-small", options: { numClasses: 3, widthMultiplier: 0.125 }, preprocessing: fitting },
      ...{ classes: TINY_CLASSES, palette: [] },
    });
    const { model: _, modelOptions: __, ...unnamed } = base();
    const options = { ...unnamed, steps: 6, readEvery: 1, checkpointEvery: 1 };
    const [straight, stopped] = [join(root, "straight start"), join(root, "stopped start")];
    await fcn.trainRun({ ...options, weights, out: straight });
    const resume = async (extra: Partial<fcn.TrainRunOptions>, until: number): Promise<fcn.TrainRunResult> => {
      const stop = new AbortController();
      const view = { progress: ({ step }: fcn.TrainProgress) => void (step === until && stop.abort()) };
      return fcn.trainRun({ ...options, ...extra, out: stopped, resume: true, signal: stop.signal, view });
    };
    // There is no checkpoint yet: the weights are taken as by a run that does not go on.
    expect((await resume({ weights }, 2)).resumedFrom).toBe(0);
    // Elsewhere it is still the same file, and another one is another.
    const copy = join(root, "copy of start.safetensors");
    await rename(weights, copy);
    expect((await resume({ weights: copy }, 3)).done).toBe(3);
    const arrays = await io.readSafetensors(copy);
    arrays["conv1_1.weight"]!.data[0] = 7;
    await io.writeSafetensors(weights, arrays, { metadata: await io.readSafetensorsMetadata(copy) });
    await expect(resume({ weights }, 4)).rejects.toThrow(/another run: weights was /);
    await rm(weights);
    const { configuration, done } = await resume({ weights }, 4);
    expect(done).toBe(4);
    expect(configuration).toMatchObject({ modelOptions: { widthMultiplier: 0.125 }, preprocessing: fitting });
    await expect(resume({ weights: join(root, "other.safetensors") }, 6)).rejects.toThrow(/weights was .*start/);
    await expect(resume({ modelOptions: { widthMultiplier: 0.25 } }, 6)).rejects.toThrow(/modelOptions was/);
    await expect(resume({ model: "fcn16s-small" }, 6)).rejects.toThrow(/model was "fcn8s-small" and is "fcn16s-small"/);
    expect((await resume({}, 6)).done).toBe(6);
    expectSameBits(await lastCheckpoint(straight), await lastCheckpoint(stopped));
    const gone = { ...options, weights, out: join(root, "gone") };
    await expect(fcn.trainRun(gone)).rejects.toThrow(/start\.safetensors/);
  });

  it("says when it goes on on another adapter, and remembers both", async () => {
    const out = join(root, "adapters");
    const run = async (until: number, extra: Partial<fcn.TrainRunOptions> = {}): Promise<string[]> => {
      const told: string[] = [];
      const stop = new AbortController();
      const view: fcn.TrainRunView = {
        line: (text) => void told.push(text),
        progress: ({ step }) => void (step === until && stop.abort()),
      };
      await fcn.trainRun({ ...base(), out, steps: 4, readEvery: 1, signal: stop.signal, view, ...extra });
      return told.filter((text) => text.includes("steps so far"));
    };
    const checkpoint = async () => {
      const file = join(out, "checkpoint", (await readdir(join(out, "checkpoint")))[0] as string);
      return { file, metadata: await io.readSafetensorsMetadata(file), arrays: await io.readSafetensors(file) };
    };
    expect([await run(1), await run(2, { resume: true })]).toEqual([[], []]);
    const { file, metadata, arrays } = await checkpoint();
    const [own] = JSON.parse(metadata.adapters ?? "") as string[];
    expect(own).toContain(device.info.description);
    await io.writeSafetensors(file, arrays, { metadata: { ...metadata, adapters: '["Another GPU"]' } });
    expect(await run(3, { resume: true })).toEqual([
      `the steps so far were made on Another GPU, these are on ${own}: the result may differ in its last bits`,
    ]);
    expect(JSON.parse((await checkpoint()).metadata.adapters ?? "")).toEqual(["Another GPU", own]);
  });

  it("draws with replacement, and weighs classes by median frequency, where it is told to", async () => {
    const opened = await fcn.data.open(data);
    const train = opened.splits.train!;
    const drawn: number[] = [];
    const { item: _, ...inMemory } = train;
    const load = (i: number): Promise<fcn.data.SegmentationSample> => {
      drawn.push(i);
      return train.load(i);
    };
    const splits = { ...opened.splits, train: { ...inMemory, load } };
    const order = "replacement" as const;
    const run = { ...base(), order, steps: 2, batchSize: 2 };
    await fcn.trainRun({ ...run, data: { ...opened, splits }, out: join(root, "drawn") });
    const plan = { length: train.length, batchSize: 2, order, seed: 3, epoch: 0, dropLast: false, fillLast: true };
    // The first image is looked at before training, and batches are made ahead.
    expect(drawn.slice(1, 5)).toEqual(fcn.data.planEpoch(plan).flat().slice(0, 4));
    const weighted = { ...base(), classWeights: "median" as const, steps: 1 };
    const { configuration } = await fcn.trainRun({ ...weighted, out: join(root, "median") });
    expect(configuration).toMatchObject({
      order: "shuffle",
      classWeights: fcn.classWeights(await fcn.data.loadAll(train), 3, "median"),
    });
    const nameless = { ...weighted, data: { ...opened, splits }, out: join(root, "no median") };
    await expect(fcn.trainRun(nameless)).rejects.toThrow(/classWeights "median" needs a folder/);
    const mistyped = { ...run, order: "random" as "shuffle", out: join(root, "mistyped") };
    await expect(fcn.trainRun(mistyped)).rejects.toThrow(/order is "random"/);
  });

  it("trains on every image of a pass in full batches, and on no more than there are", async () => {
    const opened = await fcn.data.open(data);
    const [all, drawn]: [fcn.data.SegmentationDataset, number[]] = [opened.splits.train!, []];
    const { item: _, ...inMemory } = fcn.data.subset(all, [0, 1, 2, 3, 4]);
    const load = (i: number): Promise<fcn.data.SegmentationSample> => {
      drawn.push(i);
      return all.load(i);
    };
    const splits = { ...opened.splits, train: { ...inMemory, load } };
    const lines: string[] = [];
    const view = { line: (text: string) => void lines.push(text) };
    const few = { ...base(), data: { ...opened, splits }, order: "sequential" as const, view };
    const run = await fcn.trainRun({ ...few, batchSize: 4, epochs: 2, out: join(root, "passes") });
    // Ten images make three batches of four.
    expect(run.steps).toBe(3);
    expect(drawn.slice(1, 13)).toEqual([0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1]);
    expect(lines.filter((text) => text.includes("batches"))).toEqual([]);
    const cut = await fcn.trainRun({ ...few, batchSize: 100, epochs: 1, out: join(root, "cut") });
    expect(cut).toMatchObject({ steps: 1, configuration: { batchSize: 5 } });
    expect(lines).toContain("there are 5 training images: batches of 5 instead of 100");
  });

  it("stops before the first step where the data has problems", async () => {
    const broken = await writeTinyData(join(root, "broken"), 4);
    await writeFile(join(broken, "images/2.png"), "no image");
    const out = join(root, "never");
    await expect(fcn.trainRun({ ...base(), data: broken, out, steps: 2 })).rejects.toMatchObject({
      code: "data-problems",
      message: expect.stringContaining("2.png"),
    });
    expect(await readdir(root)).not.toContain("never");
  });

  it("stops where the loss is no number, names the images, and keeps the last good checkpoint", async () => {
    const out = join(root, "diverges");
    const wild = {
      ...base(),
      out,
      steps: 12,
      readEvery: 1,
      checkpointEvery: 1,
      batchSize: 2,
      optimizer: "sgd" as const,
    };
    const error = await fcn.trainRun({ ...wild, learningRate: 1e18 }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: "diverged",
      message: expect.stringMatching(/became (NaN|-?Infinity) at step \d+, on \d+, \d+, at a learning rate of 10+$/),
    });
    const failed = Number(/at step (\d+)/.exec((error as Error).message)?.[1]);
    const good = await lastCheckpoint(out);
    expect(await readdir(join(out, "checkpoint"))).toEqual([`step-${String(failed - 1).padStart(9, "0")}.safetensors`]);
    for (const { data: values } of Object.values(good))
      expect([...(values as Float32Array)].every(Number.isFinite)).toBe(true);
  });

  it("neither scores nor keeps a net that holds NaN, and names the images", async () => {
    const wild = { ...base(), steps: 2, validateEvery: 1, batchSize: 2, optimizer: "sgd", reduction: "sum" } as const;
    const scored: number[] = [];
    const view = { validation: (step: number) => void scored.push(step) };
    const out = join(root, "nan");
    const error = await fcn.trainRun({ ...wild, learningRate: 1e38, out, view }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: "diverged",
      message: expect.stringMatching(/^train: \S+ holds NaN or infinity after step 1, on \d+, \d+$/),
      fix: expect.not.stringContaining("checkpoint"),
    });
    expect(scored).toEqual([]);
    expect(await readdir(out)).not.toContain("best.safetensors");
  });

  it("takes a recipe by name, with its own rate, batches, loss and order", async () => {
    const out = join(root, "recipe");
    const { learningRate: _, batchSize: __, ...rest } = base();
    const { configuration } = await fcn.trainRun({
      ...rest,
      out,
      recipe: "fcn-heavy",
      steps: 2,
      freezeBatchNorm: true,
    });
    expect(configuration).toMatchObject({
      learningRate: 1e-14,
      batchSize: 1,
      momentum: 0.99,
      reduction: "sum",
      optimizer: "sgd",
      order: "replacement",
    });
  });
});
