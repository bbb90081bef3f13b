import { TensorError } from "@fcn/tensor";
import { reworded } from "@fcn/tensor/internal";
import type { Command } from "commander";
import type { DataRemark } from "../../data/files/remarks.js";
import { counted } from "../../data/files/words.js";
import { open } from "../../data/open/open.js";
import type { OpenOptions } from "../../data/open/openOptions.js";
import { withoutBad } from "../../data/open/skipBad.js";
import { isSkippable } from "../../data/open/skippable.js";
import { type OpenedData, type SegmentationDataset, withScale } from "../../data/samples/dataset.js";
import { type WorkerOptions, withPool } from "../../data/workers/pool.js";
import { pooledSamples } from "../../data/workers/samples.js";
import { describeEvaluation } from "../../evaluation/describe.js";
import { type EvaluateOptions, type Evaluation, evaluateMeasured } from "../../evaluation/evaluate.js";
import { COCO_SIZES } from "../../evaluation/objectSizes.js";
import { radiiRule } from "../../evaluation/scoreboard.js";
import { ADAPTER, TUNE, tunedDevice } from "../../measure/tunedDevice.js";
import { type LoadedModel, loadModels } from "../../models/file/weightsFile.js";
import { chooseFrom } from "../../options/closest.js";
import { whole } from "../../options/rules.js";
import { INFERENCE, type InferenceOptions, isTiled } from "../../prediction/inferenceOptions.js";
import { tileRemarks } from "../../prediction/tileRemarks.js";
import { createProgress } from "../../progress/items.js";
import { adapterName } from "../../report/adapter.js";
import { addFlags, flagValues, type Given, givenBy } from "../flags/addFlags.js";
import { JSON_OUTPUT, WEIGHTS, WORKERS } from "../flags/common.js";
import { addOpenFlags, openOptions } from "../flags/openFlags.js";
import { QUEUED, refuseWithoutQueue } from "../flags/queueFlags.js";
import { deviceFault } from "../output/deviceFaults.js";
import { asUsage, UsageError } from "../output/errors.js";
import { classRemarks, describeRemarks, rangeRemarks, splitRemarks, voidRemarks } from "../output/evalRemarks.js";
import { printResult } from "../output/output.js";
import { evalQueued, oneOrAll } from "./evalQueued.js";

const OPTIONS = {
  data: {
    flag: "--data <dir>",
    help: "a folder with images/ and masks/, or a published data set, here or in a bucket (s3://)",
    isRequired: true,
  },
  ...WEIGHTS,
  split: { flag: "--split <name>", help: "the part of the data to score", fallback: "val" },
  batch: { flag: "--batch <n>", help: "images of the same size to predict at a time", rule: whole(1), fallback: 1 },
  radii: {
    flag: "--radii <list>",
    help: "distances from boundaries, in pixels, within which pixels are also scored separately",
    rule: radiiRule,
    fallback: [1, 2, 4, 8, 16],
    fallbackText: "1,2,4,8,16",
  },
  adapter: ADAPTER,
  tune: TUNE,
  ...QUEUED,
  ...WORKERS,
  ...JSON_OUTPUT,
} as const;

/** Adds the flags and the action of `fcn eval`. */
export const setUp = (command: Command): void =>
  void addOpenFlags(addFlags(addFlags(command, OPTIONS), INFERENCE)).action(run);

/** The flags of one command line, by the tables that they belong to. */
interface EvalFlags extends Given<typeof OPTIONS> {
  readonly inference: InferenceOptions;
  readonly open: OpenOptions;
}

