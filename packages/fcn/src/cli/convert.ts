import type { Command } from "commander";
import { progressBar } from "../report/progressBar.js";
import { refuseSameFile } from "../report/writeFile.js";
import { type ConvertReport, convert, outputFormat } from "../weights/convert.js";
import { NAME_MAPS } from "../weights/nameMaps.js";
import { TENSORFLOW_MAPS } from "../weights/tensorflow/open.js";
import { UsageError } from "./errors.js";
import { printResult } from "./output.js";

interface ConvertFlags {
  readonly names?: string;
  readonly key?: string;
  readonly opaque?: readonly string[];
  readonly json?: boolean;
}

const MIB = 2 ** 20;
const MAPS = { ...NAME_MAPS, ...TENSORFLOW_MAPS };

/** Adds `fcn convert`. */
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
    .option("--key <key>", "which state dict of a PyTorch checkpoint to take, such as model")
    .option("--opaque <class...>", "classes of a PyTorch file to read as inert data, such as package.Class")
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

async function run(input: string, output: string, { json, ...flags }: ConvertFlags): Promise<void> {
  if (outputFormat(output) === undefined) {
    throw new UsageError(
      `the output ${output} ends in neither .safetensors nor .npz`,
      "name it x.safetensors or x.npz",
    );
  }
  await refuseSameFile("convert", output, [input]);
  const bar = progressBar(process.stderr, "{bar} {percentage}%  {done} of {all} MiB", { barsize: 28 });
  let started = false;
  const onProgress = (done: number, total: number): void => {
    const payload = { done: Math.round(done / MIB), all: Math.round(total / MIB) };
    if (started) bar.update(done, payload);
    else bar.start(total, done, payload);
    started = true;
  };
  try {
    const report = await convert(input, output, { ...flags, onProgress });
    bar.stop();
    await printResult(report, (all) => describe(input, output, all), json);
  } finally {
    bar.stop();
  }
}

function describe(input: string, output: string, report: ConvertReport): string {
  const { from, key, arrays, bytes, renamed, reshaped, ignored, lostMetadata } = report;
  const changes = [
    [renamed.length, "renamed"],
    [reshaped.length, "reshaped"],
  ].flatMap(([count, word]) => ((count as number) > 0 ? [`${count} ${word}`] : []));
  const lines = [
    `read     ${input} (${from}${key === null ? "" : `, key ${JSON.stringify(key)}`})`,
    `wrote    ${output}: ${[`${arrays} arrays`, `${(bytes / MIB).toFixed(1)} MiB`, ...changes].join(", ")}`,
  ];
  if (ignored.length > 0) lines.push(`no array ${showNames(ignored)}`);
  if (lostMetadata.length > 0) lines.push(`lost     metadata that .npz has no place for: ${showNames(lostMetadata)}`);
  return `${lines.join("\n")}\n`;
}

/** The first names, quoted: a file may hold any text. */
function showNames(names: readonly string[]): string {
  const shown = names.slice(0, 10).map((name) => JSON.stringify(name.slice(0, 80)));
  return names.length > shown.length ? `${shown.join(", ")} and ${names.length - shown.length} more` : shown.join(", ");
}
