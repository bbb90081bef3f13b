import { readdir, readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { openPlace } from "../../../../../packages/fcn/src/places/open.js";
import { Roots } from "../../../../../packages/fcn/src/places/roots.js";
import { regionsOf } from "../../../../../packages/fcn/src/prediction/scene/plan.js";
import { cancel } from "../../../../../packages/fcn/src/queue/jobs.js";
import { type PredictPart, RunFiles } from "../../../../../packages/fcn/src/queue/kinds/predict/files.js";
import { PREDICT } from "../../../../../packages/fcn/src/queue/kinds/predict/predictKind.js";
import type { PredictTask } from "../../../../../packages/fcn/src/queue/kinds/predict/task.js";
import { Session } from "../../../../../packages/fcn/src/queue/kinds/session.js";
import type { Chunk, Run } from "../../../../../packages/fcn/src/queue/runs/spec.js";
import * as store from "../../../../../packages/fcn/src/queue/runs/store.js";
import { tendOnce } from "../../../../../packages/fcn/src/queue/runs/tend.js";
import { SERVERS, useQueue } from "../../../../support/queueServer.js";
import { temporaryFolder } from "../../../data/trees.js";

const plan = { height: 200, width: 300, stride: 32, pixels: 20_000, tile: [64, 64] as const, overlap: 32 };
const REGIONS = regionsOf(plan).length;
const IMAGES = ["a", "large", "b", "larger"];
const image = (input: string) => ({ input, height: 200, width: 300, tiles: 0, classes: [], files: {} });
const part = (given: Partial<PredictPart>): PredictPart => ({ images: [], files: [], remarks: [], ...given });

describe.skipIf(SERVERS.length === 0)("the items of a prediction with scenes", () => {
  const queue = useQueue();

  /** A run of which nothing is done, each item of which is a chunk. */
  async function started() {
    const out = await temporaryFolder("fcn-advance");
    const task: PredictTask = {
      ...{ images: IMAGES.length, out, shown: out, names: ["net"], save: ["labels"], options: {}, tolerance: 0 },
    };
    const id = store.newRunId();
    const spec = { kind: "predict", version: "0", created: 0, weights: [], task } as const;
    await store.createRun(queue.connection, id, spec, IMAGES.length);
    const files = new RunFiles(await openPlace(out), id);
    await files.writeList(IMAGES.map((input) => ({ input, stem: input, address: `${input}.tif` })));
    const read = (): Promise<Run> => store.readRun("test", queue.connection, id);
    const session = new Session(new Roots([out]), {});
    const advance = async () => PREDICT.advance(await read(), session, queue.connection);
    /** Opens all items that there are. */
    const open = async (): Promise<Chunk[]> => {
      const run = await read();
      const chunks = Array.from({ length: run.total - run.next }, (_, i) => {
        return { k: run.chunks + i, from: run.next + i, to: run.next + i + 1 };
      });
      await store.addChunks(queue.connection, run, chunks);
      return chunks;
    };
    const finish = async (chunk: Chunk, done: PredictPart): Promise<void> => {
      await files.writePart(chunk.k, done);
      const scenes = done.scenes && { part: done.scenes };
      await store.finishChunk(queue.connection, id, chunk, { ...scenes, worker: "a", seconds: 1 });
    };
    const scene = (line: number) => ({ line, plan, classes: ["none"], palette: [] });
    /** Does what the images of the list are to workers. */
    const look = async ([from, to]: [number, number], chunks: readonly Chunk[]): Promise<void> => {
      for (const chunk of chunks.slice(from, to)) {
        const name = IMAGES[chunk.from] as string;
        const scenes = name.startsWith("large") ? { scenes: [scene(chunk.from)] } : {};
        await finish(chunk, part({ images: [image(name)], ...scenes }));
      }
    };
    const join = (chunk: Chunk, line: number): Promise<void> => {
      const input = IMAGES[line] as string;
      const remark = { level: "note", code: "scene", file: input, text: "joined" } as const;
      const files = [{ name: `${input}.png`, bytes: 1, sha256: "0" }];
      const report = { ...image(input), tiles: 7 };
      return finish(chunk, part({ files, remarks: [remark], joined: [{ line, report }] }));
    };
    const told = async () => (await files.readReport())?.map((each) => ("error" in each ? "failed" : each.tiles));
    const listed = async () => Object.keys(JSON.parse(await readFile(`${out}/.fcn-predict.json`, "utf8")).files);
    return { id, out, files, read, advance, open, finish, look, join, told, listed };
  }

  /** Has the items told that come next, as whoever looks after the run, and one who dies before it tells. */
  async function next({ id, advance }: Awaited<ReturnType<typeof started>>, total: number): Promise<void> {
    expect(await advance()).toEqual({ total });
    expect(await advance()).toEqual({ total });
    await store.setTotal(queue.connection, id, total);
  }

  it("are the images, then all regions, then a scene each", async () => {
    const run = await started();
    await run.look([0, 4], await run.open());
    await next(run, 4 + 2 * REGIONS);
    for (const chunk of await run.open()) await run.finish(chunk, part({}));
    await next(run, 4 + 2 * REGIONS + 2);
    const [first, second] = (await run.open()) as [Chunk, Chunk];
    expect(await run.files.sceneOf(first.from)).toMatchObject({ isJoin: true, scene: { line: 1 } });
    expect(await run.files.sceneOf(first.from - 1)).toMatchObject({ isJoin: false, scene: { line: 3 } });
    await run.join(second, 3);
    await run.join(first, 1);
    const { result } = (await run.advance()) as { result: { remarks: { file: string }[] } };
    expect(result).toMatchObject({ images: 4, failed: 0 });
    expect(result.remarks.map(({ file }) => file)).toEqual(["large", "larger"]);
    expect(await run.told()).toEqual([0, 7, 0, 7]);
    expect(await run.listed()).toEqual(["large.png", "larger.png"]);
    await PREDICT.cleanUp(await run.read());
    await PREDICT.cleanUp(await run.read());
    await run.files.removeReport();
    expect(await readdir(run.out)).toEqual([".fcn-predict.json"]);
  });

  it.each(["before", "after"])("leave nothing behind when they are cancelled %s the report", async (when) => {
    const run = await started();
    for (const chunk of await run.open())
      await run.finish(chunk, part({ images: [image(IMAGES[chunk.from] as string)] }));
    const advance = async () => {
      if (when === "before") await cancel(queue.server.address, run.id);
      const next = await run.advance();
      if (when === "after") await cancel(queue.server.address, run.id);
      return next;
    };
    await tendOnce(queue.connection, run.id, { advance, cleanUp: PREDICT.cleanUp });
    expect(await readdir(run.out)).toEqual([]);
    expect(await run.read()).toMatchObject({ state: "cancelled", isClosed: true });
  });

  it("come later for a scene of which a region was given up, or that was in a chunk that was", async () => {
    const run = await started();
    const images = await run.open();
    await run.look([0, 3], images);
    await store.putAside(queue.connection, run.id, images[3] as Chunk, "it ended 3 workers");
    await next(run, 4 + REGIONS);
    const [given, ...rest] = (await run.open()) as [Chunk, ...Chunk[]];
    for (const chunk of rest) await run.finish(chunk, part({}));
    await store.putAside(queue.connection, run.id, given, "it ended 3 workers");
    expect(await run.advance()).toMatchObject({ result: { images: 4, failed: 2 } });
    expect(await run.told()).toEqual([0, "failed", 0, "failed"]);
    expect((await run.files.readReport())?.[1]).toMatchObject({
      error: { code: "worker-died", message: expect.stringContaining("it ended 3 workers") },
    });

    await store.reopen(queue.connection, run.id, await store.asideChunks(queue.connection, run.id));
    await run.look([3, 4], images);
    await run.finish(given, part({}));
    await next(run, 4 + 2 * REGIONS);
    for (const chunk of await run.open()) await run.finish(chunk, part({}));
    await next(run, 4 + 2 * REGIONS + 2);
    const [first, second] = (await run.open()) as [Chunk, Chunk];
    await run.join(first, 1);
    await store.putAside(queue.connection, run.id, second, "it ended 3 workers");
    expect(await run.advance()).toMatchObject({ result: { images: 4, failed: 1 } });
    expect(await run.told()).toEqual([0, 7, 0, "failed"]);
    expect(await run.listed()).toEqual(["large.png"]);
  });
});
