import { createDevice } from "@fcn/tensor";
import { firstOf } from "@fcn/tensor/internal";
import type { Command } from "commander";
import { counted } from "../../data/files/words.js";
import { PREPROCESSINGS } from "../../data/published/means.js";
import { refuseSameFile } from "../../files/write.js";
import { assignments, oneOf, whole } from "../../options/rules.js";
import { createQuietBar } from "../../progress/quietBar.js";
import { type ConvertOptions, type ConvertReport, convert, outputFormat } from "../../weights/convert.js";
import { convertNet, type NetDescription } from "../../weights/convertNet.js";
import { NAME_MAPS } from "../../weights/nameMaps.js";
import { TENSORFLOW_MAPS } from "../../weights/tensorflow/open.js";
import { classNames } from "../flags/classNames.js";
import { parseModel, readerOf } from "../flags/options.js";
import { UsageError } from "../output/errors.js";
import { printResult } from "../output/output.js";

type PreprocessingName = keyof typeof PREPROCESSINGS;
const PREPROCESSING_NAMES = Object.keys(PREPROCESSINGS) as PreprocessingName[];

interface ConvertFlags {
  readonly names?: string;
  readonly prefix?: string;
  readonly key?: string;
  readonly opaque?: readonly string[];
  readonly model?: string;
  readonly modelOption?: Readonly<Record<string, unknown>>;
  readonly classes?: string;
  readonly numClasses?: number;
  readonly preprocessing?: PreprocessingName;
  readonly json?: boolean;
}

const MIB = 2 ** 20;
const MAPS = { ...NAME_MAPS, ...TENSORFLOW_MAPS };

export function registerConvert(program: Command): void {
  program
    .command("convert")
    .description("write weights of PyTorch, Caffe, numpy, TensorFlow.js or safetensors as .safetensors or .npz")
    .argument(
      "<in>",
      "file to read: .pth, .pt, .caffemodel, .npz or .safetensors, told apart by its content; or a model.json of TensorFlow.js",
    )
    .argument("<out>", "file to write: its ending, .safetensors or .npz, is the format")
    .option("--names <map>", "give the arrays the names of another library, see below", parseMap)
    .option(
      "--prefix <text>",
      "what stands before the names of the net in the file, such as student.: it is dropped, and arrays without it are left out (default: with --model, what fits the net)",
    )
    .option("--key <key>", "which state dict of a PyTorch checkpoint to take, such as model")
    .option("--opaque <class...>", "classes of a PyTorch file to read as inert data, such as package.Class")
    .option(
      "--model <name>",
      "the weights are those of this whole net, such as fcn_resnet50: it is tried, and the new file says so, for fcn eval, predict and export",
      parseModel,
    )
    .option(
      "--classes <file|names>",
      "with --model: names in the order of the scores, a,b,c or a file with one a line or a JSON list",
    )
    .option(
      "--num-classes <n>",
      "with --model, in place of --classes (default: as many as the file scores)",
      readerOf("--num-classes", whole(1)),
    )
    .option(
      "--preprocessing <name>",
      `with --model: how images become numbers: ${PREPROCESSING_NAMES.join(", ")} (default: that of the published net)`,
      readerOf("--preprocessing", oneOf(PREPROCESSING_NAMES)),
    )
    .option(
      "--model-option <name=value>",
      "with --model: an option of the net, such as deconv=learned; may be given many times",
      readerOf("--model-option", assignments),
    )
    .option("--json", "print one JSON object; progress goes to standard error")
    .addHelpText("after", mapsHelp())
    .action(run);
}

function mapsHelp(): string {
  const width = Math.max(...Object.keys(MAPS).map((name) => name.length));
  const lines = Object.entries(MAPS).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return `\nName maps:\n${lines.join("\n")}\n\nHalf precision becomes float32. Nothing in a PyTorch file is executed.`;
}

