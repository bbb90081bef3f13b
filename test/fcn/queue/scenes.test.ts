import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import * as fcn from "@fcn/core";
import { createDevice } from "@fcn/tensor";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expandInputs } from "../../../packages/fcn/src/prediction/files/inputs.js";
import { runPredict } from "../../../packages/fcn/src/prediction/files/run.js";
import { endWorkers, QueueServer, SERVERS, startWorker } from "../../support/queueServer.js";
import { fillWeights } from "../../support/random-weights.js";
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
  const many = (out: string, save?: ("labels" | "summary" | "overlay")[]) =>
    fcn.queue.predict(inputs, {
      ...{ ...options, queue: server.address, weights: at("net.safetensors"), out: at(out), scenes: SCENES },
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
});
