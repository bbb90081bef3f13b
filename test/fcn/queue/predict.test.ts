import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import * as fcn from "@fcn/core";
import { createDevice } from "@fcn/tensor";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { fcn as command } from "../../support/deviceCommandLine.js";
import { endWorkers, FcnProcess, QueueServer, SERVERS, sleep, startWorker } from "../../support/queueServer.js";
import { fillWeights } from "../../support/random-weights.js";
import { rgbPng, temporaryFolder, writeTree } from "../data/trees.js";

const root = await temporaryFolder("fcn-queue-predict");
const IMAGES = 24;
const weights = join(root, "net.safetensors");
const images = join(root, "images");
const alone = join(root, "alone");

/** All files below a folder with their bytes. */
async function filesOf(folder: string): Promise<Record<string, string>> {
  const names = await readdir(folder, { recursive: true });
  const files = await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      return (await stat(path)).isFile()
        ? [
            [
              name,
              createHash("sha256")
                .update(await readFile(path))
                .digest("hex"),
            ],
          ]
        : [];
    }),
  );
  return Object.fromEntries(files.flat());
}

beforeAll(async () => {
  const device = await createDevice({ quiet: true });
  const net = fcn.models.create("fcn8s-small", device, { numClasses: 5, widthMultiplier: 0.25, seed: 3 });
  // Score layers begin at zero, and then all pixels have one class.
  fillWeights(net, "queue");
  await fcn.saveModel(weights, net);
  device.destroy();
  const files = Object.fromEntries(
    Array.from({ length: IMAGES }, (_, i) => [
      `${i % 3}/${i}.png`,
      rgbPng(60 + i, 80, (x, y) => (x * (i + 3) * 7919 + y * 104729 + i * 31) & 0xffffff),
    ]),
  );
  await writeTree(images, { ...files, "broken.png": "this is no image" });
  await command(["predict", images, "--weights", weights, "--out", alone]);
});

describe.each(SERVERS)("predict with workers of %s", (program) => {
  let server: QueueServer;
  beforeAll(async () => {
    server = await QueueServer.start(program);
  });
  afterEach(endWorkers);
  afterAll(() => server.stop());

  const out = (name: string): string => join(root, program, name);
  const predicting = (name: string, ...flags: string[]): FcnProcess =>
    new FcnProcess(["predict", images, "--weights", weights, "--out", out(name), "--queue", server.address, ...flags]);
  const worker = (name: string): Promise<FcnProcess> =>
    startWorker(server.address, "--name", name, "--root", root, "--patience", "2");

  it("writes what one machine writes, byte for byte, and a line for a broken image", async () => {
    await Promise.all([worker("a"), worker("b")]);
    const done = predicting("plain", "--chunk", "2");
    expect(await done.code).toBe(1);
    expect(done.stderr).toMatch(/^error: .*broken\.png: .*\n/m);
    expect(done.stderr).toContain(`error: predict: 1 of ${IMAGES + 1} images could not be predicted`);
    expect(done.stdout).toMatch(new RegExp(`^${IMAGES} images in .*, by run [0-9a-f]{12}$`, "m"));
    expect(await filesOf(out("plain"))).toEqual(await filesOf(alone));
    expect((await readdir(out("plain"))).sort()).toEqual((await readdir(alone)).sort());
    const { workers, runs } = await fcn.queue.jobs(server.address);
    expect(workers).toEqual(["a", "b"]);
    expect(runs[0]).toMatchObject({ kind: "predict", state: "done", done: IMAGES + 1, total: IMAGES + 1, aside: [] });
  });

  it("has one result an image when a worker, the server and the command that asked are killed", async () => {
    const [first] = await Promise.all([worker("c"), worker("d")]);
    const asking = predicting("killed", "--chunk", "1");
    const [, id] = (await asking.printed(/run ([0-9a-f]{12});/)) as unknown as [string, string];
    await asking.kill();
    await first.printed(/chunk \d+: 1 items/);
    await first.kill();
    await server.kill();
    await sleep(500);
    await server.restart();
    await worker("e");
    const again = new FcnProcess(["predict", "--queue", server.address, "--attach", id, "--json"]);
    expect(await again.code).toBe(1);
    const summary = JSON.parse(again.stdout) as { images: number; failed: number; reports: { input: string }[] };
    expect(summary).toMatchObject({ images: IMAGES + 1, failed: 1 });
    expect(new Set(summary.reports.map(({ input }) => input)).size).toBe(IMAGES + 1);
    expect(await filesOf(out("killed"))).toEqual(await filesOf(alone));
  });
});
