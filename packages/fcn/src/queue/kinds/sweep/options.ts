import { checkValue, invalidArgument } from "@fcn/tensor/internal";
import { fileError } from "../../../data/files/errors.js";
import type { OpenOptions } from "../../../data/open/openOptions.js";
import { withoutUndefined } from "../../../options/option.js";
import { addressKind } from "../../../places/address.js";
import { bothWays } from "../../../training/remedies.js";
import { divided } from "../../../training/run/folds.js";
import { prepareData, type RunData } from "../../../training/run/start/data.js";
import { FOLDS, SETTINGS } from "../../../training/settings/run.js";
import { DEFAULT_MODEL, type TrainRunOptions } from "../../../training/settings/runOptions.js";
import { findHere } from "../../../weights/registry/pretrained.js";
import { absolute, absoluteFolders } from "../../start.js";
import { type Axes, checkSetting, planTrials, type RandomSearch, type Range, type Settings } from "./plan.js";
import { type Budget, budgetsOf, type Halving } from "./rungs.js";
import { checkPlain, NOT_SHARED, type SweepTask } from "./task.js";

/** The settings of a run that trials share or differ in. */
export type SweptSettings = Omit<
  TrainRunOptions,
  (typeof NOT_SHARED)[number] | "open" | "skipBad" | "device" | "signal" | "view"
>;

