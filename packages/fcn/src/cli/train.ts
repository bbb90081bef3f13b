import { hasCode } from "@fcn/tensor";
import type { Command } from "commander";
import { type SampleOrder, sampleOrders } from "../data/loader/plan.js";
import { PREPROCESSINGS } from "../data/published/means.js";
import { list } from "../models/index.js";
import { createCheckBar } from "../progress/quietBar.js";
import { createStageView } from "../progress/stages.js";
import { type ClassBalancing, classBalancings } from "../training/classWeights.js";
import { type CriterionName, criterionNames } from "../training/criteria.js";
import { type LossNormalization, lossNames } from "../training/losses.js";
import { hasMomentum, type OptimizerName, optimizerNames } from "../training/optimizers.js";
import { listRecipes, type RecipeName } from "../training/recipes.js";
import { type TrainRunResult, trainRun } from "../training/run/index.js";
import { type ScheduleName, scheduleNames } from "../training/schedules.js";
import { describeRun } from "./describeRun.js";
import { UsageError } from "./errors.js";
import { addOpenFlags, type OpenFlags, openOptions } from "./openFlags.js";
import {
  checkFolder,
  collectFactors,
  collectSettings,
  parseChoice,
  parseFromZero,
  parseModel,
  parseNumber,
  parseSize,
  parseWhole,
} from "./options.js";
import { printResult } from "./output.js";
import { stopOnInterrupt } from "./signals.js";

const PREPROCESSING_NAMES = Object.keys(PREPROCESSINGS) as (keyof typeof PREPROCESSINGS)[];

interface TrainFlags extends OpenFlags {
  readonly data: string;
  readonly model?: string;
  readonly out: string;
  readonly weights?: string;
  readonly prefix?: string;
  readonly steps?: number;
  readonly epochs?: number;
  readonly batch?: number;
  readonly crop?: [number, number];
  readonly lr?: number;
  readonly lrMultiplier?: Readonly<Record<string, number>>;
  readonly heads?: Readonly<Record<string, number>>;
  readonly recipe?: RecipeName;
  readonly seed?: number;
  readonly resume?: boolean;
  readonly overwrite?: boolean;
  readonly optimizer?: OptimizerName;
  readonly weightDecay?: number;
  readonly momentum?: number;
  readonly iterSize?: number;
  readonly schedule?: ScheduleName;
  readonly warmUp?: number;
  readonly criterion?: CriterionName;
  readonly loss?: LossNormalization;
  readonly classWeights?: ClassBalancing;
  readonly order?: SampleOrder;
  readonly scale?: number;
  readonly clipNorm?: number;
  readonly freezeBatchNorm?: boolean;
  readonly width?: number;
  readonly modelOption?: Readonly<Record<string, unknown>>;
  readonly preprocessing?: keyof typeof PREPROCESSINGS;
  readonly validateEvery?: number;
  readonly checkpointEvery?: number;
  readonly workers?: number;
  readonly json?: boolean;
}

