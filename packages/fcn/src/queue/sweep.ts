import { type Device, TensorError } from "@fcn/tensor";
import type { ToldError } from "../data/files/errors.js";
import { tunedDevice } from "../measure/tunedDevice.js";
import { advanceSweep, type SweepResult } from "./kinds/sweep/advance.js";
import { makeTask, type SweepPlan } from "./kinds/sweep/options.js";
import { pathIn } from "./kinds/sweep/place.js";
import { beginRecord, readRungs } from "./kinds/sweep/record.js";
import { itemsOf, type Outcome, type Rung, standings } from "./kinds/sweep/rungs.js";
import { outcomesOf } from "./kinds/sweep/sweepKind.js";
import { type SweepTask, scheduleOf } from "./kinds/sweep/task.js";
import { trainItem } from "./kinds/sweep/trial.js";
import { type FollowOptions, follow } from "./runs/follow.js";
import * as store from "./runs/store.js";
import { type Connection, withConnection } from "./server/connection.js";
import { nameWeights, startRun } from "./start.js";

/** A trial that was trained as far as a rung asks. */
export interface TrialProgress {
  readonly name: string;
  readonly steps: number;
  /** The best mean IU so far, of folds the mean of it; NaN if there is none. */
  readonly meanIU: number;
  /** Why it failed. */
  readonly error?: ToldError;
}

/** Options of whoever waits for a sweep. */
export interface SweepFollowOptions extends FollowOptions {
  /** Called for each trial that was trained as far as a rung asks. */
  readonly onTrial?: ((trial: TrialProgress) => void) | undefined;
}

/** Options of `queue.sweep`. */
export interface SweepOptions extends SweepPlan, SweepFollowOptions {
  /** Address of a queue, `redis://` or `rediss://`, whose workers train the trials. Default: they are trained here. */
  readonly queue?: string | undefined;
  /** Called with the id of the run on a queue, by which `attachSweep` finds it again. */
  readonly onStart?: ((id: string) => void) | undefined;
  /** For trials that are trained here. Default: the sweep opens its own. */
  readonly device?: Device | undefined;
  readonly adapter?: NonNullable<Parameters<typeof tunedDevice>[0]>["adapter"];
  readonly tune?: NonNullable<Parameters<typeof tunedDevice>[0]>["tune"];
}

/** What became of a sweep. */
export interface SweepSummary extends SweepResult {
  /** The folder or the address of its results, as it was named. */
  readonly out: string;
  /** The id of its run on a queue. */
  readonly id?: string;
}

/** `queue.sweep`. */
export async function sweep(options: SweepOptions): Promise<SweepSummary> {
  const task = await makeTask(options);
  return options.queue === undefined ? sweepHere(task, options) : sweepThere(task, options, options.queue);
}

async function sweepHere(task: SweepTask, options: SweepOptions): Promise<SweepSummary> {
  const { resume = false, signal, onTrial } = options;
  await beginRecord(task, { resume });
  using own = options.device ? undefined : await tunedDevice(options);
  const device = options.device ?? (own as Device);
  const tell = teller(task, onTrial);
  const outcomes: Outcome[] = [];
  for (;;) {
    const rungs = await readRungs(task);
    const total = itemsOf(rungs, scheduleOf(task));
    while (outcomes.length < total) {
      outcomes.push(await trainItem(task, rungs, { item: outcomes.length, training: { device, signal } }));
      tell(rungs, outcomes);
    }
    const next = await advanceSweep(task, outcomes, total);
    if ("result" in next) return summaryOf(task, next.result as SweepResult);
  }
}

async function sweepThere(task: SweepTask, options: SweepOptions, queue: string): Promise<SweepSummary> {
  const files = [task.settings, ...task.trials.map(({ settings }) => settings)].flatMap(({ weights }) =>
    typeof weights === "string" ? [weights] : [],
  );
  const weights = await nameWeights([...new Set(files)]);
  return withConnection("sweep", queue, async (connection) => {
    await beginRecord(task, { resume: options.resume ?? false });
    const id = store.newRunId();
    const items = task.trials.length * scheduleOf(task).runs;
    await startRun(connection, id, { kind: "sweep", weights, task, chunk: 1 }, items);
    options.onStart?.(id);
    return finish(connection, id, options);
  });
}

/** `queue.attachSweep`. */
export const attachSweep = (
  id: string,
  { queue, ...options }: SweepFollowOptions & { readonly queue: string },
): Promise<SweepSummary> => withConnection("sweep", queue, (connection) => finish(connection, id, options));

async function finish(connection: Connection, id: string, options: SweepFollowOptions): Promise<SweepSummary> {
  const { spec } = await store.readRun("sweep", connection, id);
  if (spec.kind !== "sweep") {
    throw new TensorError({
      code: "unknown-run",
      message: `sweep: the run ${id} is no sweep, but of the kind ${spec.kind}`,
      fix: { code: "take the id of a sweep from queue.jobs()", command: "fcn jobs --queue ADDRESS lists the sweeps" },
    });
  }
  const task = spec.task as SweepTask;
  const tell = teller(task, options.onTrial);
  const look = async (): Promise<void> => tell(await readRungs(task), await outcomesOf(connection, id));
  let [done, looking] = [0, Promise.resolve()];
  const onProgress: FollowOptions["onProgress"] = (progress) => {
    options.onProgress?.(progress);
    if (progress.done === done) return;
    done = progress.done;
    // What cannot be told on the way is told at the end.
    looking = looking.then(look).catch(() => {});
  };
  const { result } = await follow("sweep", connection, id, { ...options, onProgress });
  await looking;
  const { rungs } = result as SweepResult;
  tell(rungs, await outcomesOf(connection, id));
  return { ...summaryOf(task, result as SweepResult), id };
}

const summaryOf = ({ shown }: SweepTask, result: SweepResult): SweepSummary => ({
  ...result,
  out: shown,
  files: result.files.map((name) => pathIn(shown, name)),
});

/** Tells of each trial once a rung, when all its runs are done or one has failed. */
function teller(task: SweepTask, onTrial: SweepFollowOptions["onTrial"]) {
  const told = new Set<string>();
  return (rungs: readonly Rung[], outcomes: readonly Outcome[]): void => {
    const schedule = scheduleOf(task);
    for (const { trial, rung, outcomes: own, error, score } of standings(rungs, outcomes, schedule)) {
      const key = `${trial} ${rung}`;
      if (told.has(key) || (own.length < schedule.runs && !error)) continue;
      told.add(key);
      const { name } = task.trials[trial] as SweepTask["trials"][number];
      const steps = Math.max(...own.map((outcome) => outcome.steps));
      onTrial?.({ name, steps, meanIU: score, ...(error && { error }) });
    }
  };
}
