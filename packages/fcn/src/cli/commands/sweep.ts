import { hasCode } from "@fcn/tensor";
import { reworded } from "@fcn/tensor/internal";
import type { Command } from "commander";
import { isBucket } from "../../data/files/buckets.js";
import { errorOf } from "../../data/files/errors.js";
import { whole } from "../../options/rules.js";
import * as queue from "../../queue/index.js";
import { rankingTable } from "../../queue/kinds/sweep/advance.js";
import { pathIn } from "../../queue/kinds/sweep/place.js";
import type { SweepOptions, SweepSummary, TrialProgress } from "../../queue/sweep.js";
import { formatTable, percent } from "../../report/table.js";
import { FOLDS } from "../../training/settings/run.js";
import { addFlags, flagValues, givenBy } from "../flags/addFlags.js";
import { checkFolder, refuseBoth } from "../flags/checks.js";
import { JSON_OUTPUT } from "../flags/common.js";
import { addConfigFlags, furtherOptions } from "../flags/configFile.js";
import { apart, LISTED } from "../flags/listedFlags.js";
import { addOpenFlags, openOptions } from "../flags/openFlags.js";
import { QUEUED, refuseWithoutQueue } from "../flags/queueFlags.js";
import { UsageError } from "../output/errors.js";
import { printResult } from "../output/output.js";
import { watchRun } from "../output/runView.js";
import { stopOnInterrupt } from "../output/signals.js";

const { overwrite: _o, preview: _p, stopAt: _s, ...OF_TRIALS } = LISTED;

/** What makes a sweep of runs. */
const SWEEP = {
  ...FOLDS,
  random: { rule: whole(2), flag: "--random <n>", help: "draw so many trials instead of training all combinations" },
  randomSeed: { rule: whole(0), fallbackText: "0", flag: "--random-seed <n>", help: "fixes what --random draws" },
  halving: {
    rule: whole(2),
    flag: "--halving <eta>",
    help: "end trials early that others surpass: of so many one goes on, for as many times the steps",
  },
  minSteps: {
    rule: whole(1),
    fallbackText: "so many that one trial makes all --steps",
    flag: "--min-steps <n>",
    help: "with --halving, steps until trials are compared for the first time",
  },
  queue: QUEUED.queue,
  attach: QUEUED.attach,
  ...JSON_OUTPUT,
} as const;

const HELP = `A setting takes several values with commas between them, and all combinations are trained:
  fcn sweep --data photos --out sweep --model fcn8s-small,fcn16s-mobilenetv2 --lr 1e-2,1e-3 --folds 5
With --random, numbers may be ranges too: --lr 1e-4..1e-1 (evenly in the logarithm), --momentum 0.5..0.99:linear
Each trial is a run of fcn train in a folder of its own in --out, a folder or an address of a bucket (s3://);
sweep.json and report.html compare them.
Exit codes: 0 done, 1 failed, stopped by Ctrl-C, or no trial succeeded, 2 wrong usage.`;

/** Adds the flags and the action of `fcn sweep`. */
export function setUp(command: Command): void {
  addConfigFlags(command);
  const resume = { flag: "--resume", help: "go on with the sweep in --out" };
  addFlags(command, SWEEP);
  addOpenFlags(addFlags(command, { ...OF_TRIALS, resume }));
  command.addHelpText("after", `\n${HELP}`).action(run);
}

async function run(given: object, command: Command): Promise<void> {
  const { json = false, queue: address, attach, ...how } = givenBy(SWEEP, given);
  refuseWithoutQueue(address, { "--attach": attach });
  const stream = json ? process.stderr : process.stdout;
  const onTrial = (trial: TrialProgress): void => {
    // A line takes the place of the bar, which is drawn again below it.
    stream.write(`${stream.isTTY ? "\r\u001b[K" : ""}${describeTrial(trial)}\n`);
  };
  const summary =
    address !== undefined && attach !== undefined
      ? await watched(address, stream, (follow) => queue.attachSweep(attach, { ...follow, onTrial, queue: address }))
      : await train({ ...(await optionsOf(given, command, how)), onTrial }, address, stream);
  await printResult(summary, describe, json);
  throwIfAllFailed(summary);
}

