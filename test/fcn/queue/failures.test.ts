import { execFileSync } from "node:child_process";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as fcn from "@fcn/core";
import { createDevice } from "@fcn/tensor";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { endWorkers, FcnProcess, QueueServer, SERVERS, sleep, startWorker } from "../../support/queueServer.js";
import { greyPng, rgbPng, temporaryFolder, writeTree } from "../data/trees.js";

const root = await temporaryFolder("fcn-queue-failures");
const weights = join(root, "net.safetensors");
const images = join(root, "images");

async function writeWeights(seed: number): Promise<void> {
  const device = await createDevice({ quiet: true });
  await fcn.saveModel(weights, fcn.models.create("fcn8s-small", device, { numClasses: 2, seed }));
  device.destroy();
}

beforeAll(async () => {
  await writeWeights(1);
  await writeTree(images, {
    "first.png": greyPng(60, 60, (x, y) => (x ^ y) & 255),
    "small.png": rgbPng(40, 40, (x, y) => x * y),
  });
});

describe.skipIf(SERVERS.length === 0)("what fails on a queue", () => {
  let server: QueueServer;
  beforeAll(async () => {
    server = await QueueServer.start(SERVERS[0] as string);
  });
  afterEach(async () => {
    await endWorkers();
    await server.call("FLUSHALL");
  });
  afterAll(() => server.stop());

  const worker = (...flags: string[]): Promise<FcnProcess> =>
    startWorker(server.address, "--root", root, "--patience", "2", ...flags);
  const predicting = (name: string, ...flags: string[]): FcnProcess => {
    const given = ["predict", images, "--weights", weights, "--out", join(root, name), "--queue", server.address];
    return new FcnProcess([...given, "--chunk", "1", ...flags]);
  };
  const jobs = (...flags: string[]): FcnProcess => new FcnProcess(["jobs", "--queue", server.address, ...flags]);
  const idOf = async (asking: FcnProcess): Promise<string> =>
    (await asking.printed(/run ([0-9a-f]{12});/))[1] as string;

  /** Waits until a worker has the first image at work. */
  async function atWork(name: string): Promise<void> {
    for (;;) {
      const { runs } = await fcn.queue.jobs(server.address);
      if (runs[0]?.active.some(({ from, worker: at }) => from === 0 && at === name)) return;
      await sleep(20);
    }
  }

  it("is put aside when it has ended three workers, with its images named, and can be retried", async () => {
    const asking = predicting("deaths");
    const id = await idOf(asking);
    // Whoever reads a pipe into which nobody writes waits until it is killed.
    const path = join(images, "first.png");
    const image = await readFile(path);
    await rm(path);
    execFileSync("mkfifo", [path]);
    for (let death = 0; death < 3; death++) {
      const victim = await worker("--name", `victim-${death}`);
      await atWork(`victim-${death}`);
      await victim.kill();
    }
    await worker("--name", "survivor");
    expect(await asking.code).toBe(1);
    expect(asking.stderr).toMatch(/^error: .*first\.png: .*put aside: it ended 3 workers/m);
    expect(asking.stderr).not.toContain("small.png");
    const { runs } = await fcn.queue.jobs(server.address);
    expect(runs[0]).toMatchObject({ state: "done", aside: [{ k: 0, from: 0, to: 1 }] });
    await rm(path);
    await writeFile(path, image);
    const retrying = jobs("--retry", id);
    expect(await retrying.code).toBe(0);
    const again = new FcnProcess(["predict", "--queue", server.address, "--attach", id]);
    expect(await again.code).toBe(0);
    expect(again.stdout).toContain("2 images in");
  });

  it("ends when it is cancelled, also where no worker is, and leaves nothing in the place for results", async () => {
    const asking = predicting("cancelled");
    const id = await idOf(asking);
    await asking.printed(/no worker is connected; start one: fcn worker --queue/);
    expect(await jobs("--cancel", id).code).toBe(0);
    expect(await asking.code).toBe(1);
    expect(asking.stderr).toContain(`error: predict: run ${id} was cancelled`);
    await expect(readFile(join(root, "cancelled", `.fcn-run-${id}`, "list", "000000.jsonl"))).rejects.toThrow("ENOENT");
    const { runs } = await fcn.queue.jobs(server.address);
    expect(runs[0]).toMatchObject({ id, state: "cancelled", active: [] });
  });

  it("goes on without the command that asked, which Ctrl-C ends with a way back", async () => {
    const asking = predicting("left");
    const id = await idOf(asking);
    await asking.kill("SIGINT");
    expect(asking.stderr).toContain(`run ${id} goes on`);
    expect(asking.stderr).toContain(`--attach ${id}`);
    await worker();
    const again = new FcnProcess(["predict", "--queue", server.address, "--attach", id]);
    expect(await again.code).toBe(0);
  });

  it("says that weights were changed under way, and takes no others", async () => {
    const asking = predicting("changed");
    await idOf(asking);
    const before = await readFile(weights);
    try {
      await writeWeights(2);
      await worker();
      expect(await asking.code).toBe(1);
      expect(asking.stderr).toMatch(/^error: .*net\.safetensors has other bytes than when the run was started/m);
    } finally {
      await writeFile(weights, before);
    }
  });

  it("says that files lie outside the roots of the worker", async () => {
    const inner = join(root, "inner");
    await mkdir(inner, { recursive: true });
    const asking = predicting("outside");
    await idOf(asking);
    const other = await startWorker(server.address, "--root", inner, "--patience", "1");
    expect(await asking.code).toBe(1);
    expect(asking.stderr).toMatch(/^error: .*outside: the address is not below a root/m);
    expect(other.stdout).toContain("failed");
  });

  it("says that the place for results cannot be written", async () => {
    const asking = predicting("gone");
    await idOf(asking);
    await rm(join(root, "gone"), { recursive: true });
    await writeFile(join(root, "gone"), "a file in the place of the folder");
    await worker();
    expect(await asking.code).toBe(1);
    expect(asking.stderr).toMatch(/^error: .*gone/m);
    await rm(join(root, "gone"));
  });

  it("is said before anything is queued where weights are none, and where a root is no folder", async () => {
    const wrong = join(root, "wrong.safetensors");
    await writeFile(wrong, "no weights");
    const given = ["predict", images, "--weights", wrong, "--out", join(root, "none"), "--queue", server.address];
    const asking = new FcnProcess(given);
    expect(await asking.code).toBe(1);
    expect(asking.stderr).toMatch(/^error: .*wrong\.safetensors: /m);
    expect((await fcn.queue.jobs(server.address)).runs).toEqual([]);
    const lost = new FcnProcess(["worker", "--queue", server.address, "--root", join(root, "nowhere")]);
    expect(await lost.code).toBe(1);
    expect(lost.stderr).toMatch(/^error: .*nowhere: a root of the worker must be a folder/m);
  });

  it("is said before anything is queued where there are more images than a run may have", async () => {
    const options = { queue: server.address, weights, out: join(root, "many"), mostImages: 1 };
    const asking = fcn.queue.predict([images], options);
    await expect(asking).rejects.toMatchObject({
      code: "limit-exceeded",
      message: "predict: more images are named than the 1 that a run may have",
      fix: expect.stringContaining("by folder or prefix"),
    });
    expect((await fcn.queue.jobs(server.address)).runs).toEqual([]);
    await expect(readdir(options.out)).rejects.toThrow("ENOENT");
  });

  it("waits for a server that is away, and says so", async () => {
    const asking = predicting("away");
    await idOf(asking);
    await server.kill();
    await asking.printed(/the run does not go on: the queue at redis:.* does not answer; it is waited for/);
    await server.restart();
    await worker();
    expect(await asking.code).toBe(0);
  });
});
