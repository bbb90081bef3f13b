import type { ErrorCode } from "@fcn/tensor";
import * as store from "../../runs/store.js";
import type { Connection } from "../../server/connection.js";
import type { Kind } from "../kind.js";
import { advanceSweep } from "./advance.js";
import { pathIn } from "./place.js";
import { readRungs } from "./record.js";
import type { Outcome } from "./rungs.js";
import { folderOf, readBy, type SweepTask } from "./task.js";
import { itemOf, trainItem } from "./trial.js";

/** The outcomes so far; what was given up counts as failed. */
export async function outcomesOf(connection: Connection, id: string): Promise<Outcome[]> {
  const [parts, aside] = await Promise.all([store.partsOf(connection, id), store.asideChunks(connection, id)]);
  const givenUp = aside.map(({ from, reason }): Outcome => {
    const error = { code: "worker-died" as ErrorCode, message: reason, fix: "retry the run" };
    return { item: from, meanIU: null, steps: 0, seconds: 0, error };
  });
  return [...(parts as Outcome[]), ...givenUp];
}

/** Trials of `fcn train`. A chunk is one item, so that its number is the item's. */
export const SWEEP: Kind = {
  async work({ spec }, { from: item }, session) {
    const task = spec.task as SweepTask;
    await session.roots.check(task.out);
    const rungs = await readRungs(task);
    const { trial, run: fold } = itemOf(task, rungs, item);
    const used = [pathIn(task.out, folderOf(task, trial, fold)), ...readBy(task, trial)];
    for (const path of used) await session.roots.check(path);
    for (const weights of spec.weights) if (used.includes(weights.address)) await session.bytes(weights);
    const training = { device: await session.device(), signal: session.signal };
    return trainItem(task, rungs, { item, training });
  },

  async advance(run, session, connection) {
    const task = run.spec.task as SweepTask;
    await session.roots.check(task.out);
    // The report reads the folders of all trials, whose names may be anything.
    for (const { name } of task.trials) await session.roots.check(pathIn(task.out, name));
    return advanceSweep(task, await outcomesOf(connection, run.id), run.total);
  },

  async cleanUp() {},
};
