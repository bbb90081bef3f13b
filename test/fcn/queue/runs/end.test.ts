import { TensorError } from "@fcn/tensor";
import { expect, it } from "vitest";
import { progressOf } from "../../../../packages/fcn/src/queue/runs/follow.js";
import * as store from "../../../../packages/fcn/src/queue/runs/store.js";
import { tendOnce } from "../../../../packages/fcn/src/queue/runs/tend.js";
import { connect } from "../../../../packages/fcn/src/queue/server/connection.js";
import { QueueServer, SERVERS } from "../../../support/queueServer.js";

it.skipIf(SERVERS.length === 0)(
  "tells why a run that is done does not end, until what it kept is removed",
  async () => {
    const server = await QueueServer.start(SERVERS[0] as string);
    const connection = await connect("test", server.address);
    try {
      const id = store.newRunId();
      const spec = { kind: "predict", version: "0", created: 0, weights: [], task: {} } as const;
      await store.createRun(connection, id, spec, 0);
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
    } finally {
      await connection.close();
      await server.stop();
    }
  },
);