/** What is to be trained. */
export interface SweepPlan extends SweptSettings {
  /** A folder that `data.open` understands, or its address in a bucket. */
  readonly data: string;
  /**
   * A folder for everything that is written, or an address of a bucket: a folder for each trial, `sweep.json` and
   * `report.html`.
   */
  readonly out: string;
  /**
   * The settings in which trials differ. Of lists, all combinations are trained; with `random`, some of them, and a
   * range is drawn from as well.
   */
  readonly axes: {
    readonly [Name in keyof SweptSettings]?:
      | readonly NonNullable<SweptSettings[Name]>[]
      | (number extends SweptSettings[Name] ? Range : never);
  };
  /** Draws trials instead of training all combinations. */
  readonly random?: RandomSearch | undefined;
  /** Trains each trial in so many folds, as `trainFolds` does, and compares the means. */
  readonly folds?: number | undefined;
  /** Ends trials early that others surpass. Default: all trials are trained to their end. */
  readonly halving?: Halving | undefined;
  /** How the folder is read. */
  readonly open?: OpenOptions | undefined;
  readonly skipBad?: boolean | undefined;
  /** Goes on with the sweep in `out`, which must have been asked for in the same way. */
  readonly resume?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Checks everything that can be checked before the first trial. Throws what `trainRun` throws for the data. */
export async function makeTask(plan: SweepPlan): Promise<SweepTask> {
  const { axes, random, halving, folds, data } = plan;
  checkPlaces(plan);
  const out = plan.out.replace(/(?<=[^/:])\/+$/, "");
  if (folds !== undefined) checkValue("sweep", "folds", folds, FOLDS.folds.rule);
  const given = axes as Axes;
  checkPlain("axes", given);
  const trials = planTrials(given, random).map(({ name, settings }) => ({ name, settings: withPath(settings) }));
  const shared = sharedSettings(plan);
  if (halving && ("steps" in given || "epochs" in given)) {
    throw invalidArgument("sweep: halving compares trials after equal steps, and they differ in their length", {
      code: "give steps once, beside axes",
      command: "give --steps one number",
    });
  }
  const budgets = budgetsOf(trials.length, shared.steps as number | undefined, halving);
  const open = absoluteFolders(
    withoutUndefined({ ...plan.open, skipBad: plan.skipBad ?? plan.open?.skipBad }) as OpenOptions,
  );
  const task: SweepTask = {
    ...{ data: absolute(data), out: absolute(out), shown: out, open, trials, budgets },
    ...{ settings: { ...shared, ...paceOf(given, shared, budgets) }, eta: halving?.eta ?? 1 },
    ...(folds !== undefined && { folds }),
  };
  return withStart(task, await checkData(task, plan.signal));
}

function checkPlaces({ data, out }: SweepPlan): void {
  for (const [name, path] of Object.entries({ data, out })) {
    if (typeof path !== "string" || path === "") {
      throw invalidArgument(`sweep: ${name} is ${JSON.stringify(path)}`, "name a folder, or an address of a bucket");
    }
  }
  if (addressKind(out) !== "http") return;
  const fix = "name a folder, or an address of a bucket (s3://bucket/sweep)";
  throw fileError("unsupported", out, "a web server does not list its files, so that no sweep can go on there", fix);
}

function sharedSettings(plan: SweepPlan): Settings {
  const isOwn = (name: string): boolean => name in plan.axes || NOT_SHARED.some((other) => other === name);
  const names = Object.keys(SETTINGS).filter((name) => !isOwn(name));
  const values = plan as unknown as Settings;
  const shared = withoutUndefined(Object.fromEntries(names.map((name) => [name, values[name]]))) as Settings;
  for (const [name, value] of Object.entries(shared)) {
    checkSetting(name, value);
    checkPlain(name, value);
  }
  return withPath(shared);
}

const withPath = (settings: Settings): Settings =>
  typeof settings.weights === "string" ? { ...settings, weights: absolute(settings.weights) } : settings;

/** With halving, trials are validated at the first look at the latest, since they could not be compared otherwise. */
function paceOf(axes: Axes, { validateEvery }: Settings, [first]: readonly Budget[]): Settings {
  if (first === undefined || first === null) return {};
  const intervals = (axes.validateEvery ?? [validateEvery ?? first]) as readonly number[];
  const longest = Math.max(...intervals);
  if (longest <= first) return validateEvery === undefined && !axes.validateEvery ? { validateEvery: first } : {};
  throw invalidArgument(
    `sweep: trials are first compared after ${first} steps, and validated only after ${longest}`,
    bothWays((say) => {
      const [every, least] = [say("validateEvery", "--validate-every"), say("halving.minSteps", "--min-steps")];
      return `validate at least every ${first} steps (${every}), or compare later (${least})`;
    }),
  );
}

async function checkData(task: SweepTask, signal: AbortSignal | undefined): Promise<RunData> {
  const { data, out, open, folds, settings } = task;
  const found = await prepareData(
    { ...(settings as Partial<TrainRunOptions>), data, out, open, ...(signal && { signal }) },
    undefined,
  );
  if (folds !== undefined) divided(found.opened, folds, 0);
  else if (found.validation === undefined) {
    throw invalidArgument(
      `sweep: ${data} has no images to validate on, so that trials cannot be compared`,
      bothWays((say) => `divide the images (${say("folds: 5", "--folds 5")}), or name some in splits/val.txt`),
    );
  }
  return found;
}

/** Decides what `pretrained: "auto"` is, which differs between machines. */
async function withStart(task: SweepTask, { sample }: RunData): Promise<SweepTask> {
  const starts = await Promise.all(
    task.trials.map(async (trial): Promise<Settings> => {
      const {
        pretrained,
        weights,
        model = DEFAULT_MODEL,
        modelOptions,
      } = {
        ...task.settings,
        ...trial.settings,
      } as SweptSettings;
      if (pretrained !== "auto") return {};
      if (weights !== undefined || typeof model !== "string") return { pretrained: "none" };
      const { widthMultiplier } = modelOptions ?? {};
      const here = await findHere({ model, widthMultiplier, channels: sample.image.channels });
      return { pretrained: here?.name ?? "none" };
    }),
  );
  const kinds = new Set(starts.map(({ pretrained }) => pretrained));
  if (kinds.size === 1) return { ...task, settings: { ...task.settings, ...starts[0] } };
  return {
    ...task,
    trials: task.trials.map((trial, i) => ({ ...trial, settings: { ...trial.settings, ...starts[i] } })),
  };
}
