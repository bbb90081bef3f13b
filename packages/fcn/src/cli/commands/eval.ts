import { createDevice, TensorError } from "@fcn/tensor";
import { reworded } from "@fcn/tensor/internal";
import type { Command } from "commander";
import type { DataRemark } from "../../data/files/remarks.js";
import { counted } from "../../data/files/words.js";
import { open } from "../../data/open/open.js";
import { withoutBad } from "../../data/open/skipBad.js";
import { isSkippable } from "../../data/open/skippable.js";
import { type OpenedData, type SegmentationDataset, withScale } from "../../data/samples/dataset.js";
import { type WorkerOptions, withPool } from "../../data/workers/pool.js";
import { pooledSamples } from "../../data/workers/samples.js";
import { describeEvaluation } from "../../evaluation/describe.js";
import { type EvaluateOptions, type Evaluation, evaluate } from "../../evaluation/evaluate.js";
import { COCO_SIZES } from "../../evaluation/objectSizes.js";
import { radiiRule } from "../../evaluation/scoreboard.js";
import { savedTuning } from "../../measure/savedTuning.js";
import { loadModel } from "../../models/file/weightsFile.js";
import { whole } from "../../options/rules.js";
import { createProgress } from "../../progress/items.js";
import { adapterName } from "../../report/adapter.js";
import { addInferenceFlags, asWrongUse, type InferenceFlags, inferenceOptions } from "../flags/inferenceFlags.js";
import { addOpenFlags, type OpenFlags, openOptions } from "../flags/openFlags.js";
import { readerOf } from "../flags/options.js";
import { deviceFault } from "../output/deviceFaults.js";
import { UsageError } from "../output/errors.js";
import { classRemarks, describeRemarks, rangeRemarks, splitRemarks, voidRemarks } from "../output/evalRemarks.js";
import { printResult } from "../output/output.js";

interface EvalFlags extends InferenceFlags, OpenFlags {
  readonly data: string;
  readonly weights: string;
  readonly split: string;
  readonly batch: number;
  readonly radii: number[];
  readonly workers?: number;
  readonly json?: boolean;
}

export function registerEval(program: Command): void {
  const command = program
    .command("eval")
    .description("score a net on labelled images: the four metrics, every class, boundaries, and sizes of objects")
    .requiredOption("--data <dir>", "a folder with images/ and masks/, or a published data set")
    .requiredOption("--weights <file>", "weights file of a training run")
    .option("--split <name>", "the part of the data", "val")
    .option("--batch <n>", "images of one size predicted at a time", readerOf("--batch", whole(1)), 1);
  addOpenFlags(addInferenceFlags(command))
    .option("--radii <list>", "distances from boundaries", readerOf("--radii", radiiRule), [1, 2, 4, 8, 16])
    .option("--workers <n>", "threads that decode; 0 for none", readerOf("--workers", whole(0)))
    .option("--json", "print one JSON object; progress goes to standard error")
    .action(run);
}

async function run(flags: EvalFlags): Promise<void> {
  const { opened, dataset: own } = await openSplit(flags);
  const device = await createDevice({ tuning: savedTuning });
  const scored = { images: 0 };
  try {
    const loaded = await loadModel(flags.weights, device);
    const { model, classes, preprocessing } = loaded.metadata;
    // A given range applies to the net as well.
    const dataset = flags.range === undefined && preprocessing.range ? withScale(own, preprocessing) : own;
    const remarks = [
      ...rangeRemarks(flags.data, opened, preprocessing),
      ...classRemarks(flags.data, flags.weights, opened.classes, classes, opened.layout),
      ...(await splitRemarks(opened, flags.split)),
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
      weights: flags.weights,
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
  loaded: Awaited<ReturnType<typeof loadModel>>,
  dataset: SegmentationDataset,
  flags: EvalFlags,
  scored: { images: number },
): Promise<Evaluation> {
  const stream = flags.json || !process.stdout.isTTY ? process.stderr : process.stdout;
  const progress = createProgress(stream, "evaluating", dataset.length);
  const options: EvaluateOptions = {
    ...inferenceOptions(flags),
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
      evaluate(loaded, pooledSamples(dataset, pool), options),
    );
  } catch (error) {
    throw asWrongUse(withFlag(error, flags), flags);
  } finally {
    progress.end();
  }
}

const threads = ({ workers }: EvalFlags): WorkerOptions => (workers === undefined ? {} : { workers });

/** Opens the data and looks for unusable images only in the split to be measured. */
async function openSplit(flags: EvalFlags): Promise<{ opened: OpenedData; dataset: SegmentationDataset }> {
  const { skipBad = false, ...options } = { ...openOptions(flags), ...threads(flags) };
  const opened = await open(flags.data, options);
  const dataset = splitOf(opened, flags.split);
  if (!skipBad) return { opened, dataset };
  const { splits, ...found } = await withoutBad({ ...opened, splits: { [flags.split]: dataset } }, threads(flags));
  return { opened: { ...found, splits: { ...opened.splits, ...splits } }, dataset: splits[flags.split] ?? dataset };
}

/** Adds --skip-bad to the remedy for an unusable image, unless the flag is set already. */
function withFlag(error: unknown, { skipBad }: EvalFlags): unknown {
  if (!(error instanceof TensorError) || skipBad || !isSkippable(error.code)) return error;
  const fix = error.commandFix ?? error.fix;
  return reworded(error, { fix: { code: error.fix, command: `${fix}; or leave out what cannot be used: --skip-bad` } });
}

function splitOf({ root, splits }: OpenedData, name: string): SegmentationDataset {
  const names = Object.keys(splits);
  const dataset = Object.hasOwn(splits, name) ? splits[name] : undefined;
  if (!dataset) throw new UsageError(`--split is "${name}"`, `use ${names.join(" or ")}`);
  if (dataset.length > 0) return dataset;
  throw new TensorError({
    code: "missing-data",
    message: `${root}: the split ${name} holds no labelled images`,
    fix: "look at the folder with fcn data check",
  });
}