/** Adds `fcn train`. */
export function registerTrain(program: Command): void {
  const command = program
    .command("train")
    .description("train a net on a folder of labelled pictures; the folder is checked first")
    .requiredOption("--data <dir>", "a folder with images/ and masks/, or another that `fcn data check` knows")
    .option(
      "--model <name>",
      "such as fcn16s-mobilenetv2; not needed where --weights or the run that goes on tells it",
      parseModel,
    )
    .requiredOption("--out <dir>", "folder for weights, checkpoint, metrics.csv and report.html")
    .option("--weights <file>", "weights to start from, of these or of other classes")
    .option("--prefix <text>", "of --weights: what stands before the names of the net in the file, such as student.")
    .option("--steps <n>", "training steps", parseWhole("--steps", 1))
    .option(
      "--epochs <n>",
      "passes over the training pictures, in place of --steps; batches go on from one pass into the next, so that all are full and none is left out (default: 20)",
      parseWhole("--epochs", 1),
    )
    .option("--batch <n>", "pictures of a batch; no more than there are to train on", parseWhole("--batch", 1))
    .option("--crop <HxW>", "train on random windows of this size", parseSize("--crop"))
    .option("--lr <x>", "learning rate of the first step", parseNumber("--lr"))
    .option(
      "--lr-multiplier <name=factor,...>",
      "factors on the learning rate of parameters or of what lies below a module, by name with * for any characters: 'score*=10,backbone=0.1'; where several meet a parameter they multiply, those of the recipe too, but one of a name that the recipe has takes its place",
      collectFactors(
        "--lr-multiplier",
        "names, each with a factor from 0 on, such as score*=10,backbone=0.1",
        (factor) => factor >= 0 && Number.isFinite(factor),
      ),
    )
    .option(
      "--heads <name=weight,...>",
      "the heads of the net that are trained, each with the weight of its loss, such as out=1,aux=0.4 (default: the recipe's, else out, or all of a net without one)",
      collectFactors(
        "--heads",
        "names, each with a weight above 0, such as out=1,aux=0.4",
        (weight) => weight > 0 && Number.isFinite(weight),
      ),
    )
    .option(
      "--recipe <name>",
      `a published recipe: ${listRecipes().join(", ")}`,
      parseChoice("--recipe", listRecipes()),
    )
    .option("--seed <n>", "fixes initial values, order and changes of the pictures", parseWhole("--seed", 0), 0)
    .option("--resume", "go on from the last checkpoint in --out; more --steps or --epochs lengthen the run")
    .option("--overwrite", "replace the run or the net that --out holds")
    .option("--optimizer <name>", `${optimizerNames().join(" or ")}`, parseChoice("--optimizer", optimizerNames()))
    .option(
      "--weight-decay <x>",
      "of the optimizer (default: the recipe's, else 0.01 for adamw, 5e-4 for sgd)",
      parseFromZero("--weight-decay"),
    )
    .option("--momentum <x>", "of sgd (default: the recipe's, else 0.9)", parseFromZero("--momentum", 1))
    .option("--iter-size <n>", "batches whose gradients are added up for one step", parseWhole("--iter-size", 1))
    .option(
      "--schedule <name>",
      `of the learning rate: ${scheduleNames().join(", ")}`,
      parseChoice("--schedule", scheduleNames()),
    )
    .option("--warm-up <n>", "steps over which the learning rate rises", parseWhole("--warm-up", 0))
    .option(
      "--criterion <name>",
      `what is lowered: ${criterionNames().join(", ")}`,
      parseChoice("--criterion", criterionNames()),
    )
    .option(
      "--loss <name>",
      `how pixels are added up: ${lossNames().join(", ")} (default: the recipe's, else mean)`,
      parseChoice("--loss", lossNames()),
    )
    .option(
      "--class-weights <how>",
      "rare classes count more: inverse (by inverse frequency), or median (median frequency balancing)",
      parseChoice("--class-weights", classBalancings()),
    )
    .option(
      "--order <how>",
      "of the pictures in a pass: shuffle, sequential, or replacement (each drawn from all) (default: the recipe's, else shuffle)",
      parseChoice("--order", sampleOrders()),
    )
    .option("--scale <x>", "also scale pictures at random, by up to this factor either way", parseNumber("--scale"))
    .option("--clip-norm <x>", "largest norm of the gradients of a step", parseNumber("--clip-norm"))
    .option("--freeze-batch-norm", "keep the statistics of batch norm, for pretrained weights and small batches")
    .option("--width <x>", "factor on the channels of the net", parseNumber("--width"))
    .option(
      "--model-option <name=value>",
      "a further option of the net, such as dropout=0.5; may be given many times",
      collectSettings("--model-option"),
    )
    .option(
      "--preprocessing <name>",
      `how pictures become numbers: ${PREPROCESSING_NAMES.join(", ")} (default: that of the weights or the data; else caffe for weights of a net with names of Caffe, or imagenet)`,
      parseChoice("--preprocessing", PREPROCESSING_NAMES),
    )
    .option(
      "--validate-every <n>",
      "steps between two validations (default: about an epoch)",
      parseWhole("--validate-every", 1),
    )
    .option(
      "--checkpoint-every <n>",
      "steps between two checkpoints (default: as --validate-every)",
      parseWhole("--checkpoint-every", 1),
    )
    .option("--workers <n>", "threads that decode; 0 for none", parseWhole("--workers", 0));
  addOpenFlags(command)
    .option("--json", "print one JSON object; progress goes to standard error")
    .addHelpText("after", `\n${EXIT_CODES}`)
    .action(run);
}