function parseMap(name: string): string {
  if (Object.hasOwn(MAPS, name)) return name;
  throw new UsageError(`--names is "${name}"`, `use one of: ${Object.keys(MAPS).join(", ")}`);
}

async function run(input: string, output: string, flags: ConvertFlags): Promise<void> {
  const { names, prefix, key, opaque, json } = flags;
  if (outputFormat(output) === undefined) {
    throw new UsageError(
      `the output ${output} ends in neither .safetensors nor .npz`,
      "name it x.safetensors or x.npz",
    );
  }
  await refuseSameFile("convert", output, [input]);
  const net = await describedNet(flags);
  const format = "{bar} {percentage}%  {done} of {all} MiB";
  const bar = createQuietBar(process.stderr, format, { barsize: 28 }, (done, total) => ({
    done: Math.round(done / MIB),
    all: Math.round(total / MIB),
  }));
  const settings = { names, prefix, key, opaque, onProgress: bar.update, net };
  const report = await converted(input, output, settings).finally(bar.stop);
  await printResult(report, (all) => describe(input, output, all), json);
}

async function converted(
  input: string,
  output: string,
  { net, ...options }: ConvertOptions & { readonly net: NetDescription | undefined },
): Promise<ConvertReport> {
  if (net === undefined) return convert(input, output, options);
  const device = await createDevice();
  try {
    return await convertNet(input, output, { ...options, device, net });
  } finally {
    device.destroy();
  }
}

/** The net that --model and its related options describe, or undefined without them. */
async function describedNet(flags: ConvertFlags): Promise<NetDescription | undefined> {
  const { model, modelOption = {}, classes, numClasses, preprocessing } = flags;
  if (model === undefined) {
    const stray = (["classes", "numClasses", "preprocessing", "modelOption"] as const).find(
      (name) => flags[name] !== undefined,
    );
    if (stray === undefined) return undefined;
    const option = `--${stray.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw new UsageError(`${option} without --model`, "name the net that the weights are of, or leave the option out");
  }
  const names = classes === undefined ? undefined : await classNames(classes);
  if (names && numClasses !== undefined && names.length !== numClasses) {
    throw new UsageError(
      `--classes names ${names.length} classes, but --num-classes is ${numClasses}`,
      "give one of them",
    );
  }
  return {
    model,
    modelOptions: { ...modelOption, ...(numClasses === undefined ? {} : { numClasses }) },
    classes: names,
    preprocessing: preprocessing && PREPROCESSINGS[preprocessing],
  };
}

function describe(input: string, output: string, report: ConvertReport): string {
  const { from, key, arrays, bytes, renamed, reshaped, ignored, skipped, dropped, unused, lostMetadata } = report;
  const changes = [
    [renamed.length, "renamed"],
    [reshaped.length, "reshaped"],
  ].flatMap(([count, word]) => ((count as number) > 0 ? [`${count} ${word}`] : []));
  const lines = [
    `read     ${input} (${from}${key === null ? "" : `, key ${JSON.stringify(key)}`})`,
    `wrote    ${output}: ${[`${arrays} arrays`, `${(bytes / MIB).toFixed(1)} MiB`, ...changes].join(", ")}`,
  ];
  if (dropped.length > 0) lines.push(`dropped  ${showNames(dropped)} from the names`);
  if (unused.length > 0) lines.push(`left out ${counted(unused.length, "array")} beside that: ${showNames(unused)}`);
  for (const { name, reason } of skipped) lines.push(`not read ${showNames([name])}: ${reason}`);
  if (ignored.length > 0) lines.push(`no array ${showNames(ignored)}`);
  if (lostMetadata.length > 0) lines.push(`lost     metadata that .npz has no place for: ${showNames(lostMetadata)}`);
  return `${lines.join("\n")}\n`;
}

/** The first names, quoted because a file may hold any text. */
const showNames = (names: readonly string[]): string =>
  firstOf(
    names.map((name) => JSON.stringify(name.slice(0, 80))),
    10,
  );