async function run(given: object): Promise<void> {
  const flags: EvalFlags = {
    ...givenBy(OPTIONS, given),
    inference: flagValues(INFERENCE, given),
    open: openOptions(given),
  };
  const { queue, attach, chunk } = flags;
  refuseWithoutQueue(queue, { "--attach": attach, "--chunk": chunk });
  if (queue !== undefined) return evalQueued({ ...flags, queue });
  const { opened, dataset: own } = await openSplit(flags);
  const device = await tunedDevice(flags);
  const scored = { images: 0 };
  try {
    const loaded = await loadModels(flags.weights, device);
    const { classes, preprocessing } = loaded[0].metadata;
    const [weights, model] = [oneOrAll(flags.weights), oneOrAll(loaded.map(({ metadata }) => metadata.model))];
    // A given range applies to the net as well.
    const dataset = flags.open.range === undefined && preprocessing.range ? withScale(own, preprocessing) : own;
    const remarks = [
      ...rangeRemarks(flags.data, opened, preprocessing),
      ...classRemarks(flags.data, flags.weights[0] as string, opened.classes, classes, opened.layout),
      ...(await splitRemarks(opened, flags.split)),
      ...loaded.flatMap((each, i) =>
        tileRemarks(flags.weights[i] as string, each.model, flags.inference.tile !== undefined),
      ),
    ];
    tell(remarks);
    const start = performance.now();
    const scores = await score(loaded, dataset, flags, scored);
    const seconds = (performance.now() - start) / 1000;
    const unscored = voidRemarks(flags.data, flags.split, scores.confusion);
    tell(unscored);
    const { software } = device.info;
    const summary = {
      data: flags.data,
      split: flags.split,
      images: dataset.length,
      weights,
      model,
      classes,
      remarks: [...remarks, ...unscored],
      ...(opened.leftOut ? { leftOut: opened.leftOut } : {}),
      adapter: { description: adapterName(device.info), software },
      seconds,
      ...scores,
    };
    await printResult(summary, describeEvaluation, flags.json);
  } catch (error) {
    const state = `${scored.images} of ${counted(own.length, "image")} were evaluated, which is no score of the whole`;
    throw deviceFault(error, { state, less: "--batch 1, --tile 256x256, --memory 512" });
  } finally {
    device.destroy();
  }
}

function tell(remarks: readonly DataRemark[]): void {
  for (const line of describeRemarks(remarks)) process.stderr.write(`${line}\n`);
}

async function score(
  loaded: readonly LoadedModel[],
  dataset: SegmentationDataset,
  flags: EvalFlags,
  scored: { images: number },
): Promise<Evaluation> {
  const stream = flags.json || !process.stdout.isTTY ? process.stderr : process.stdout;
  const progress = createProgress(stream, "evaluating", dataset.length);
  const options: EvaluateOptions = {
    ...flags.inference,
    batchSize: flags.batch,
    boundary: { radii: flags.radii },
    sizes: COCO_SIZES,
    onProgress: (done, total) => {
      scored.images = done;
      progress.step(`evaluated ${done}/${total} ${dataset.name(done - 1)}`);
    },
  };
  try {
    return await withPool(threads(flags), dataset.length, (pool) =>
      evaluateMeasured(loaded, pooledSamples(dataset, pool), options, { names: flags.weights }),
    );
  } catch (error) {
    throw asUsage(withFlag(error, flags), isTiled(flags.inference));
  } finally {
    progress.end();
  }
}

const threads = ({ workers }: EvalFlags): WorkerOptions => (workers === undefined ? {} : { workers });

/** Opens the data and looks for unusable images only in the split to be measured. */
async function openSplit(flags: EvalFlags): Promise<{ opened: OpenedData; dataset: SegmentationDataset }> {
  const { skipBad = false, ...options } = { ...flags.open, ...threads(flags) };
  const opened = await open(flags.data, options);
  const dataset = splitOf(opened, flags.split);
  if (!skipBad) return { opened, dataset };
  const { splits, ...found } = await withoutBad({ ...opened, splits: { [flags.split]: dataset } }, threads(flags));
  return { opened: { ...found, splits: { ...opened.splits, ...splits } }, dataset: splits[flags.split] ?? dataset };
}

/** Adds --skip-bad to the remedy for an unusable image, unless the flag is set already. */
function withFlag(error: unknown, { open: { skipBad } }: EvalFlags): unknown {
  if (!(error instanceof TensorError) || skipBad || !isSkippable(error.code)) return error;
  const fix = error.commandFix ?? error.fix;
  return reworded(error, { fix: { code: error.fix, command: `${fix}; or leave out what cannot be used: --skip-bad` } });
}

function splitOf({ root, splits }: OpenedData, name: string): SegmentationDataset {
  const names = Object.keys(splits);
  const dataset = Object.hasOwn(splits, name) ? splits[name] : undefined;
  if (!dataset)
    throw new UsageError(
      `--split is "${name}"`,
      names.length <= 3 ? `use ${names.join(" or ")}` : chooseFrom(name, names, `fcn data check ${root}`),
    );
  if (dataset.length > 0) return dataset;
  throw new TensorError({
    code: "missing-data",
    message: `${root}: the split ${name} holds no labelled images`,
    fix: "look at the folder with fcn data check",
  });
}
