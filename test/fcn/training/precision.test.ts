import { readdir } from "node:fs/promises";
import { join } from "node:path";
import * as fcn from "@fcn/core";
import { createDevice, type Device, io, type optim } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stripes } from "../data/samples.js";
import { temporaryFolder } from "../data/trees.js";
import { changed, weightsOf } from "./states.js";
import { writeTinyData } from "./tinyData.js";
import { tinyRun } from "./tinyRun.js";

const root = await temporaryFolder("fcn-precision");
const data = await writeTinyData(join(root, "data"));
const samples = [2, 3, 4, 5].map((shift) => stripes(`stripes ${shift}`, 32, 2, shift));
const preprocessing = fcn.data.measurePreprocessing(samples);
const settings = { data: samples, preprocessing, numClasses: 2, batchSize: 4, learningRate: 0.05, seed: 5, steps: 40 };
const HALF = { precision: "float16" } as const;

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

/** Trains a small net. Returns its losses, weights before and after, and what the scaler says at the end. */
async function trained(options: Partial<fcn.TrainOptions>, name = "fcn8s-small", widthMultiplier = 0.25) {
  using model = fcn.models.create(name, device, { numClasses: 2, seed: 4, widthMultiplier });
  const start = await weightsOf(model);
  let last: { scale: number; skipped: optim.SkippedSteps } | undefined;
  const { losses } = await fcn.train({
    ...settings,
    model,
    readEvery: 1,
    ...options,
    onProgress: async (_, __, scaler) => {
      last = { scale: await scaler.getScale(), skipped: await scaler.getSkippedSteps() };
    },
  });
  return { losses: losses.map(({ loss }) => loss), start, weights: await weightsOf(model), ...last! };
}

const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

describe("training in float16", () => {
  it.each([
    ["sgd", 0.05],
    ["adamw", 0.005],
  ] as const)("by %s goes the way of float32, without its bits", async (optimizer, learningRate) => {
    const wide = await trained({ optimizer, learningRate });
    const half = await trained({ optimizer, learningRate, ...HALF });
    expect(half.losses).not.toEqual(wide.losses);
    // The first losses are of the same weights.
    expect(Math.abs(half.losses[0]! - wide.losses[0]!)).toBeLessThan(2e-3);
    const [from, to] = [meanOf(wide.losses.slice(0, 5)), meanOf(wide.losses.slice(-5))];
    expect(to).toBeLessThan(0.8 * from);
    expect(Math.abs(meanOf(half.losses.slice(-5)) - to)).toBeLessThan(0.1 * to);
    expect(changed(half.start, half.weights).length).toBeGreaterThan(10);
    expect([wide.scale, half.scale]).toEqual([1, 65536]);
    expect(half.skipped).toEqual({ inARow: 0, total: 0 });
  });

  it("leaves out steps whose gradients overflow, and lowers the scale until they fit", async () => {
    // A pixel's gradient is up to 1, and times the first scale it is no longer finite.
    const { losses, scale, skipped, start, weights } = await trained({
      ...{ reduction: "sum", learningRate: 1e-5, steps: 12, ...HALF },
    });
    expect(skipped.total).toBeGreaterThan(0);
    expect(skipped.inARow).toBe(0);
    expect(scale).toBe(65536 / 2 ** skipped.total);
    expect(losses.every(Number.isFinite)).toBe(true);
    expect(losses[1]).toBe(losses[0]);
    expect(losses.at(-1)).toBeLessThan(losses[0]!);
    expect(changed(start, weights).length).toBeGreaterThan(10);
    for (const values of Object.values(weights)) expect(values.every(Number.isFinite)).toBe(true);
  });

  it("leaves out steps whose loss is not finite, and ends when there are too many", async () => {
    const std = [1e-4, 1e-4, 1e-4] as const;
    const huge = { ...HALF, preprocessing: { ...preprocessing, std }, momentum: 0.9 };
    const few = await trained({ ...huge, steps: 12 }, "fcn32s-vgg16", 1 / 16);
    expect(few.losses.every(Number.isNaN)).toBe(true);
    expect(few.skipped).toEqual({ inARow: 12, total: 12 });
    expect(changed(few.start, few.weights)).toEqual([]);
    const steps: number[] = [];
    const readAt = (step: number): boolean => step > 19 && steps.push(step) > 0;
    const ended = trained({ ...huge, steps: 40, readEvery: 100, readAt }, "fcn32s-vgg16", 1 / 16);
    await expect(ended).rejects.toMatchObject({
      code: "diverged",
      message: expect.stringContaining("the last 20 steps up to step 20, on stripes"),
      fix: expect.stringContaining('precision: "float32"'),
      commandFix: expect.stringContaining("--precision float32"),
    });
    expect(steps).toEqual([20]);
  });

  it("is refused before any work where the device has no halves", async () => {
    const without = await createDevice({ quiet: true, float16: false });
    using model = fcn.models.create("fcn8s-small", without, { numClasses: 2, widthMultiplier: 0.25 });
    let batches = 0;
    const stream: fcn.BatchStream = {
      next: async () => {
        batches++;
        throw new Error("a batch was asked for");
      },
    };
    const options = { ...settings, model, ...HALF };
    await expect(fcn.train({ ...options, data: stream })).rejects.toMatchObject({ code: "unsupported" });
    expect(batches).toBe(0);
    const out = join(root, "refused");
    const run = fcn.trainRun({ ...tinyRun(data, without), out, steps: 1, ...HALF });
    await expect(run).rejects.toMatchObject({ code: "unsupported", fix: expect.stringContaining("float32") });
    expect(await readdir(root)).not.toContain("refused");
    without.destroy();
    const other = { ...settings, model, precision: "half" as fcn.Precision };
    await expect(fcn.train(other)).rejects.toThrow(/precision is "half", expected one of: float32, float16/);
  });
});

