import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Roots } from "../../../../../packages/fcn/src/places/roots.js";
import { Session } from "../../../../../packages/fcn/src/queue/kinds/session.js";
import { beginRecord } from "../../../../../packages/fcn/src/queue/kinds/sweep/record.js";
import { SWEEP } from "../../../../../packages/fcn/src/queue/kinds/sweep/sweepKind.js";
import type { SweepTask } from "../../../../../packages/fcn/src/queue/kinds/sweep/task.js";
import * as store from "../../../../../packages/fcn/src/queue/runs/store.js";
import { connect } from "../../../../../packages/fcn/src/queue/server/connection.js";
import { QueueServer, SERVERS } from "../../../../support/queueServer.js";
import { temporaryFolder } from "../../../data/trees.js";

it.skipIf(SERVERS.length === 0)("reports on no trial whose folder is not below the roots", async () => {
  const root = await temporaryFolder("fcn-sweep-kind");
  await mkdir(join(root, "below"));
  const server = await QueueServer.start(SERVERS[0] as string);
  const connection = await connect("test", server.address);
  try {
    const advance = async (trial: string) => {
      const out = join(root, "below", "sweep");
      const trials = [{ name: trial, settings: {} }];
      const task: SweepTask = {
        ...{ data: "data", out, shown: out, open: {}, settings: {}, budgets: [null], eta: 2, trials },
      };
      await beginRecord(task, { resume: true });
      const id = store.newRunId();
      await store.createRun(connection, id, { kind: "sweep", version: "0", created: 0, weights: [], task }, 1);
      const run = await store.readRun("test", connection, id);
      await store.addChunks(connection, run, [{ k: 0, from: 0, to: 1 }]);
      const part = { item: 0, meanIU: 0.5, steps: 1, seconds: 1 };
      await store.finishChunk(connection, id, { k: 0, from: 0, to: 1 }, { part, worker: "a", seconds: 1 });
      return SWEEP.advance(run, new Session(new Roots([join(root, "below")]), {}), connection);
    };
    await expect(advance("../../beside")).rejects.toMatchObject({
      code: "invalid-argument",
      message: expect.stringContaining("is not below a root"),
    });
  } finally {
    await connection.close();
    await server.stop();
  }
});
