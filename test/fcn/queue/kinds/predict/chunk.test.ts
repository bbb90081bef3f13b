import { mkdir, readdir, readFile, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import * as fcn from "@fcn/core";
import { createDevice } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bytesDigest } from "../../../../../packages/fcn/src/files/digest.js";
import { openPlace } from "../../../../../packages/fcn/src/places/open.js";
import { Roots } from "../../../../../packages/fcn/src/places/roots.js";
import { predictChunk } from "../../../../../packages/fcn/src/queue/kinds/predict/chunk.js";
import { type ListedImage, RunFiles } from "../../../../../packages/fcn/src/queue/kinds/predict/files.js";
import { PREDICT } from "../../../../../packages/fcn/src/queue/kinds/predict/predictKind.js";
import type { PredictTask } from "../../../../../packages/fcn/src/queue/kinds/predict/task.js";
import { Session } from "../../../../../packages/fcn/src/queue/kinds/session.js";
import type { Run, RunSpec } from "../../../../../packages/fcn/src/queue/runs/spec.js";
import * as store from "../../../../../packages/fcn/src/queue/runs/store.js";
import { type Connection, connect } from "../../../../../packages/fcn/src/queue/server/connection.js";
import { type FileServer, startFileServer } from "../../../../support/fileServer.js";
import { QueueServer, SERVERS } from "../../../../support/queueServer.js";
import { rgbPng, temporaryFolder, writeTree } from "../../../data/trees.js";

const root = await temporaryFolder("fcn-chunk");
const net = join(root, "net.safetensors");
const address = join(root, "images", "a.png");
const session = new Session(new Roots([root]), {});
let web: FileServer;

beforeAll(async () => {
  web = await startFileServer();
  const device = await createDevice({ quiet: true });
  await fcn.saveModel(net, fcn.models.create("fcn8s-small", device, { numClasses: 2, widthMultiplier: 0.25 }));
  device.destroy();
  await writeTree(join(root, "images"), { "a.png": rgbPng(40, 40, (x, y) => x * y) });
});
afterAll(() => Promise.all([session.close(), web.stop()]));

async function specOf(out: string, more: Partial<PredictTask> = {}): Promise<RunSpec> {
  const task: PredictTask = { images: 1, out, shown: out, names: [net], options: {}, tolerance: 0, ...more };
  const weights = [{ address: net, sha256: bytesDigest(await readFile(net), "sha256") }];
  return { kind: "predict", version: "0", created: 0, weights, task };
}

/** What a worker makes of an image that a run names, whoever wrote its list. */
async function predicted(image: ListedImage, more: Partial<PredictTask> = {}, { starts = 1, reader = session } = {}) {
  const out = join(root, "out");
  const spec = await specOf(out, more);
  const run: Run = { ...{ id: "0", spec, state: "running", isClosed: false, total: 1, next: 1, chunks: 1 } };
  return predictChunk(run, { k: 0, from: 0, to: 1, starts }, [image], reader, await openPlace(out));
}

it("asks no server that is not below the roots, not even whether an image is a scene", async () => {
  const image = { input: "x.tif", stem: "x", address: `${web.url}/x.tif?asked` };
  const { images } = await predicted(image);
  expect(images[0]).toMatchObject({ error: { message: expect.stringContaining("is not below a root") } });
  expect(web.queries).toEqual([]);
});

it("waits some time for a server that does not answer, then leaves its image out", async () => {
  const gone = "http://127.0.0.1:65535/x.png";
  const reader = new Session(new Roots([root, "http://127.0.0.1:65535"]), {});
  const image = { input: gone, stem: "x", address: gone };
  await expect(predicted(image, {}, { starts: 59, reader })).rejects.toMatchObject({ code: "no-network" });
  const { images } = await predicted(image, {}, { starts: 60, reader });
  expect(images).toMatchObject([{ input: gone, error: { code: "no-network" } }]);
  await reader.close();
});

it("takes an image that is a link as one machine does, unless it leads out of the roots", async () => {
  const links = join(root, "links");
  await mkdir(links);
  await symlink(address, join(links, "in.png"));
  await symlink(new URL("../../../../golden", import.meta.url), join(links, "out"));
  const { images } = await predicted({ input: "in.png", stem: "in", address: join(links, "in.png") });
  expect(images[0]).toMatchObject({ height: 40, width: 40 });
  const { images: refused } = await predicted({ input: "a", stem: "a", address: join(links, "out", "a.png") });
  expect(refused[0]).toMatchObject({ error: { message: expect.stringContaining("is not below a root") } });
});

it("leaves no file beside its place for a name that leads out of it", async () => {
  const stem = `../${basename(root)}-escaped`;
  const { images } = await predicted({ input: "a.png", stem, address }, { save: ["probabilities"] });
  expect(images[0]).toMatchObject({ error: { message: expect.stringContaining("does not name a file below it") } });
  expect((await readdir(tmpdir())).filter((name) => name.startsWith(`${basename(root)}-escaped`))).toEqual([]);
});

describe.skipIf(SERVERS.length === 0)("with a queue", () => {
  let server: QueueServer;
  let connection: Connection;
  beforeAll(async () => {
    server = await QueueServer.start(SERVERS[0] as string);
    connection = await connect("test", server.address);
  });
  afterAll(async () => {
    await connection.close();
    await server.stop();
  });

  it("leaves no part of a run that was cancelled meanwhile", async () => {
    const out = join(root, "cancelled");
    const id = store.newRunId();
    const chunk = { k: 0, from: 0, to: 1, starts: 1 };
    await store.createRun(connection, id, await specOf(out), 1);
    await store.addChunks(connection, await store.readRun("test", connection, id), [chunk]);
    await new RunFiles(await openPlace(out), id).writeList([{ input: "a.png", stem: "a", address }]);
    const run = await store.readRun("test", connection, id);
    class Late extends Session {
      override async withNets<T>(...given: Parameters<typeof session.withNets<T>>): Promise<T> {
        const made = await session.withNets(...given);
        await fcn.queue.cancel(server.address, id);
        return made;
      }
    }
    await PREDICT.work(run, chunk, new Late(session.roots, {}), connection);
    expect((await readdir(out)).sort()).toEqual(["a.overlay.png", "a.png"]);
  });

  it("is not asked for where the list cannot be made, and nothing is left of it", async () => {
    const out = join(root, "refused");
    const asked = fcn.queue.predict(["-"], { queue: server.address, weights: net, out });
    await expect(asked).rejects.toMatchObject({ code: "invalid-argument" });
    expect(await readdir(out)).toEqual([]);
  });
});
