import { join } from "node:path";
import * as fcn from "@fcn/core";
import { createDevice, type Device } from "@fcn/tensor";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { openPlace, readAddress } from "../../../packages/fcn/src/places/open.js";
import type { TrialReport } from "../../../packages/fcn/src/queue/kinds/sweep/record.js";
import type { SweepOptions } from "../../../packages/fcn/src/queue/sweep.js";
import { fcn as command } from "../../support/deviceCommandLine.js";
import { copyFolder, namesIn, setEnv } from "../../support/places.js";
import { endWorkers, FcnProcess, SERVERS, sleep, startWorker, useQueueAndBucket } from "../../support/queueServer.js";
import { fillWeights } from "../../support/random-weights.js";
import { temporaryFolder } from "../data/trees.js";
import { TINY_CLASSES, writeTinyData } from "../training/tinyData.js";
import { tinyRun } from "../training/tinyRun.js";

const root = await temporaryFolder("fcn-queue-data");
const DATA = "s3://bucket/photos";

describe.skipIf(SERVERS.length === 0)("workers that share no folder", () => {
  const servers = useQueueAndBucket();
  beforeAll(async () => {
    const device = await createDevice({ quiet: true });
    const net = fcn.models.create("fcn8s-small", device, { numClasses: 3, widthMultiplier: 0.25 });
    fillWeights(net, "evaluated");
    await fcn.saveModel(join(root, "net.safetensors"), net, { classes: TINY_CLASSES });
    device.destroy();
    await (await openPlace("s3://bucket/nets")).write("net.safetensors", { file: join(root, "net.safetensors") });
    await copyFolder(await writeTinyData(join(root, "photos"), 20), DATA);
  });
  afterEach(endWorkers);

  it("score the images of a bucket as one machine does, to the last digit, and read each once", async () => {
    const alone = await command(
      [
        "eval",
        "--data",
        join(root, "photos"),
        "--weights",
        join(root, "net.safetensors"),
        "--split",
        "train",
        "--json",
      ],
      { env: servers.s3.env },
    );
    setEnv(servers.s3.env);
    for (const name of ["a", "b"]) await startWorker(servers.server.address, "--root", "s3://bucket", "--name", name);
    const before = (await servers.s3.settledLog()).length;
    const given = ["--data", `${DATA}/`, "--weights", "s3://bucket/nets/net.safetensors", "--split", "train", "--json"];
    const many = await command(["eval", ...given, "--queue", servers.server.address, "--chunk", "2"], {
      env: servers.s3.env,
    });
    expect([many.code, alone.code]).toEqual([0, 0]);
    const [found, wanted] = [JSON.parse(many.stdout), JSON.parse(alone.stdout)];
    for (const name of ["pixelAccuracy", "meanIU", "perClassIU", "confusion", "boundary", "sizes", "images"]) {
      expect([name, found[name]]).toEqual([name, wanted[name]]);
    }
    const log = (await servers.s3.settledLog()).slice(before);
    const images = [...log.matchAll(/ t\/photos\/images\/(\d+)\.png\?x-id=GetObject 200/g)].map(([, name]) => name);
    expect([images.length, new Set(images).size]).toEqual([found.images, found.images]);
  });

  it("refuse data that are not below their roots", async () => {
    await startWorker(servers.server.address, "--root", "s3://bucket/nets", "--patience", "1");
    const weights = "s3://bucket/nets/net.safetensors";
    const refused = fcn.queue.evaluate({ queue: servers.server.address, data: DATA, weights, split: "train" });
    await expect(refused).rejects.toMatchObject({
      code: "invalid-argument",
      message: expect.stringContaining(`${DATA}: the address is not below a root`),
    });
  });

  describe("train the trials of a sweep", () => {
    let device: Device;
    beforeAll(async () => {
      device = await createDevice({ quiet: true });
    });
    afterAll(() => device?.destroy());

    /** A rate that learns and one that diverges, in two folds; halving trains one to the end. */
    const plan = (data: string, out: string): SweepOptions => {
      const { learningRate: _, device: _device, ...shared } = tinyRun(data, device);
      return {
        ...{ ...shared, data, out, steps: 4, folds: 2, schedule: "poly", optimizer: "adamw" },
        ...{ axes: { learningRate: [1e-3, 0.02, 1e9] }, halving: { eta: 2 } },
      };
    };
    const read = async (address: string): Promise<Buffer> => Buffer.from(await readAddress(address));
    /** What is in a record besides times and places. */
    const lasting = async (out: string) => {
      const text = (await read(`${out}/sweep.json`)).toString().replaceAll(out, "OUT");
      return JSON.parse(text, (key, value) => (key === "seconds" ? undefined : value));
    };
    const namesBelow = async (address: string): Promise<string[]> =>
      (await namesIn(await openPlace(address))).map((name) => name.replace(/tfevents.*/, "tfevents")).sort();
    async function expectSame(out: string, other: string, runs: readonly string[]): Promise<void> {
      for (const file of runs.flatMap((run) => ["weights", "best"].map((name) => `${run}/${name}.safetensors`))) {
        expect((await read(`${out}/${file}`)).equals(await read(`${other}/${file}`)), file).toBe(true);
      }
    }

    const here = join(root, "here");
    async function expectSameSweep(out: string): Promise<void> {
      expect(await lasting(out)).toEqual(await lasting(here));
      const { ranking } = await lasting(here);
      const sound: TrialReport[] = ranking.slice(0, 2);
      await expectSame(
        out,
        here,
        sound.flatMap(({ name }) => [`${name}/fold-1`, `${name}/fold-2`]),
      );
      const once = async (at: string): Promise<string[]> => [...new Set(await namesBelow(at))];
      expect(await once(out)).toEqual(await once(here));
      const html = (await read(`${out}/report.html`)).toString();
      for (const text of ["3 trials on", `>${sound[0]?.name}/fold-1<`]) expect(html).toContain(text);
    }

    it("in a bucket, without a queue, as in a folder", async () => {
      const out = "s3://bucket/there";
      const wanted = await fcn.queue.sweep({ ...plan(join(root, "photos"), here), device });
      expect(wanted.trials.map(({ state }) => state)).toEqual(["complete", "pruned", "failed"]);
      const found = await fcn.queue.sweep({ ...plan(DATA, `${out}/`), device });
      expect(found.files).toEqual([`${out}/report.html`, `${out}/sweep.json`]);
      await expectSameSweep(out);
      await expect(fcn.queue.sweep({ ...plan(DATA, out), device })).rejects.toMatchObject({ code: "run-exists" });
    });

    it("in a bucket, by two workers, to the same", async () => {
      const out = "s3://bucket/many";
      for (const name of ["a", "b"]) await startWorker(servers.server.address, "--root", "s3://bucket", "--name", name);
      const found = await fcn.queue.sweep({ ...plan(DATA, out), queue: servers.server.address });
      expect(found.files).toEqual([`${out}/report.html`, `${out}/sweep.json`]);
      await expectSameSweep(out);
    });

    it("go on from a checkpoint in the bucket when a worker is killed, or ends", async () => {
      const flags = ["--model", "fcn8s-small", "--width", "0.25", "--batch", "3", "--workers", "0", "--steps", "24"];
      const pace = ["--validate-every", "12", "--checkpoint-every", "2", "--lr", "0.01"];
      const out = "s3://bucket/killed";
      const worker = (name: string) =>
        startWorker(servers.server.address, "--root", "s3://bucket", "--name", name, "--patience", "2");
      const first = await worker("c");
      const two = [...pace.slice(0, -1), "0.01,0.02"];
      const asked = [
        "sweep",
        "--data",
        DATA,
        "--out",
        out,
        ...flags,
        ...two,
        "--queue",
        servers.server.address,
        "--json",
      ];
      const asking = new FcnProcess(asked);
      const trial = await openPlace(`${out}/lr=0.01`);
      const until = async (least: number): Promise<number> => {
        const steps = (await namesIn(trial, "checkpoint/")).map((name) => Number(/step-(\d+)/.exec(name)?.[1] ?? 0));
        const last = Math.max(0, ...steps);
        if (last >= least) return last;
        await sleep(20);
        return until(least);
      };
      const killedAt = await until(2);
      await first.kill();
      const second = await worker("d");
      const endedAt = await until(killedAt + 2);
      await second.kill("SIGTERM");
      expect(second.stdout).not.toContain("failed");
      expect(endedAt).toBeLessThan(24);
      await worker("e");
      expect(await asking.code).toBe(0);
      const straight = join(root, "straight");
      expect(
        (await command(["train", "--data", join(root, "photos"), ...flags, ...pace, "--out", straight])).code,
      ).toBe(0);
      setEnv(servers.s3.env);
      for (const file of ["weights.safetensors", "best.safetensors", "metrics.csv"]) {
        const found = Buffer.from(await trial.read(file));
        expect(found.equals(await read(join(straight, file))), file).toBe(true);
      }
      expect(await namesIn(trial, "checkpoint/")).toEqual(["checkpoint/step-000000024.safetensors"]);
      // Each start that goes on has a file of events, of which the first step is not the first.
      expect((await namesIn(trial, "tensorboard/")).length).toBeGreaterThanOrEqual(3);
    });
  });
});
