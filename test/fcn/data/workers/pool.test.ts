import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { data } from "@fcn/core";
import { TensorError } from "@fcn/tensor";
import { describe, expect, it } from "vitest";
import { createPool, ThreadPool } from "../../../../packages/fcn/src/data/workers/pool.js";
import { pooledSamples } from "../../../../packages/fcn/src/data/workers/samples.js";
import { greyPng, rgbPng, temporaryFolder, writeTree } from "../trees.js";

const root = await temporaryFolder("pool");
const file = join(root, "m.png");
await writeTree(root, { "m.png": greyPng(3, 3, (x) => x) });
const workerFile = new URL("../../../../packages/fcn/dist/data/workers/worker.js", import.meta.url);
const keysOf = async (pool: { run(task: "survey", file: string): Promise<{ keys: readonly number[] }> }) =>
  (await pool.run("survey", file)).keys;

describe("a pool of workers", () => {
  it("replaces a worker that dies; its task fails, the others go on", async () => {
    let started = 0;
    const pool = new ThreadPool(1, () => {
      if (started++ === 0) return new Worker("setTimeout(() => process.exit(3), 50)", { eval: true });
      return new Worker(workerFile);
    });
    try {
      const returns = await Promise.allSettled([keysOf(pool), keysOf(pool), keysOf(pool)]);
      const failed = returns.filter(({ status }) => status === "rejected");
      // A worker holds two tasks at a time.
      expect(failed).toHaveLength(2);
      expect((failed[0] as PromiseRejectedResult).reason).toMatchObject({
        code: "worker-died",
        message: expect.stringContaining("it exited with code 3"),
      });
      expect(returns[2]).toEqual({ status: "fulfilled", value: [0, 1, 2] });
      expect(started).toBe(2);
    } finally {
      await pool.close();
    }
  });

  it("hands errors over whole, with and without threads", async () => {
    for (const size of [0, 1]) {
      const pool = await createPool(size);
      const failure = await pool.run("survey", join(root, "absent.png")).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(TensorError);
      expect(failure).toMatchObject({
        code: "missing-data",
        message: `${join(root, "absent.png")}: it does not exist`,
        fix: "check the path",
      });
      await pool.close();
    }
  });

  it("decodes samples as they are, and keeps those in memory out of it", async () => {
    const files = { "a.png": rgbPng(5, 7, (x, y) => 9 * x + 1000 * y), "b.png": greyPng(5, 7, (x, y) => (x + y) % 3) };
    await writeTree(root, files);
    const labels = { kind: "png", file: join(root, "b.png"), rule: data.indexRule(3) } as const;
    const items = [
      { name: "a", image: [{ file: join(root, "a.png"), as: "rgb" }], labels, more: { again: labels } },
    ] as const;
    const looks = { classes: ["x", "y", "z"], palette: [] };
    const dataset = data.fileDataset(items, looks);
    const whole = await dataset.load(0);
    expect(whole.more?.again).toHaveLength(35);
    for (const size of [0, 1]) {
      const pool = await createPool(size);
      const samples = pooledSamples(dataset, pool);
      expect(samples.length).toBe(1);
      // Twice: what was handed over must not have been shared.
      expect([await samples.load(0), await samples.load(0)]).toEqual([whole, whole]);
      await pool.close();
      await expect(samples.load(0)).rejects.toMatchObject({ code: "closed" });
    }
    const inMemory = data.sampleDataset([whole], looks);
    expect(pooledSamples(inMemory, await createPool(1))).toBe(inMemory);
  });

  it("rejects what it can no longer do when it is closed", async () => {
    const pool = await createPool(2);
    const running = Promise.allSettled([keysOf(pool), keysOf(pool), keysOf(pool), keysOf(pool), keysOf(pool)]);
    await pool.close();
    for (const answer of await running) expect(answer).toMatchObject({ reason: { code: "closed" } });
    await expect(keysOf(pool)).rejects.toMatchObject({ code: "closed" });
    await expect(createPool(-1)).rejects.toThrow("workers is -1");
  });
});
