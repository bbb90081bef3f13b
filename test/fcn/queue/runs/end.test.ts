import { TensorError } from "@fcn/tensor";
import { describe, expect, it } from "vitest";
import { retry } from "../../../../packages/fcn/src/queue/jobs.js";
import { progressOf } from "../../../../packages/fcn/src/queue/runs/follow.js";
import * as store from "../../../../packages/fcn/src/queue/runs/store.js";
import { tendOnce } from "../../../../packages/fcn/src/queue/runs/tend.js";
import { SERVERS, useQueue } from "../../../support/queueServer.js";

describe.skipIf(SERVERS.length === 0)("a run that ends", () => {
  const queue = useQueue();

  async function started(): Promise<string> {
    const id = store.newRunId();
    const spec = { kind: "predict", version: "0", created: 0, weights: [], task: {} } as const;
    await store.createRun(queue.connection, id, spec, 0);
    return id;
  }

  it("tells why it does not, when it is done, until what it kept is removed", async () => {
    const id = await started();
    const look = (cleanUp: () => Promise<void>): Promise<void> =>
      tendOnce(queue.connection, id, { advance: async () => ({ result: 1 }), cleanUp });
    await look(async () => {
      throw new TensorError({ code: "unwritable-file", message: "access is denied", fix: "allow it" });
    });
    const waiting = await store.readRun("test", queue.connection, id);
    expect(waiting).toMatchObject({ state: "done", isClosed: false, result: 1 });
    expect((await progressOf(queue.connection, waiting)).problem).toMatchObject({ message: "access is denied" });
    await look(async () => {});
    const ended = await store.readRun("test", queue.connection, id);
    expect(ended).toMatchObject({ state: "done", isClosed: true });
    expect(ended.problem).toBeUndefined();
  });

  it("is tended when it is retried while it is being closed", async () => {
    const id = await started();
    const failure = new TensorError({ code: "missing-data", message: "it is gone", fix: "put it back" });
    await store.failRun(queue.connection, id, failure);
    const tend = Object.create(queue.connection.tend, {
      removeJobScheduler: {
        value: async () => {
          expect(await retry(queue.server.address, id)).toBe(0);
          return queue.connection.tend.removeJobScheduler(id);
        },
      },
    });
    await tendOnce({ ...queue.connection, tend }, id, {
      advance: async () => ({ result: 1 }),
      cleanUp: async () => {},
    });
    expect(await store.readRun("test", queue.connection, id)).toMatchObject({ state: "running", isClosed: false });
    expect(await store.openRunIds(queue.connection)).toContain(id);
    expect(await queue.connection.redis.ttl(`fcn:run:${id}`)).toBe(-1);
    expect(await queue.connection.tend.getJobScheduler(id)).toBeDefined();
  });
});
