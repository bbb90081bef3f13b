import { TensorError } from "@fcn/tensor";
import type { ToldError } from "../../../data/files/errors.js";
import { parseJson } from "../../../data/files/json.js";
import { makeFolder } from "../../../files/write.js";
import { isRemote } from "../../../places/address.js";
import { bothWays } from "../../../training/remedies.js";
import { netWithoutCheckpoint, pathIn, readText, writeText } from "./place.js";
import type { Settings } from "./plan.js";
import type { Rung } from "./rungs.js";
import { folderOf, type SweepTask } from "./task.js";

/** What became of a trial. */
export interface TrialReport {
  readonly name: string;
  /** The settings in which trials differ. */
  readonly settings: Settings;
  /** Trained to its end, left behind by halving, ended by an error, or not at its end yet. */
  readonly state: "complete" | "pruned" | "failed" | "running";
  /** The number of its last rung, from 1. */
  readonly rung: number;
  /** Steps that were made; of folds the most. */
  readonly steps: number;
  /** The best mean IU, of folds the mean of it; absent if there is none. */
  readonly meanIU?: number;
  /** The standard deviation over the folds. */
  readonly spread?: number;
  /** The best mean IU of each fold. */
  readonly folds?: readonly (number | null)[];
  readonly seconds: number;
  readonly error?: ToldError;
}

/** What `sweep.json` holds. */
export interface SweepRecord {
  /** What was asked for. */
  readonly plan: Pick<SweepTask, "settings" | "open" | "trials" | "folds" | "budgets" | "eta">;
  /** What has been decided: which trials are trained to which number of steps. */
  readonly rungs: readonly Rung[];
  /** The trials so far, best first. */
  readonly ranking: readonly TrialReport[];
}

/** The name of the file in the folder of a sweep. */
export const RECORD = "sweep.json";

const planOf = ({ settings, open, trials, folds, budgets, eta }: SweepTask): SweepRecord["plan"] => ({
  ...{ settings, open, trials, budgets, eta },
  ...(folds !== undefined && { folds }),
});

/** The record in the folder of a sweep, or undefined if there is none. */
async function readRecord(task: Pick<SweepTask, "out">): Promise<SweepRecord | undefined> {
  const text = await readText(task.out, RECORD);
  return text === undefined ? undefined : (parseJson(pathIn(task.out, RECORD), text) as SweepRecord);
}

/** What has been decided so far. Throws `missing-data` if the record is gone. */
export async function readRungs(task: SweepTask): Promise<readonly Rung[]> {
  const record = await readRecord(task);
  if (record) return record.rungs;
  throw new TensorError({
    code: "missing-data",
    message: `sweep: ${pathIn(task.out, RECORD)} is missing, which says what the trials are trained to`,
    fix: "put the file back, or start the sweep again with resume",
  });
}

export async function writeRecord(
  task: SweepTask,
  { rungs, ranking }: Pick<SweepRecord, "rungs" | "ranking">,
): Promise<void> {
  const record: SweepRecord = { plan: planOf(task), rungs, ranking };
  await writeText(task.out, RECORD, `${JSON.stringify(record, undefined, 2)}\n`);
}

/**
 * Begins a sweep in its folder, which is made. Throws `run-exists` if the folder holds another sweep, or this one and
 * it is not to be resumed.
 */
export async function beginRecord(task: SweepTask, { resume }: { readonly resume: boolean }): Promise<void> {
  const { shown, trials, budgets } = task;
  const found = await readRecord(task);
  if (found) {
    const isSame = JSON.stringify(found.plan) === JSON.stringify(JSON.parse(JSON.stringify(planOf(task))));
    if (!isSame || !resume) throw sweepExists(shown, isSame);
  }
  if (!isRemote(task.out)) await makeFolder("sweep", task.out);
  else if (!found) await refuseNets(task);
  const first: Rung = { budget: budgets[0] ?? null, trials: trials.map((_, i) => i) };
  await writeRecord(task, { rungs: [first], ranking: [] });
}

/** Throws `run-exists` for a net in a bucket that the sweep would replace. In a folder, each run does so itself. */
async function refuseNets(task: SweepTask): Promise<void> {
  const { out, shown, trials, folds = 1 } = task;
  const runs = trials.flatMap((trial) => Array.from({ length: folds }, (_, run) => folderOf(task, trial, run)));
  const net = await netWithoutCheckpoint(out, new Set(runs));
  if (net === undefined) return;
  throw new TensorError({
    code: "run-exists",
    message: `sweep: ${pathIn(shown, net)} is a net, beside which is no checkpoint to go on from`,
    fix: bothWays((say) => `name another folder (${say("out", "--out")}), or remove the net`),
  });
}

const sweepExists = (out: string, isSame: boolean): TensorError =>
  new TensorError({
    code: "run-exists",
    message: `sweep: ${out} holds ${isSame ? "this" : "another"} sweep`,
    fix: bothWays((say) => {
      const other = `name another folder (${say("out", "--out")})`;
      return isSame ? `go on with it (${say("resume: true", "--resume")}), or ${other}` : other;
    }),
  });
