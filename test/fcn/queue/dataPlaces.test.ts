import { join } from "node:path";
import * as fcn from "@fcn/core";
import { createDevice } from "@fcn/tensor";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openPlace } from "../../../packages/fcn/src/places/open.js";
import { fcn as command } from "../../support/deviceCommandLine.js";
import { copyFolder, setEnv } from "../../support/places.js";
import { endWorkers, QueueServer, SERVERS, startWorker } from "../../support/queueServer.js";
import { fillWeights } from "../../support/random-weights.js";
import { type S3Server, startS3Server } from "../../support/s3Server.js";
import { temporaryFolder } from "../data/trees.js";
import { TINY_CLASSES, writeTinyData } from "../training/tinyData.js";

const root = await temporaryFolder("fcn-queue-data");
const DATA = "s3://bucket/photos";

describe.skipIf(SERVERS.length === 0)("workers that share no folder", () => {
  let server: QueueServer;
  let s3: S3Server;
  beforeAll(async () => {
    [server, s3] = await Promise.all([QueueServer.start(SERVERS.at(-1) as string), startS3Server("bucket")]);
    setEnv(s3.env);
    const device = await createDevice({ quiet: true });
    const net = fcn.models.create("fcn8s-small", device, { numClasses: 3, widthMultiplier: 0.25 });
    fillWeights(net, "evaluated");
    await fcn.saveModel(join(root, "net.safetensors"), net, { classes: TINY_CLASSES });
    device.destroy();
    await (await openPlace("s3://bucket/nets")).write("net.safetensors", { file: join(root, "net.safetensors") });
    await copyFolder(await writeTinyData(join(root, "photos"), 20), DATA);
  });
  beforeEach(() => setEnv(s3.env));
  afterEach(endWorkers);
  afterAll(() => Promise.all([server?.stop(), s3?.stop()]));

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
      { env: s3.env },
    );
    setEnv(s3.env);
    for (const name of ["a", "b"]) await startWorker(server.address, "--root", "s3://bucket", "--name", name);
    const before = s3.log().length;
    const given = ["--data", `${DATA}/`, "--weights", "s3://bucket/nets/net.safetensors", "--split", "train", "--json"];
    const many = await command(["eval", ...given, "--queue", server.address, "--chunk", "2"], { env: s3.env });
    expect([many.code, alone.code]).toEqual([0, 0]);
    const [found, wanted] = [JSON.parse(many.stdout), JSON.parse(alone.stdout)];
    for (const name of ["pixelAccuracy", "meanIU", "perClassIU", "confusion", "boundary", "sizes", "images"]) {
      expect([name, found[name]]).toEqual([name, wanted[name]]);
    }
    const reads = [
      ...s3
        .log()
        .slice(before)
        .matchAll(/ t\/photos\/images\/(\d+)\.png\?x-id=GetObject 200/g),
    ];
    const images = reads.map(([, name]) => name);
    expect(images).toHaveLength(found.images);
    expect(new Set(images).size).toBe(found.images);
  });

  it("refuse data that are not below their roots", async () => {
    await startWorker(server.address, "--root", "s3://bucket/nets", "--patience", "1");
    const weights = "s3://bucket/nets/net.safetensors";
    const refused = fcn.queue.evaluate({ queue: server.address, data: DATA, weights, split: "train" });
    await expect(refused).rejects.toMatchObject({
      code: "invalid-argument",
      message: expect.stringContaining(`${DATA}: the address is not below a root`),
    });
  });
});
