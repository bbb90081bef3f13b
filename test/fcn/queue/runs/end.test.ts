import { TensorError } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { retry } from "../../../../packages/fcn/src/queue/jobs.js";
import { progressOf } from "../../../../packages/fcn/src/queue/runs/follow.js";
import * as store from "../../../../packages/fcn/src/queue/runs/store.js";
import { tendOnce } from "../../../../packages/fcn/src/queue/runs/tend.js";
import { type Connection, connect } from "../../../../packages/fcn/src/queue/server/connection.js";
import { QueueServer, SERVERS } from "../../../support/queueServer.js";

describe.skipIf(SERVERS.length === 0)("a run that ends", () => {
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

  async function started(): Promise<string> {
    const id = store.newRunId();
    const spec = { kind: "predict", version: "0", created: 0, weights: [], task: {} } as const;
    await store.createRun(connection, id, spec, 0);
    return id;
  }

  it("tells why it does not, when it is done, until what it kept is removed", async () => {
    const id = await started();
    const look = (cleanUp: () => Promise<void>): Promise<void> =>
      tendOnce(connection, id, { advance: async () => ({ result: 1 }), cleanUp });
    await look(async () => {
      throw new TensorError({ code: "unwritable-file", message: "access is denied", fix: "allow it" });
    });
    const waiting = await store.readRun("test", connection, id);
    expect(waiting).toMatchObject({ state: "done", isClosed: false, result: 1 });
    expect((await progressOf(connection, waiting)).problem).toMatchObject({ message: "access is denied" });
    await look(async () => {});
    const ended = await store.readRun("test", connection, id);
    expect(ended).toMatchObject({ state: "done", isClosed: true });
    expect(ended.problem).toBeUndefined();
  });

  it("is tended when it is retried while it is being closed", async () => {
    const id = await started();
    const failure = new TensorError({ code: "missing-data", message: "it is gone", fix: "put it back" });
    await store.failRun(connection, id, failure);
    const tend = Object.create(connection.tend, {
      removeJobScheduler: {
        value: async () => {
          expect(await retry(server.address, id)).toBe(0);
          return connection.tend.removeJobScheduler(id);
        },
      },
    });
    await tendOnce({ ...connection, tend }, id, { advance: async () => ({ result: 1 }), cleanUp: async () => {} });
    expect(await store.readRun("test", connection, id)).toMatchObject({ state: "running", isClosed: false });
    expect(await store.openRunIds(connection)).toContain(id);
    expect(await connection.redis.ttl(`fcn:run:${id}`)).toBe(-1);
    expect(await connection.tend.getJobScheduler(id)).toBeDefined();
  });
});