describe("a run in float16", () => {
  const base = (): Omit<fcn.TrainRunOptions, "out"> => ({ ...tinyRun(data, device), steps: 8, ...HALF });

  async function lastCheckpoint(out: string): Promise<Record<string, Float32Array>> {
    const names = await readdir(join(out, "checkpoint"));
    const arrays = await io.readSafetensors(join(out, "checkpoint", names[0] as string));
    return Object.fromEntries(
      Object.entries(arrays).map(([name, { data }]) => [name, Float32Array.from(data as never)]),
    );
  }

  it.each(["sgd", "adamw"] as const)(
    "by %s goes on from its checkpoint to the bit, steps left out too",
    async (optimizer) => {
      const options = { ...base(), optimizer, reduction: "sum", learningRate: 1e-5, clipNorm: 1000 } as const;
      const [whole, parts] = [join(root, `whole ${optimizer}`), join(root, `parts ${optimizer}`)];
      await fcn.trainRun({ ...options, out: whole });
      const stop = new AbortController();
      const progress = ({ step }: fcn.TrainProgress): void => {
        if (step === 1) stop.abort();
      };
      const first = fcn.trainRun({
        ...options,
        out: parts,
        checkpointEvery: 1,
        signal: stop.signal,
        readEvery: 10,
        view: { progress },
      });
      expect(await first).toMatchObject({ done: 1, stopped: true });
      expect((await lastCheckpoint(parts))["scaler.counts"]).toEqual(Float32Array.of(0, 0, 1, 1));
      expect(await fcn.trainRun({ ...options, out: parts, resume: true, readEvery: 10 })).toMatchObject({
        resumedFrom: 1,
      });
      const [want, got] = [await lastCheckpoint(whole), await lastCheckpoint(parts)];
      expect(Object.keys(got).sort()).toEqual(Object.keys(want).sort());
      expect(changed(want, got)).toEqual([]);
      expect(want["scaler.scale"]![0]).toBeLessThan(65536);
      expect(want["optimizer.0.taken"]).toHaveLength(8);
    },
  );

  it("is scored in float32, and goes on in float16 only", async () => {
    const out = join(root, "scored");
    const { best, configuration } = await fcn.trainRun({ ...base(), out, validateEvery: 8 });
    expect(configuration.precision).toBe("float16");
    const { model, metadata } = await fcn.loadModel(join(out, "best.safetensors"), device);
    const { val } = (await fcn.data.open(data)).splits;
    const scores = await fcn.evaluate(model, await fcn.data.loadAll(val!), { ...metadata, numClasses: 3 });
    expect(scores).toEqual(best?.scores);
    model.dispose();
    const again = { ...base(), out, validateEvery: 8, steps: 9, resume: true };
    await expect(fcn.trainRun({ ...again, precision: "float32" })).rejects.toMatchObject({
      code: "checkpoint-mismatch",
      message: expect.stringContaining('precision was "float16" and is "float32"'),
    });
    expect(await fcn.trainRun(again)).toMatchObject({ done: 9, resumedFrom: 8 });
  });
});
