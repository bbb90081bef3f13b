import { firstOf } from "@fcn/tensor/internal";
import type { Command } from "commander";
import { counted } from "../../data/files/words.js";
import { RANGE } from "../../data/open/range.js";
import { ADAPTER, TUNE } from "../../measure/tunedDevice.js";
import { size, upTo } from "../../options/rules.js";
import { isRemote } from "../../places/address.js";
import { expandInputs, type Input } from "../../prediction/files/inputs.js";
import { OUTPUTS, type OutputName } from "../../prediction/files/outputs.js";
import { type ImageReport, type PredictSummary, runPredict } from "../../prediction/files/run.js";
import { INFERENCE, isTiled } from "../../prediction/inferenceOptions.js";
import { createProgress } from "../../progress/items.js";
import { addFlags, flagValues, givenBy } from "../flags/addFlags.js";
import { checkFolder, refuseBoth } from "../flags/checks.js";
import { JSON_OUTPUT, WEIGHTS } from "../flags/common.js";
import { QUEUED, refuseWithoutQueue } from "../flags/queueFlags.js";
import { someOf } from "../flags/readers.js";
import { describeImage, throwIfFailed } from "../output/describePrediction.js";
import { deviceFault } from "../output/deviceFaults.js";
import { asUsage, UsageError } from "../output/errors.js";
import { describeRemarks } from "../output/evalRemarks.js";
import { printResult } from "../output/output.js";
import { predictQueued } from "./predictQueued.js";

const KINDS = Object.keys(OUTPUTS) as OutputName[];

const OPTIONS = {
  weights: {
    ...WEIGHTS.weights,
    help: `${WEIGHTS.weights.help}; also as addresses; after the first, what does not end in .safetensors is an image`,
  },
  out: {
    flag: "--out <dir>",
    help: "folder for the results, or an address: s3://bucket/prefix, or https://host/path that takes files",
    isRequired: true,
  },
  save: {
    flag: "--save <list>",
    help: `what to write: ${KINDS.join(",")}`,
    reader: someOf(KINDS),
    fallbackText: "labels,overlay; of images too large to be held, labels",
  },
  alpha: { flag: "--alpha <x>", help: "share of the colour in overlays, 0 to 1", rule: upTo(1), fallback: 0.5 },
  simplify: { flag: "--simplify <px>", help: "how far the lines of polygons may move", rule: upTo(1e6), fallback: 0 },
  raw: {
    flag: "--raw <HxW>",
    help: "standard input holds raw pixels of four bytes each: red, green, blue, opacity",
    reader: size,
  },
  adapter: ADAPTER,
  tune: TUNE,
  ...QUEUED,
  overwrite: {
    flag: "--overwrite",
    help: "overwrite files that are not results of fcn predict; the images themselves are never overwritten",
  },
  ...JSON_OUTPUT,
} as const;

/** How the net is given the images. */
const INPUT = { ...INFERENCE, ...RANGE };

/** Adds the operand, the flags and the action of `fcn predict`. */
export function setUp(command: Command): void {
  command.argument(
    "[input...]",
    "image files, folders of images, patterns, addresses (https://, s3://), or - for standard input",
  );
  addFlags(addFlags(command, OPTIONS), INPUT).action(run);
}

async function run(operands: string[], given: object): Promise<void> {
  const {
    weights: files,
    out,
    save,
    raw,
    adapter,
    tune,
    overwrite = false,
    json = false,
    queue: address,
    attach,
    chunk,
    ...flags
  } = givenBy(OPTIONS, given);
  const input = flagValues(INPUT, given);
  refuseWithoutQueue(address, { "--attach": attach, "--chunk": chunk });
  if (address !== undefined && attach !== undefined) return predictQueued({ queue: address, attach }, json);
  if (!isRemote(out)) await checkFolder("--out", out);
  const [weights, images] = apart(files);
  const names = [...operands, ...images];
  if (names.length === 0) {
    throw new UsageError("no image is named", "name image files, folders of images, patterns, or - for standard input");
  }
  if (names.filter((name) => name === "-").length > 1) {
    throw new UsageError("standard input was named twice", "name - once");
  }
  if (raw && !names.includes("-")) {
    throw new UsageError(
      "--raw is for standard input, which is not among the inputs",
      "name - as the input, or leave --raw out",
    );
  }
  const { alpha, simplify: tolerance } = flags;
  const options = { ...input, overlay: { alpha } };
  if (address !== undefined) {
    refuseBoth({ "--queue": address, "--raw": raw });
    const all = { ...options, weights, out, save, tolerance, overwrite, ...(chunk && { chunk }) };
    return predictQueued({ queue: address, names, options: all }, json);
  }
  const inputs = await expandInputs(names, { raw, out, onWarning });
  const progress = createProgress(json ? process.stderr : process.stdout, "predicting", inputs.length);
  const onImage = (report: ImageReport): void => progress.step(describeImage(report), "error" in report);
  const written = new Set<string>();
  const onWritten = ({ name }: Input): void => void written.add(name);
  const job = {
    inputs,
    weights,
    out,
    save,
    options,
    tolerance,
    overwrite,
    onWritten,
    ...(tune && { tune }),
    ...(adapter && { adapter }),
  };
  const summary = await runPredict(job, onImage)
    .catch((error: unknown) => {
      const rest = inputs.filter(({ name }) => !written.has(name)).map(({ name }) => name);
      const state = `the results of ${written.size} of ${counted(inputs.length, "image")} are in ${out}, not done: ${firstOf(rest, 8)}`;
      throw asUsage(deviceFault(error, { state, less: "--tile 256x256, --memory 512" }), isTiled(input));
    })
    .finally(() => progress.end());
  for (const line of describeRemarks(summary.remarks)) process.stderr.write(`${line}\n`);
  await printResult(summary, describeSummary, json);
  throwIfFailed(summary.failed, inputs.length);
}

/** The weights and the images that follow them; commander takes both for weights. */
function apart([first = "", ...rest]: readonly string[]): [weights: string[], images: string[]] {
  const isWeights = (file: string): boolean => file.endsWith(".safetensors");
  return [[first, ...rest.filter(isWeights)], rest.filter((file) => !isWeights(file))];
}

const onWarning = (text: string): void => {
  process.stderr.write(`warning: ${text}\n`);
};

function describeSummary({ images, failed, out, seconds, imagesPerSecond, adapter }: PredictSummary): string {
  const done = images.length - failed;
  const speed = `${seconds.toFixed(1)} s, ${imagesPerSecond.toPrecision(3)} images/s`;
  return `${done} ${done === 1 ? "image" : "images"} in ${out} (${speed}, on ${adapter.description})\n`;
}
