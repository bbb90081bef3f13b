import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { advanceSweep } from "../../../../../packages/fcn/src/queue/kinds/sweep/advance.js";
import { planTrials } from "../../../../../packages/fcn/src/queue/kinds/sweep/plan.js";
import { beginRecord, readRungs } from "../../../../../packages/fcn/src/queue/kinds/sweep/record.js";
import type { Outcome } from "../../../../../packages/fcn/src/queue/kinds/sweep/rungs.js";
import type { SweepTask } from "../../../../../packages/fcn/src/queue/kinds/sweep/task.js";
import { temporaryFolder } from "../../../data/trees.js";

const root = await temporaryFolder("fcn-sweep-advance");
const outcomes = (...scores: (number | null)[]): Outcome[] =>
  scores.map((meanIU, item) => ({
    ...{ item, meanIU, steps: 2, seconds: 1 },
    ...(meanIU === null && { error: { code: "diverged", message: "<it> diverged", fix: "lower the rate" } }),
  }));

async function begun(name: string): Promise<SweepTask> {
  const task: SweepTask = {
    ...{
      data: "data",
      out: join(root, name),
      shown: name,
      open: {},
      settings: { steps: 4 },
      budgets: [2, null],
      eta: 2,
    },
    trials: planTrials({ learningRate: [1, 2, 3, 4] }),
  };
  await beginRecord(task, { resume: false });
  return task;
}

it("decides a rung once, whoever asks again and whatever a retry brings later", async () => {
  const task = await begun("once");
  expect(await advanceSweep(task, outcomes(0.1, 0.4, 0.3, null), 4)).toEqual({ total: 6 });
  const record = await readFile(join(task.out, "sweep.json"), "utf8");
  expect(JSON.parse(record).ranking.map(({ state }: { state: string }) => state)).toEqual([
    ...["running", "running", "pruned", "failed"],
  ]);
  // The number of items was not told of yet.
  expect(await advanceSweep(task, outcomes(0.1, 0.4, 0.3, 0.9), 4)).toEqual({ total: 6 });
  expect(await readFile(join(task.out, "sweep.json"), "utf8")).toBe(record);
  expect((await readRungs(task)).map(({ trials }) => trials)).toEqual([
    [0, 1, 2, 3],
    [1, 2],
  ]);
  const last = await advanceSweep(task, outcomes(0.1, 0.4, 0.3, 0.9, 0.2, 0.5), 6);
  expect(last).toMatchObject({
    result: {
      trials: [
        { name: "lr=3", state: "complete", meanIU: 0.5, seconds: 1 },
        { name: "lr=2", state: "complete", meanIU: 0.2 },
        { name: "lr=4", state: "pruned", meanIU: 0.9 },
        { name: "lr=1", state: "pruned", meanIU: 0.1 },
      ],
    },
  });
});

it("writes a report of trials of which none has a checkpoint", async () => {
  const task = await begun("failed");
  expect(await advanceSweep(task, outcomes(null, null, null, null), 4)).toHaveProperty("result");
  expect(await readFile(join(task.out, "report.html"), "utf8")).toContain("&lt;it&gt; diverged");
});

it("says so where the record is gone", async () => {
  const task = await begun("gone");
  await rm(join(task.out, "sweep.json"));
  await expect(advanceSweep(task, [], 4)).rejects.toMatchObject({ code: "missing-data", message: /sweep\.json/ });
});
