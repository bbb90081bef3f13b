import { TensorError } from "@fcn/tensor";
import { firstOf } from "@fcn/tensor/internal";
import type { Command } from "commander";
import type { PixelRange } from "../../data/decode/pixelScale.js";
import { counted } from "../../data/files/words.js";
import { RANGE } from "../../data/open/options.js";
import { size, upTo } from "../../options/rules.js";
import { expandInputs, type Input } from "../../prediction/files/inputs.js";
import { OUTPUTS, type OutputName } from "../../prediction/files/outputs.js";
import { type ImageReport, type PredictSummary, runPredict } from "../../prediction/files/run.js";
import { createProgress } from "../../progress/items.js";
import { addFlags } from "../flags/addFlags.js";
import { addInferenceFlags, asWrongUse, type InferenceFlags, inferenceOptions } from "../flags/inferenceFlags.js";
import { checkFolder, parseWords, readerOf } from "../flags/options.js";
import { deviceFault } from "../output/deviceFaults.js";
import { UsageError } from "../output/errors.js";
import { printResult } from "../output/output.js";

const KINDS = Object.keys(OUTPUTS) as OutputName[];

interface PredictFlags extends InferenceFlags {
  readonly weights: string;
  readonly out: string;
  readonly save: OutputName[];
  readonly alpha: number;
  readonly simplify: number;
  readonly raw?: [number, number];
  readonly range?: PixelRange;
  readonly overwrite?: boolean;
  readonly json?: boolean;
}

export function registerPredict(program: Command): void {
  const command = program
    .command("predict")
    .description("label every pixel of images; exit code 1 when any of them failed")
    .argument("<input...>", "image files, folders of images, patterns, or - for standard input")
    .requiredOption("--weights <file>", "weights file of a training run")
    .requiredOption("--out <dir>", "folder for the results");
  addFlags(addInferenceFlags(command), RANGE)
    .option("--save <list>", `what to write: ${KINDS.join(",")}`, parseWords("--save", KINDS), ["labels", "overlay"])
    .option("--alpha <x>", "share of the colour in overlays", readerOf("--alpha", upTo(1)), 0.5)
    .option("--simplify <px>", "how far lines of polygons may move", readerOf("--simplify", upTo(1e6)), 0)
    .option("--raw <HxW>", "standard input holds raw pixels: red, green, blue, opacity", readerOf("--raw", size))
    .option("--overwrite", "write over files that are no results of fcn predict; never over the images themselves")
    .option("--json", "print one JSON object; progress goes to standard error")
    .action(predict);
}

async function predict(names: string[], flags: PredictFlags): Promise<void> {
  const { weights, out, save, raw, overwrite = false, json = false } = flags;
  await checkFolder("--out", out);
  if (names.filter((name) => name === "-").length > 1) {
    throw new UsageError("standard input was named twice", "name - once");
  }
  if (raw && !names.includes("-")) {
    throw new UsageError("--raw is for standard input, which is not read", "name - as the input, or leave --raw out");
  }
  const inputs = await expandInputs(names, { raw, out, onWarning });
  const { alpha, simplify: tolerance } = flags;
  const options = { ...inferenceOptions(flags), overlay: { alpha }, range: flags.range };
  const progress = createProgress(json ? process.stderr : process.stdout, "predicting", inputs.length);
  const onImage = (report: ImageReport): void => progress.step(describeImage(report), "error" in report);
  const written = new Set<string>();
  const onWritten = ({ name }: Input): void => void written.add(name);
  const run = { inputs, weights, out, save, options, tolerance, overwrite, onWritten };
  const summary = await runPredict(run, onImage)
    .catch((error: unknown) => {
      const rest = inputs.filter(({ name }) => !written.has(name)).map(({ name }) => name);
      const state = `the results of ${written.size} of ${counted(inputs.length, "image")} are in ${out}, not done: ${firstOf(rest, 8)}`;
      throw asWrongUse(deviceFault(error, { state, less: "--tile 256x256, --memory 512" }), flags);
    })
    .finally(() => progress.end());
  await printResult(summary, describeSummary, json);
  if (summary.failed === 0) return;
  throw new TensorError({
    code: "images-failed",
    message: `predict: ${summary.failed} of ${inputs.length} ${inputs.length === 1 ? "image" : "images"} could not be predicted`,
    fix: "see the lines that begin with error above",
  });
}

const onWarning = (text: string): void => {
  process.stderr.write(`warning: ${text}\n`);
};

function describeImage(report: ImageReport): string {
  if ("error" in report)
    return `error: ${withName(report.input, report.error.message)}; ${report.error.commandFix ?? report.error.fix}`;
  const { input, height, width, classes, files } = report;
  const largest = [...classes].sort((a, b) => b.pixels - a.pixels).slice(0, 3);
  const shares = largest.map(({ class: name, share }) => `${name} ${(100 * share).toFixed(1)} %`).join(", ");
  return `${input} ${height}x${width}: ${shares} -> ${Object.values(files).join(", ")}`;
}

/** Adds the name of the file, unless the message already begins with it. */
const withName = (name: string, message: string): string =>
  message.startsWith(`${name}: `) ? message : `${name}: ${message}`;

function describeSummary({ images, failed, out, seconds, imagesPerSecond, adapter }: PredictSummary): string {
  const done = images.length - failed;
  const speed = `${seconds.toFixed(1)} s, ${imagesPerSecond.toPrecision(3)} images/s`;
  return `${done} ${done === 1 ? "image" : "images"} in ${out} (${speed}, on ${adapter.description})\n`;
}
