import { TensorError } from "@fcn/tensor";
import type { Command } from "commander";
import { createCheckBar, createFetchBar } from "../../progress/quietBar.js";
import { createStageView } from "../../progress/stages.js";
import { OPTIMIZERS } from "../../training/optimizer/optimizers.js";
import { type TrainRunResult, trainFolds, trainRun } from "../../training/run/index.js";
import { optimizerOf } from "../../training/run/start/defaults.js";
import { recipeGives } from "../../training/settings/recipes.js";
import { FOLDS, SETTINGS } from "../../training/settings/run.js";
import type { TrainRunOptions } from "../../training/settings/runOptions.js";
import { addFlags, flagValues, givenBy } from "../flags/addFlags.js";
import { checkFolder, refuseBoth } from "../flags/checks.js";
import { JSON_OUTPUT } from "../flags/common.js";
import { addConfigFlags, furtherOptions } from "../flags/configFile.js";
import { addOpenFlags, openOptions } from "../flags/openFlags.js";
import { describeFolds, describeRun } from "../output/describeRun.js";
import { asUsage, UsageError } from "../output/errors.js";
import { printResult } from "../output/output.js";
import { stopOnInterrupt } from "../output/signals.js";

const EXIT_CODES =
  "Exit codes: 0 done, 1 failed or stopped by Ctrl-C, 2 wrong usage, 143 stopped by SIGTERM, 129 stopped by SIGHUP (the terminal was closed).";

/** Adds the flags and the action of `fcn train`. */
export function setUp(command: Command): void {
  addConfigFlags(command);
  addOpenFlags(addFlags(command, SETTINGS, (name) => (recipeGives(name) ? "the recipe's, else " : "")));
  addFlags(addFlags(command, FOLDS), JSON_OUTPUT).addHelpText("after", `\n${EXIT_CODES}`).action(run);
}

async function run(given: object, command: Command): Promise<void> {
  const { json, folds } = givenBy({ ...JSON_OUTPUT, ...FOLDS }, given);
  const further = furtherOptions(command);
  const options = { ...further.settings, ...flagValues(SETTINGS, given) } as Partial<TrainRunOptions> &
    Pick<TrainRunOptions, "data" | "out">;
  await checkFolder("--out", options.out);
  refuseBoth({ "--steps": options.steps, "--epochs": options.epochs });
  refuseBoth({ "--resume": options.resume, "--overwrite": options.overwrite }, "go on with the run, or replace it");
  refuseBoth({ "--weights": options.weights, "--pretrained": options.pretrained });
  const optimizer = optimizerOf(options);
  if (options.momentum !== undefined && !OPTIMIZERS[optimizer].hasMomentum) {
    throw new UsageError(
      `--momentum with the optimizer ${optimizer}, which has none`,
      "leave it out, or add --optimizer sgd",
    );
  }
  const stream = json ? process.stderr : process.stdout;
  const checking = createCheckBar(stream);
  const fetching = createFetchBar(process.stderr);
  const stages = createStageView(stream);
  const stop = new AbortController();
  const { unlisten, exitCode } = stopOnInterrupt(() => {
    // When a bar ends, it returns to where it began and would overwrite what was written meanwhile.
    if (stream.isTTY) {
      checking.stop();
      stages.end();
    }
    process.stderr.write("stopping; Ctrl-C again ends at once, without a checkpoint\n");
    stop.abort();
  });
  try {
    const all: TrainRunOptions = {
      pretrained: "auto",
      ...options,
      open: { ...further.open, ...openOptions(given) },
      signal: stop.signal,
      view: {
        line: (text, commandText = text) => {
          checking.stop();
          stream.write(`${commandText}\n`);
        },
        checking: checking.update,
        fetching: fetching.update,
        start: (model, steps, from, stepsPerEpoch) => {
          checking.stop();
          stages.start(model, steps, from, stepsPerEpoch);
        },
        progress: (progress) => stages.progress(progress),
        validation: (step, meanIU, loss) => stages.validation(step, meanIU, loss),
        end: () => stages.end(),
      },
    };
    if (folds !== undefined) {
      const result = await trainFolds({ ...all, folds });
      await printResult(result, describeFolds, json);
      const last = result.folds.at(-1);
      if (result.stopped && last) throw stopped(last);
      return;
    }
    const result = await trainRun(all);
    await printResult(result, describeRun, json);
    if (result.stopped) throw stopped(result);
  } catch (error) {
    const isStop = stop.signal.aborted && error instanceof Error;
    throw isStop
      ? Object.assign(error, { exitCode: exitCode() })
      : // Only the built net tells which options it has.
        asUsage(error, error instanceof TensorError && error.details?.option !== undefined);
  } finally {
    fetching.stop();
    checking.stop();
    unlisten();
  }
}

function stopped({ done, steps, out }: TrainRunResult): Error {
  const error = new Error(`train: stopped after step ${done} of ${steps}; the checkpoint is in ${out}`);
  return Object.assign(error, { fix: "go on with the same command and --resume" });
}
