import { afterEach, describe, expect, it } from "vitest";
import type { Chunk, Run } from "../../../../packages/fcn/src/queue/runs/spec.js";
import * as store from "../../../../packages/fcn/src/queue/runs/store.js";
import { SERVERS, TESTED, useQueue } from "../../../support/queueServer.js";

const CHUNKS = 2 * store.MOST_PARTS + 8;
/** The part of a chunk is its number in a list, so that a sum tells which chunks are in it, and how often. */
const add = (parts: readonly unknown[]): number[] => (parts as number[][]).flat().sort((a, b) => a - b);
const ALL = Array.from({ length: CHUNKS }, (_, k) => k);

describe.skipIf(SERVERS.length === 0).each(TESTED)("the parts of a run on %s", (program) => {
  const queue = useQueue(program);
  afterEach(() => queue.server.call("FLUSHALL"));

  /** A run whose chunks are all open. */
  async function started(): Promise<{ id: string; chunks: readonly Chunk[] }> {
    const id = store.newRunId();
    const spec = { kind: "evaluate", version: "0", created: 0, weights: [], task: {} } as const;
    await store.createRun(queue.connection, id, spec, CHUNKS);
    const chunks = ALL.map((k) => ({ k, from: k, to: k + 1 }));
    expect(await store.addChunks(queue.connection, await read(id), chunks)).toBe(true);
    return { id, chunks };
  }
  const read = (id: string): Promise<Run> => store.readRun("test", queue.connection, id);
  const finish = (id: string, chunk: Chunk): Promise<number> =>
    store.finishChunk(queue.connection, id, chunk, { part: [chunk.k], worker: "a", seconds: 1 });
  const sum = async (id: string): Promise<number[]> => add(await store.partsOf(queue.connection, id));
  const fold = (id: string): Promise<void> => store.foldParts(queue.connection, id, add);

  it("count once where two workers had the chunk, also after the first part was folded", async () => {
    const { id, chunks } = await started();
    for (const [k, chunk] of chunks.entries()) expect(await finish(id, chunk)).toBe(CHUNKS - 1 - k);
    expect(await finish(id, chunks[3]!)).toBe(0);
    expect(await sum(id)).toEqual(ALL);
    await fold(id);
    expect(await store.partsOf(queue.connection, id)).toEqual([ALL]);
    for (const chunk of chunks) expect(await finish(id, chunk)).toBe(0);
    expect(await store.partsOf(queue.connection, id)).toEqual([ALL]);
  });

  it("are folded once where two look after the run, and those that come meanwhile are kept", async () => {
    const { id, chunks } = await started();
    const half = store.MOST_PARTS + 1;
    for (const chunk of chunks.slice(0, half)) await finish(id, chunk);
    // Whoever holds these parts is held up until another has folded them, and more with them.
    await store.foldParts(queue.connection, id, async (parts) => {
      await fold(id);
      for (const chunk of chunks.slice(half)) await finish(id, chunk);
      await fold(id);
      return add(parts);
    });
    expect(await store.partsOf(queue.connection, id)).toEqual([ALL]);
  });

  it("are none the worse for whoever goes away in the course of it", async () => {
    const { id, chunks } = await started();
    for (const chunk of chunks) await finish(id, chunk);
    const gone = store.foldParts(queue.connection, id, () => {
      throw new Error("gone");
    });
    await expect(gone).rejects.toThrow("gone");
    await fold(id);
    expect(await store.partsOf(queue.connection, id)).toEqual([ALL]);
  });

  it("stay as they are while there are few", async () => {
    const { id, chunks } = await started();
    for (const chunk of chunks.slice(0, store.MOST_PARTS)) await finish(id, chunk);
    await fold(id);
    expect(await store.partsOf(queue.connection, id)).toHaveLength(store.MOST_PARTS);
  });

  it("have none of a chunk that was given up, until it is opened again, which happens once", async () => {
    const { id, chunks } = await started();
    const [given, ...rest] = chunks as [Chunk, ...Chunk[]];
    await store.putAside(queue.connection, id, given, "it ended 3 workers");
    for (const chunk of rest) await finish(id, chunk);
    // Who gives up chunks may have seen as open what has been finished since.
    await store.putAside(queue.connection, id, rest[0]!, "it ended 3 workers");
    const aside = await store.asideChunks(queue.connection, id);
    expect(aside.map(({ k }) => k)).toEqual([0]);
    await fold(id);
    expect(await sum(id)).toEqual(ALL.slice(1));
    expect(await store.reopen(queue.connection, id, aside)).toBe(1);
    await finish(id, given);
    expect(await store.reopen(queue.connection, id, aside)).toBe(0);
    expect(await store.openChunks(queue.connection, id)).toEqual([]);
    await finish(id, given);
    expect(await sum(id)).toEqual(ALL);
  });

  it("count of a chunk that was given up while a worker still had it, which is then not opened again", async () => {
    const { id, chunks } = await started();
    const [given] = chunks as [Chunk];
    await store.putAside(queue.connection, id, given, "it ended 3 workers");
    const aside = await store.asideChunks(queue.connection, id);
    await finish(id, given);
    expect(await store.reopen(queue.connection, id, aside)).toBe(0);
    expect(await store.asideChunks(queue.connection, id)).toEqual([]);
    await finish(id, given);
    expect(await sum(id)).toEqual([0]);
  });

  it("are waited for where a chunk was opened again while the result was made", async () => {
    const { id, chunks } = await started();
    const [given, ...rest] = chunks as [Chunk, ...Chunk[]];
    for (const chunk of rest) await finish(id, chunk);
    expect(await store.completeRun(queue.connection, id, {}, 0)).toBe(false);
    await store.putAside(queue.connection, id, given, "it ended 3 workers");
    await store.reopen(queue.connection, id, [given]);
    expect(await store.completeRun(queue.connection, id, {}, 1)).toBe(false);
    await finish(id, given);
    expect(await store.completeRun(queue.connection, id, {}, 1)).toBe(false);
    expect((await read(id)).state).toBe("running");
    expect(await store.completeRun(queue.connection, id, {}, 0)).toBe(true);
    expect(await store.completeRun(queue.connection, id, {}, 0)).toBe(false);
    expect((await read(id)).state).toBe("done");
  });

  it("come from a run that has ended no more", async () => {
    const { id, chunks } = await started();
    await store.cancelRun(queue.connection, id);
    await finish(id, chunks[0]!);
    expect(await store.partsOf(queue.connection, id)).toEqual([]);
    expect(await store.secondsPerItem(queue.connection, id)).toEqual([]);
  });
});
