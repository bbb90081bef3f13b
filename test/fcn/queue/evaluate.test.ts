import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as fcn from "@fcn/core";
import { createDevice } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MOST_PARTS } from "../../../packages/fcn/src/queue/runs/store.js";
import { connect } from "../../../packages/fcn/src/queue/server/connection.js";
import { fcn as command } from "../../support/deviceCommandLine.js";
import { endWorkers, FcnProcess, QueueServer, SERVERS, sleep, startWorker } from "../../support/queueServer.js";
import { fillWeights } from "../../support/random-weights.js";
import { temporaryFolder } from "../data/trees.js";
import { TINY_CLASSES, writeTinyData } from "../training/tinyData.js";

const root = await temporaryFolder("fcn-queue-evaluate");
const data = await writeTinyData(join(root, "data"), 30);
const weights = join(root, "net.safetensors");
const asked = ["eval", "--data", data, "--weights", weights, "--split", "train", "--radii", "1,3", "--json"];

describe.skipIf(SERVERS.length === 0)("evaluation by a queue", () => {
  let server: QueueServer;
  let alone: Record<string, unknown>;
  beforeAll(async () => {
    const device = await createDevice({ quiet: true });
    const net = fcn.models.create("fcn8s-small", device, { numClasses: 3, widthMultiplier: 0.25 });
    fillWeights(net, "evaluated");
    await fcn.saveModel(weights, net, { classes: TINY_CLASSES });
    device.destroy();
    server = await QueueServer.start(SERVERS[0] as string);
    alone = JSON.parse((await command(asked)).stdout);
    const flags = ["--root", root, "--patience", "2"];
    await startWorker(server.address, ...flags, "--name", "a");
    await startWorker(server.address, ...flags, "--name", "b", "--concurrency", "2");
  });
  afterAll(async () => {
    await endWorkers();
    await server.stop();
  });

  it("has the scores of one machine, to the last digit", async () => {
    const { code, stdout, stderr } = await command([...asked, "--queue", server.address, "--chunk", "2"]);
    expect([code, stderr]).toEqual([0, expect.stringContaining("--attach")]);
    const found = JSON.parse(stdout);
    const same = [
      "pixelAccuracy",
      "meanIU",
      "perClassIU",
      "confusion",
      "boundary",
      "sizes",
      "images",
      "classes",
      "model",
      "weights",
    ];
    for (const name of same) expect([name, found[name]]).toEqual([name, alone[name]]);
    expect(found.boundary).toHaveLength(2);
    const { runs } = await fcn.queue.jobs(server.address);
    expect(runs[0]).toMatchObject({ id: found.id, kind: "evaluate", state: "done" });
    const again = new FcnProcess(["eval", "--queue", server.address, "--attach", found.id, "--json"]);
    expect(await again.code).toBe(0);
    expect(JSON.parse(again.stdout).confusion).toEqual(alone.confusion);
  });

  it("names images that cannot be read, and leaves them out if that is asked for", async () => {
    const broken = await writeTinyData(join(root, "broken"), 8);
    await writeFile(join(broken, "images", "3.png"), "no image");
    const flags = [
      "--data",
      broken,
      "--weights",
      weights,
      "--split",
      "train",
      "--queue",
      server.address,
      "--chunk",
      "1",
      "--json",
    ];
    const refused = await command(["eval", ...flags]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/^error: evaluate: 1 of \d+ images cannot be read: 3: .*3\.png/m);
    expect(refused.stderr).toContain("--skip-bad");
    const { code, stdout, stderr } = await command(["eval", ...flags, "--skip-bad"]);
    expect([code, stderr]).toEqual([0, expect.stringMatching(/^left out 3: .*3\.png/m)]);
    const one = await command([
      "eval",
      ...flags.filter((flag) => !["--queue", server.address, "--chunk", "1"].includes(flag)),
      "--skip-bad",
    ]);
    expect(JSON.parse(stdout).confusion).toEqual(JSON.parse(one.stdout).confusion);
  });

  it("keeps few parts of many chunks, each counted once, also where a worker is killed", async () => {
    const many = await writeTinyData(join(root, "many"), 200);
    const given = ["eval", "--data", many, "--weights", weights, "--split", "train", "--json"];
    const one = JSON.parse((await command(given)).stdout);
    const victim = await startWorker(server.address, "--root", root, "--name", "c", "--patience", "2");
    const asking = new FcnProcess([...given, "--queue", server.address, "--chunk", "1"]);
    const [, id] = await asking.printed(/run ([0-9a-f]{12});/);
    const killed = victim.printed(/chunk \d+: 1 items/).then(() => victim.kill());
    const [parts, open]: [number[], number[]] = [[], []];
    const { redis, close } = await connect("test", server.address);
    while (asking.child.exitCode === null) {
      const counts = await redis.multi().hlen(`fcn:run:${id}:parts`).hlen(`fcn:run:${id}:open`).exec();
      parts.push(counts?.[0]?.[1] as number);
      open.push(counts?.[1]?.[1] as number);
      await sleep(5);
    }
    await close();
    await killed;
    expect(await asking.code).toBe(0);
    // Some are done between two looks at them.
    expect(Math.max(...parts)).toBeLessThan(MOST_PARTS + Math.max(...open) + 20);
    expect(parts.at(-1)).toBeLessThanOrEqual(MOST_PARTS);
    const found = JSON.parse(asking.stdout);
    expect(found.images).toBeGreaterThan(150);
    for (const name of ["confusion", "meanIU", "sizes", "images"])
      expect([name, found[name]]).toEqual([name, one[name]]);
  });

  it("says which splits there are", async () => {
    const asking = fcn.queue.evaluate({ queue: server.address, data, split: "tset", weights });
    await expect(asking).rejects.toMatchObject({
      code: "invalid-argument",
      fix: expect.stringContaining("train, val"),
    });
  });

  it("refuses a worker that sees other images", async () => {
    await endWorkers();
    const moved = await writeTinyData(join(root, "moved"), 6);
    const options = { queue: server.address, data: moved, split: "train", weights };
    let asking: Promise<unknown> | undefined;
    await new Promise<string>((onStart) => {
      asking = fcn.queue.evaluate({ ...options, onStart });
    });
    await writeTinyData(moved, 9);
    await startWorker(server.address, "--root", root);
    await expect(asking).rejects.toMatchObject({ code: "checksum-mismatch" });
  });
});