const EXIT_CODES =
  "Exit codes: 0 done, 1 failed or stopped by Ctrl-C, 2 wrong usage, 143 stopped by SIGTERM, 129 by SIGHUP (end of the terminal).";

async function run(flags: TrainFlags): Promise<void> {
  const { json, batch, lr, lrMultiplier, scale, width, modelOption, preprocessing, crop, ...options } = flags;
  await checkFolder("--out", options.out);
  if (options.steps !== undefined && options.epochs !== undefined) {
    throw new UsageError("--steps and --epochs exclude each other", "give one of them");
  }
  if (options.resume && options.overwrite) {
    throw new UsageError("--resume and --overwrite exclude each other", "go on with the run, or replace it");
  }
  if (options.model === undefined && options.weights === undefined && !options.resume) {
    throw new UsageError(
      "--model is missing",
      `name one of: ${list().slice(0, 6).join(", ")}, ... or give --weights of a run`,
    );
  }
  if (scale !== undefined && scale < 1)
    throw new UsageError(`--scale is ${scale}`, "use a factor from 1 on, such as 1.5");
  const optimizer = options.optimizer ?? (options.recipe === undefined ? "adamw" : "sgd");
  if (options.momentum !== undefined && !hasMomentum(optimizer)) {
    throw new UsageError(
      `--momentum with the optimizer ${optimizer}, which has none`,
      "leave it out, or add --optimizer sgd",
    );
  }
  const stream = json ? process.stderr : process.stdout;
  const checking = createCheckBar(stream);
  const stages = createStageView(stream);
  const stop = new AbortController();
  const { unlisten, exitCode } = stopOnInterrupt(() => {
    // A bar goes back to where it began when it ends, over what was written meanwhile.
    if (stream.isTTY) {
      checking.stop();
      stages.end();
    }
    process.stderr.write("stopping; Ctrl-C again ends at once, without a checkpoint\n");
    stop.abort();
  });
  try {
    const result = await trainRun({
      ...options,
      open: openOptions(flags),
      ...(batch === undefined ? {} : { batchSize: batch }),
      ...(lr === undefined ? {} : { learningRate: lr }),
      ...(lrMultiplier === undefined ? {} : { multipliers: { layers: factorsOf(lrMultiplier) } }),
      ...(crop === undefined ? {} : { crop }),
      ...(scale === undefined ? {} : { augmentation: { scale: [1 / scale, scale] as const } }),
      modelOptions: { ...(width === undefined ? {} : { widthMultiplier: width }), ...modelOption },
      ...(preprocessing === undefined ? {} : { preprocessing: PREPROCESSINGS[preprocessing] }),
      signal: stop.signal,
      view: {
        line: (text, commandText = text) => {
          checking.stop();
          stream.write(`${commandText}\n`);
        },
        checking: checking.update,
        start: (model, steps, from) => {
          checking.stop();
          stages.start(model, steps, from);
        },
        progress: (progress) => stages.progress(progress),
        validation: (step, meanIU) => stages.validation(step, meanIU),
        end: () => stages.end(),
      },
    });
    await printResult(result, describeRun, json);
    if (result.stopped) throw stopped(result);
  } catch (error) {
    const isStop = stop.signal.aborted && error instanceof Error;
    throw isStop ? Object.assign(error, { exitCode: exitCode() }) : asWrongUse(error);
  } finally {
    checking.stop();
    unlisten();
  }
}

/** Which options a net has is known only when it is made. */
function asWrongUse(error: unknown): unknown {
  const isOption = hasCode(error, "invalid-argument") && error.details?.option !== undefined;
  return isOption ? new UsageError(error.message, error.fix) : error;
}

const factorsOf = (rates: Readonly<Record<string, number>>): Record<string, { lr: number }> =>
  Object.fromEntries(Object.entries(rates).map(([name, lr]) => [name, { lr }]));

function stopped({ done, steps, out }: TrainRunResult): Error {
  const error = new Error(`train: stopped after step ${done} of ${steps}; the checkpoint is in ${out}`);
  return Object.assign(error, { fix: "go on with the same command and --resume" });
}
