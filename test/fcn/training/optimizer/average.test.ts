import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as fcn from "@fcn/core";
import { createDevice, type Device, io } from "@fcn/tensor";
import { setRepeating } from "@fcn/tensor/internal";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fcn as command } from "../../../support/deviceCommandLine.js";
import { stripes } from "../../data/samples.js";
import { temporaryFolder } from "../../data/trees.js";
import { changed, type HostWeights, weightsOf } from "../states.js";
import { writeTinyData } from "../tinyData.js";
import { tinyRun } from "../tinyRun.js";

const root = await temporaryFolder("fcn-average");
const data = await writeTinyData(join(root, "data"), 6);
const samples = [2, 3, 4, 5].map((shift) => stripes(`stripes ${shift}`, 32, 2, shift));
const preprocessing = fcn.data.measurePreprocessing(samples);

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

/** Trains a small net for 12 steps. Returns its weights before, after each step, and at the end. */
async function trained(options: Partial<fcn.TrainOptions>, isRepeating = true) {
  setRepeating(device, isRepeating);
  using model = fcn.models.create("fcn8s-small", device, { numClasses: 2, seed: 4, widthMultiplier: 0.25 });
  const start = await weightsOf(model);
  const steps: HostWeights[] = [];
  try {
    await fcn.train({
      ...{ model, data: samples, preprocessing, numClasses: 2, batchSize: 2, learningRate: 0.05, seed: 5, steps: 12 },
      ...{ readEvery: 1, onProgress: async () => void steps.push(await weightsOf(model)) },
      ...options,
    });
    return { start, steps, end: await weightsOf(model) };
  } finally {
    setRepeating(device, true);
  }
}

describe("training with ema", () => {
  it("ends with the average of weights and statistics, and learns as without, recorded or not", async () => {
    const [plain, own, eager] = [await trained({}), await trained({ ema: 0.7 }), await trained({ ema: 0.7 }, false)];
    expect(own.steps).toEqual(plain.steps);
    expect(own.end).toEqual(eager.end);
    const names = Object.keys(own.start);
    expect(names.filter((name) => /running_(mean|var)/.test(name)).length).toBeGreaterThan(1);
    for (const name of names) {
      const average = Float64Array.from(own.start[name]!);
      own.steps.forEach((weights, i) => {
        const kept = Math.min(0.7, (2 + i) / (11 + i));
        for (const [j, value] of average.entries()) average[j] = kept * value + (1 - kept) * weights[name]![j]!;
      });
      const size = Math.max(...average.map(Math.abs));
      const distances = average.map((value, j) => Math.abs(own.end[name]![j]! - value));
      expect(Math.max(...distances), name).toBeLessThan(2e-6 * size + 1e-9);
    }
    expect(changed(own.end, own.steps.at(-1)!).length).toBeGreaterThan(10);
  });

  it("leaves out float16 steps as the weights do", async () => {
    const { start, steps, end } = await trained({
      ema: 0.7,
      precision: "float16",
      reduction: "sum",
      learningRate: 1e-5,
    });
    expect(changed(start, end).length).toBeGreaterThan(10);
    for (const values of Object.values(end)) expect(values.every(Number.isFinite)).toBe(true);
    // The first scale is too large for these gradients.
    expect(changed(start, steps[0]!).filter((name) => name.endsWith("weight"))).toEqual([]);
  });
});

describe("a run with ema", () => {
  const base = () => {
    const pace = { readEvery: 2, validateEvery: 2, checkpointEvery: 3, schedule: "fixed", ema: 0.8 } as const;
    return { ...tinyRun(data, device), ...pace };
  };
  const weights = (out: string, name = "weights") => io.readSafetensors(join(out, `${name}.safetensors`));

  it("scores and saves the average, says so, and goes on with the bits of one that never stopped", async () => {
    const [straight, parts, without] = ["straight", "parts", "without"].map((name) => join(root, name)) as [
      string,
      string,
      string,
    ];
    const { best, configuration } = await fcn.trainRun({ ...base(), out: straight, steps: 9 });
    expect(configuration.ema).toBe(0.8);
    const { model, metadata } = await fcn.loadModel(join(straight, "best.safetensors"), device);
    const val = await fcn.data.loadAll((await fcn.data.open(data)).splits.val!);
    expect(await fcn.evaluate(model, val, { ...metadata, numClasses: 3 })).toEqual(best?.scores);
    model.dispose();
    expect(await readFile(join(straight, "report.html"), "utf8")).toContain("moving averages with a decay of 0.8");
    // A checkpoint between two readings, and one that waits for its validation.
    for (const at of [3, 6]) {
      const stop = new AbortController();
      const view = { progress: ({ step }: fcn.TrainProgress) => step === at && stop.abort() };
      const run = { ...base(), out: parts, steps: 9, resume: at > 3, view, signal: stop.signal };
      expect(await fcn.trainRun(run)).toMatchObject({ stopped: true, done: at });
    }
    await fcn.trainRun({ ...base(), out: parts, steps: 9, resume: true });
    for (const name of ["weights", "best"]) expect(await weights(parts, name)).toEqual(await weights(straight, name));
    expect(await readFile(join(parts, "metrics.csv"))).toEqual(await readFile(join(straight, "metrics.csv")));
    const { ema: _, ...plain } = base();
    await fcn.trainRun({ ...plain, out: without, steps: 9 });
    expect(await weights(without)).not.toEqual(await weights(straight));
    await expect(fcn.trainRun({ ...plain, out: straight, steps: 9, resume: true })).rejects.toThrow(
      /ema was 0.8 and is none/,
    );
  });

  it("is refused with a decay that keeps nothing or everything", async () => {
    const flags = ["train", "--data", data, "--model", "fcn8s-small", "--out", join(root, "none"), "--ema", "1"];
    expect(await command(flags)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^error: --ema is "1"\nfix: use a number between 0 and 1, such as 0.999\n/),
    });
    await expect(fcn.trainRun({ ...base(), out: join(root, "none"), ema: 0 })).rejects.toThrow(/ema is 0/);
  });
});
