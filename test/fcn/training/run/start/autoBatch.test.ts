import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as fcn from "@fcn/core";
import { createDevice, io } from "@fcn/tensor";
import { afterAll, describe, expect, it, vi } from "vitest";
import { fcn as command } from "../../../../support/deviceCommandLine.js";
import { temporaryFolder } from "../../../data/trees.js";
import { TINY_CLASSES, writeTinyData } from "../../tinyData.js";
import { tinyRun } from "../../tinyRun.js";

const root = await temporaryFolder("fcn-auto-batch");
const data = await writeTinyData(join(root, "data"), 14);

// One of this file's own: what other files left on the device that they share would count as needed.
const device = await createDevice({ quiet: true, adapter: "auto" });
afterAll(() => device.destroy());

/** A run of one step, with what it said of its batches. */
async function run(name: string, options: Partial<fcn.TrainRunOptions>) {
  const said: string[] = [];
  const view = { line: (text: string) => void (text.startsWith("images per batch") && said.push(text)) };
  const base = { ...tinyRun(data, device), steps: 1, crop: [96, 96], batchSize: "auto" } as const;
  const { configuration } = await fcn.trainRun({ ...base, ...options, out: join(root, name), view });
  const [, size, needed] = /^images per batch: (\d+): a step takes (\d+) MiB/.exec(said[0] ?? "") ?? [];
  return { said, configuration, size: Number(size), needed: Number(needed) };
}

/**
 * MiB that a device which has done nothing else reserves for the net and steps with so many images: as many steps as a
 * trial makes, none of which is read before the last, so that both have the same ones in the device's queue.
 */
async function peakOfSteps(size: number): Promise<number> {
  const own = await createDevice({ quiet: true, adapter: "auto" });
  try {
    const numClasses = TINY_CLASSES.length;
    const model = fcn.models.create("fcn8s-small", own, { ...tinyRun(data, own).modelOptions, numClasses });
    const [images, labels] = [new Float32Array(size * 3 * 96 * 96), new Int32Array(size * 96 * 96)];
    const batches = { next: async () => ({ value: { images, labels, shape: [size, 3, 96, 96] as const } }) };
    const preprocessing = { channelOrder: "rgb", mean: [0, 0, 0], std: [1, 1, 1] } as const;
    const settings = { optimizer: "adamw", learningRate: 0.01, steps: 2, readEvery: 2 } as const;
    await fcn.train({ ...settings, model, data: batches, preprocessing, numClasses });
    return own.memory().peakReservedBytes / 2 ** 20;
  } finally {
    own.destroy();
  }
}

const weights = (name: string) => io.readSafetensors(join(root, name, "weights.safetensors"));
const optionsOf = async (name: string) => JSON.parse(await readFile(join(root, name, "config.json"), "utf8"));

describe("batches of auto", () => {
  it("are all images where these fit, and give the bits of a run that names their number, also resumed", async () => {
    const all = await run("all", { steps: 2 });
    expect([all.size, all.configuration.batchSize]).toEqual([11, 11]);
    const named = await run("named", { batchSize: 11, steps: 2 });
    expect(named.said).toEqual([]);
    expect(named.configuration).toEqual(all.configuration);
    expect(await weights("named")).toEqual(await weights("all"));
    const options = await optionsOf("all");
    expect(options.batchSize).toBe(11);
    await run("repeated", options);
    expect(await weights("repeated")).toEqual(await weights("all"));
    const resumed = await run("all", { steps: 3, resume: true });
    expect([resumed.said, resumed.configuration.batchSize]).toEqual([[], 11]);
  });

  it("are as many as fit into the memory that is given, by what a step really takes", async () => {
    const { needed: most } = await run("most", { batchMemory: 4096 });
    expect(most).toBeGreaterThan(8);
    const limit = Math.floor(most * 0.7);
    const some = await run("some", { batchMemory: limit });
    expect(some.size).toBeGreaterThan(1);
    expect(some.size).toBeLessThan(11);
    expect(some.needed).toBeLessThanOrEqual(limit);
    const peak = await peakOfSteps(some.size);
    // What is said is rounded up; besides that the run's device has buffers for what it has read before.
    expect(some.needed).toBeGreaterThanOrEqual(peak);
    expect(some.needed).toBeLessThan(peak + 1.5);
  });

  it("end where the device refuses memory, after which the run goes on", async () => {
    const { size: all } = await run("asked", {});
    const sizes: number[] = [];
    // Which request a trial makes depends on the net; the first ones are those of the net and of a single image.
    for (const request of [700, 1100, 1600]) {
      vi.stubEnv("FCN_SIMULATE", `out-of-memory@${request}`);
      const failing = await createDevice({ quiet: true });
      vi.unstubAllEnvs();
      try {
        const { size, configuration } = await run(`refused-${request}`, { device: failing });
        expect(configuration.batchSize).toBe(size);
        sizes.push(size);
      } finally {
        failing.destroy();
      }
    }
    expect(sizes.some((size) => size > 0 && size < all)).toBe(true);
    vi.stubEnv("FCN_SIMULATE", "out-of-memory@200");
    const failing = await createDevice({ quiet: true });
    vi.unstubAllEnvs();
    await expect(run("refused", { device: failing })).rejects.toMatchObject({
      code: "out-of-memory",
      message: "train: the device has not enough memory for a step with one image",
    });
    failing.destroy();
  });

  it("are refused where not even one image fits, and taken by the command, which says what it found", async () => {
    await expect(run("none", { batchMemory: 1 })).rejects.toMatchObject({
      code: "invalid-argument",
      message: expect.stringMatching(/^train: a step with one image takes \d+ MiB on the device, more than the 1 MiB/),
      fix: expect.stringContaining("batchMemory"),
      commandFix: expect.stringContaining("--batch-memory"),
    });
    const flags = ["--model", "fcn32s-small", "--width", "0.25", "--workers", "0", "--steps", "1", "--batch", "auto"];
    const { code, stdout } = await command(["train", "--data", data, "--out", join(root, "command"), ...flags]);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^images per batch: 11: a step takes \d+ MiB of the 4096 MiB that it may \(--batch-memory\)$/m,
    );
    const wrong = await command([
      "train",
      "--data",
      data,
      "--out",
      join(root, "no"),
      ...flags.slice(0, -1),
      "automatic",
    ]);
    expect(wrong.stderr).toMatch(/^error: --batch is "automatic"\nfix: use a whole number .*, or auto/);
  });
});