const watched = (
  address: string,
  stream: NodeJS.WriteStream,
  use: Parameters<typeof watchRun<SweepSummary>>[2],
): Promise<SweepSummary> =>
  watchRun(stream, { what: "training", again: `fcn sweep --queue ${address}`, queue: address }, use);

type How = Pick<ReturnType<typeof givenBy<typeof SWEEP>>, "folds" | "random" | "randomSeed" | "halving" | "minSteps">;

async function optionsOf(
  given: object,
  command: Command,
  { folds, random, randomSeed, halving, minSteps }: How,
): Promise<SweepOptions> {
  const further = furtherOptions(command);
  const { shared, axes } = apart({ ...further.settings, ...flagValues(OF_TRIALS, given) });
  const { out } = shared as { out: string };
  if (!isBucket(out)) await checkFolder("--out", out);
  const all = { ...shared, ...axes };
  refuseBoth({ "--steps": all.steps, "--epochs": all.epochs });
  refuseBoth({ "--weights": all.weights, "--pretrained": all.pretrained });
  needs("--random-seed", randomSeed, "--random 20", random);
  needs("--min-steps", minSteps, "--halving 3", halving);
  return {
    ...{ pretrained: "auto", ...(shared as object), axes, open: { ...further.open, ...openOptions(given) } },
    ...(folds !== undefined && { folds }),
    ...(random !== undefined && { random: { trials: random, seed: randomSeed ?? 0 } }),
    ...(halving !== undefined && { halving: { eta: halving, minSteps } }),
  } as SweepOptions;
}

/** Throws if a flag was given without the one that it belongs to. */
function needs(flag: string, value: unknown, other: string, without: unknown): void {
  if (value === undefined || without !== undefined) return;
  throw new UsageError(`${flag} is given without ${other.split(" ")[0]}`, `add ${other}, or leave ${flag} out`);
}

async function train(
  options: SweepOptions,
  address: string | undefined,
  stream: NodeJS.WriteStream,
): Promise<SweepSummary> {
  try {
    if (address === undefined) return await trainHere(options);
    for (const [flag, value] of Object.entries({ "--adapter": options.adapter, "--tune": options.tune })) {
      if (value !== undefined) throw new UsageError(`${flag} is for this machine`, `give it to fcn worker`);
    }
    return await watched(address, stream, (follow) => queue.sweep({ ...options, ...follow, queue: address }));
  } catch (error) {
    // What the settings of single trials bring about is a part of the result.
    if (!hasCode(error, "invalid-argument")) throw error;
    throw new UsageError(error.message, error.commandFix ?? error.fix);
  }
}

async function trainHere(options: SweepOptions): Promise<SweepSummary> {
  const stop = new AbortController();
  const { unlisten, exitCode } = stopOnInterrupt(() => {
    process.stderr.write("stopping; Ctrl-C again ends at once, without a checkpoint\n");
    stop.abort();
  });
  try {
    return await queue.sweep({ ...options, signal: stop.signal });
  } catch (error) {
    throw stop.signal.aborted && error instanceof Error ? Object.assign(error, { exitCode: exitCode() }) : error;
  } finally {
    unlisten();
  }
}

function describeTrial({ name, steps, meanIU, error }: TrialProgress): string {
  const became = error
    ? `failed after ${steps} steps: ${error.message}`
    : `mean IU ${percent(meanIU)} %, ${steps} steps`;
  return `${name}: ${became}`;
}

function describe({ trials, files, out }: SweepSummary): string {
  const [best] = trials;
  const found =
    best?.meanIU === undefined ? "" : `\nthe best is ${pathIn(out, best.name)}, mean IU ${percent(best.meanIU)} %`;
  const written = files.map((file) => `  ${file}`).join("\n");
  return `\nTrials by their best mean IU, per cent\n${formatTable(rankingTable(trials))}\n${found}\nwrote\n${written}\n`;
}

function throwIfAllFailed({ trials }: SweepSummary): void {
  const [first] = trials;
  if (first?.error === undefined) return;
  const error = errorOf(first.error);
  throw reworded(error, { message: `sweep: all ${trials.length} trials failed; ${first.name}: ${error.message}` });
}
