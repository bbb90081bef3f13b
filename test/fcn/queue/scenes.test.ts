import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import * as fcn from "@fcn/core";
import { createDevice } from "@fcn/tensor";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { openPlace } from "../../../packages/fcn/src/places/open.js";
import { expandInputs } from "../../../packages/fcn/src/prediction/files/inputs.js";
import { runPredict } from "../../../packages/fcn/src/prediction/files/run.js";
import type { Chunk } from "../../../packages/fcn/src/queue/runs/spec.js";
import * as store from "../../../packages/fcn/src/queue/runs/store.js";
import { connect } from "../../../packages/fcn/src/queue/server/connection.js";
import { setEnv } from "../../support/places.js";
import { endWorkers, QueueServer, SERVERS, sleep, startWorker } from "../../support/queueServer.js";
import { fillWeights } from "../../support/random-weights.js";
import { startS3Server } from "../../support/s3Server.js";
import { temporaryFolder } from "../data/trees.js";
import { makeImage } from "../prediction/nets.js";

const root = await temporaryFolder("fcn-queue-scenes");
const at = (...parts: string[]): string => join(root, ...parts);
/** More pixels than the images beside the scene have. */
const SCENES = { mostPixels: 50_000, region: 20_000 };
const NAMES = ["a.tif", "scene.tif", "c.tif"];

async function writeTiff(name: string, height: number, width: number, seed: number): Promise<void> {
  const raw = { height, width, channels: 3 as const };
  await sharp(makeImage(height, width, seed).data, { raw })
    .tiff({ tile: true, tileWidth: 64, tileHeight: 64, compression: "deflate" })
    .toFile(at(name));
}

const filesOf = async (folder: string): Promise<Record<string, string>> =>
  Object.fromEntries(
    await Promise.all(
      (await readdir(folder)).map(async (name) => [name, await readFile(join(folder, name), "base64")]),
    ),
  );

describe.skipIf(SERVERS.length === 0)("a scene that workers share", () => {
  let server: QueueServer;
  beforeAll(async () => {
    server = await QueueServer.start(SERVERS[0] as string);
    const device = await createDevice({ quiet: true });
    const net = fcn.models.create("fcn8s-small", device, { numClasses: 3, seed: 1 });
    fillWeights(net, "scenes");
    const preprocessing = { channelOrder: "rgb", mean: [3, 4, 3], std: [0.1, 0.1, 0.1] } as const;
    await fcn.saveModel(at("net.safetensors"), net, { classes: ["background", "cat", "dog"], preprocessing });
    device.destroy();
    await writeTiff("a.tif", 90, 70, 1);
    await writeTiff("scene.tif", 300, 260, 2);
    await writeTiff("c.tif", 80, 60, 3);
  });
  afterAll(async () => {
    await endWorkers();
    await server.stop();
  });

  const inputs = NAMES.map((name) => at(name));
  const options = { tile: 64, overlap: 32 };
  const many = (out: string, save?: ("labels" | "summary" | "overlay")[], onStart?: (id: string) => void) =>
    fcn.queue.predict(inputs, {
      ...{ ...options, queue: server.address, weights: at("net.safetensors"), out: at(out), scenes: SCENES, onStart },
      ...(save && { save }),
    });

  it("has the bytes that one machine gives it, beside other images", async () => {
    const save = ["labels", "summary"] as const;
    const job = { weights: [at("net.safetensors")], out: at("one"), save, tolerance: 0, scenes: SCENES, options };
    const alone = await runPredict({ ...job, inputs: await expandInputs(inputs) }, () => {});
    await Promise.all([
      startWorker(server.address, "--root", root, "--name", "a"),
      startWorker(server.address, "--root", root, "--name", "b"),
    ]);
    const { images, failed, reports, remarks } = await many("many", [...save]);
    expect([images, failed]).toEqual([3, 0]);
    const told = (list: readonly object[] = []) => JSON.stringify(list).replaceAll(at("many"), at("one"));
    expect(told(reports)).toEqual(told(alone.images));
    expect(remarks).toEqual(alone.remarks);
    expect(remarks.map(({ code }) => code)).toContain("scene");
    expect(await filesOf(at("many"))).toEqual(await filesOf(at("one")));
    const { data, info } = await sharp(at("many", "scene.png")).raw().toBuffer({ resolveWithObject: true });
    expect([info.height, info.width, new Set(data).size > 1]).toEqual([300, 260, true]);
    const { runs } = await fcn.queue.jobs(server.address);
    // The three images, and the regions that were found necessary.
    expect(runs[0]?.total).toBeGreaterThan(3 + 2);
  });

  it("is a line of the result where something is asked of it that takes the whole", async () => {
    const { failed, reports } = await many("refused", ["labels", "overlay"]);
    expect(failed).toBe(1);
    expect(reports?.[1]).toMatchObject({ error: { code: "unsupported", message: expect.stringContaining("overlay") } });
    expect(await readdir(at("refused"))).toContain("c.overlay.png");
  });

  it("is a line of the result where a region was given up, and whole when the run is retried", async () => {
    const connection = await connect("test", server.address);
    const started: string[] = [];
    const asking = many("retried", ["labels", "summary"], (id) => started.push(id));
    while (started.length === 0) await sleep(5);
    const id = started[0] as string;
    // The last one that waits is at work nowhere.
    for (let last: Chunk | undefined; last === undefined; await sleep(5)) {
      last = (await store.openChunks(connection, id))
        .slice(1)
        .filter(({ from }) => from >= inputs.length)
        .at(-1);
      if (last) await store.putAside(connection, id, last, "it ended 3 workers");
    }
    const { failed, reports } = await asking;
    expect([failed, reports?.[1]]).toMatchObject([1, { error: { code: "worker-died" } }]);
    expect(await readdir(at("retried"))).not.toContain("scene.png");
    const { total } = await store.readRun("test", connection, id);
    expect(await fcn.queue.retry(server.address, id)).toBe(1);
    const again = await fcn.queue.attach(id, { queue: server.address });
    expect([again.failed, again.remarks.map(({ code }) => code)]).toEqual([0, ["scene"]]);
    // The regions were all there already, and what puts them together came last.
    expect((await store.readRun("test", connection, id)).total).toBe(total + 1);
    expect(await filesOf(at("retried"))).toEqual(await filesOf(at("many")));
    await connection.close();
  });

  it("is read in parts from a bucket too", async () => {
    const s3 = await startS3Server("bucket");
    setEnv(s3.env);
    try {
      await endWorkers();
      await (await openPlace("s3://bucket")).write("scene.tif", { file: at("scene.tif") });
      await startWorker(server.address, "--root", root, "--root", "s3://bucket");
      const { failed, reports } = await fcn.queue.predict(["s3://bucket/scene.tif"], {
        ...{ ...options, queue: server.address, weights: at("net.safetensors"), scenes: SCENES },
        ...{ out: "s3://bucket/labels", save: ["labels"] },
      });
      expect([failed, reports?.[0]]).toMatchObject([0, { files: { labels: "s3://bucket/labels/scene.png" } }]);
      const labels = await (await openPlace("s3://bucket/labels")).read("scene.png");
      expect(Buffer.from(labels).equals(await readFile(at("many", "scene.png")))).toBe(true);
      expect(s3.log()).toMatch(/scene\.tif\?x-id=GetObject 206/);
    } finally {
      vi.unstubAllEnvs();
      await s3.stop();
    }
  });
});
