import { createDevice, type DeviceOptions } from "@fcn/tensor";
import { firstOf } from "@fcn/tensor/internal";
import type { Command } from "commander";
import { counted } from "../../data/files/words.js";
import { PREPROCESSINGS } from "../../data/published/means.js";
import { refuseSameFile } from "../../files/write.js";
import { ADAPTER } from "../../measure/tunedDevice.js";
import { modelReader } from "../../models/modelReader.js";
import { assignments, oneOf, whole } from "../../options/rules.js";
import { createQuietBar } from "../../progress/quietBar.js";
import { type ConvertOptions, type ConvertReport, convert, outputFormat } from "../../weights/convert.js";
import { convertNet, type NetDescription } from "../../weights/convertNet.js";
import { NAME_MAPS } from "../../weights/nameMaps.js";
import { TENSORFLOW_MAPS } from "../../weights/tensorflow/open.js";
import { addFlags, type Given, givenBy } from "../flags/addFlags.js";
import { classNames } from "../flags/classNames.js";
import { JSON_OUTPUT } from "../flags/common.js";
import { UsageError } from "../output/errors.js";
import { printResult } from "../output/output.js";

const PREPROCESSING_NAMES = Object.keys(PREPROCESSINGS) as (keyof typeof PREPROCESSINGS)[];
const MIB = 2 ** 20;
const MAPS = { ...NAME_MAPS, ...TENSORFLOW_MAPS };

/** Flags that describe the net, in addition to --model. */
const OF_MODEL = {
  classes: {
    flag: "--classes <file|names>",
    help: "with --model: the class names in the order of the scores, as a,b,c or a file with one per line or a JSON list",
  },
  numClasses: {
    flag: "--num-classes <n>",
    help: "with --model, instead of --classes: the number of classes",
    rule: whole(1),
    fallbackText: "as many as the file scores",
  },
  preprocessing: {
    flag: "--preprocessing <name>",
    help: `with --model: how images become numbers: ${PREPROCESSING_NAMES.join(", ")}`,
    rule: oneOf(PREPROCESSING_NAMES),
    fallbackText: "that of the published net",
  },
  modelOption: {
    flag: "--model-option <name=value>",
    help: "with --model: an option of the net, such as deconv=learned; may be repeated",
    reader: assignments,
  },
} as const;

const OPTIONS = {
  names: {
    flag: "--names <map>",
    help: "give the arrays the names of another library; the maps are listed below",
    rule: oneOf(Object.keys(MAPS)),
  },
  prefix: {
    flag: "--prefix <text>",
    help: "what precedes the net's names in the file, such as student.: it is dropped, and arrays without it are left out",
    fallbackText: "with --model, whatever fits the net",
  },
  key: { flag: "--key <key>", help: "which state dict of a PyTorch checkpoint to take, such as model" },
  opaque: {
    flag: "--opaque <class...>",
    help: "classes of a PyTorch file to read as inert data, such as package.Class",
  },
  model: {
    flag: "--model <name>",
    help: "the whole net that the weights belong to, such as fcn_resnet50: they are loaded into it as a test, and the new file names it for fcn eval, predict and export",
    reader: modelReader,
  },
  ...OF_MODEL,
  adapter: ADAPTER,
  ...JSON_OUTPUT,
} as const;

/** Adds the operands, the flags and the action of `fcn convert`. */
export function setUp(command: Command): void {
  addFlags(command, OPTIONS)
    .argument(
      "<in>",
      "file to read: .pth, .pt, .caffemodel, .npz or .safetensors, recognised by its content, or a model.json of TensorFlow.js",
    )
    .argument("<out>", "file to write, in the format of its extension: .safetensors or .npz")
    .addHelpText("after", mapsHelp())
    .action(run);
}

function mapsHelp(): string {
  const width = Math.max(...Object.keys(MAPS).map((name) => name.length));
  const lines = Object.entries(MAPS).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return `\nName maps:\n${lines.join("\n")}\n\nHalf precision becomes float32. Nothing in a PyTorch file is executed.`;
}

async function run(input: string, output: string, given: object): Promise<void> {
  const flags = givenBy(OPTIONS, given);
  const { names, prefix, key, opaque, adapter = "auto", json } = flags;
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
  const settings = { names, prefix, key, opaque, onProgress: bar.update, net, adapter };
  const report = await converted(input, output, settings).finally(bar.stop);
  await printResult(report, (all) => describe(input, output, all), json);
}

async function converted(
  input: string,
  output: string,
  {
    net,
    adapter,
    ...options
  }: ConvertOptions & { readonly net: NetDescription | undefined } & Required<Pick<DeviceOptions, "adapter">>,
): Promise<ConvertReport> {
  if (net === undefined) return convert(input, output, options);
  const device = await createDevice({ adapter });
  try {
    return await convertNet(input, output, { ...options, device, net });
  } finally {
    device.destroy();
  }
}

/** The net that --model and its related options describe, or undefined without them. */
async function describedNet(flags: Given<typeof OPTIONS>): Promise<NetDescription | undefined> {
  const { model, modelOption = {}, classes, numClasses, preprocessing } = flags;
  if (model === undefined) {
    const stray = Object.entries(OF_MODEL).find(([name]) => flags[name as keyof typeof OF_MODEL] !== undefined);
    if (stray === undefined) return undefined;
    const [option] = stray[1].flag.split(" ");
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
  if (unused.length > 0) lines.push(`left out ${counted(unused.length, "array")} without that: ${showNames(unused)}`);
  for (const { name, reason } of skipped) lines.push(`not read ${showNames([name])}: ${reason}`);
  if (ignored.length > 0) lines.push(`no array ${showNames(ignored)}`);
  if (lostMetadata.length > 0) lines.push(`lost     metadata that .npz cannot hold: ${showNames(lostMetadata)}`);
  return `${lines.join("\n")}\n`;
}

/** The first names, quoted because a file may hold any text. */
const showNames = (names: readonly string[]): string =>
  firstOf(
    names.map((name) => JSON.stringify(name.slice(0, 80))),
    10,
  );
