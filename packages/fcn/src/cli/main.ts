import { Command, CommanderError } from "commander";
import { packageVersion } from "../files/version.js";
import { didYouMean } from "../options/closest.js";
import { outputFailure, watchOutput } from "./output/output.js";
import { cleanUpOnSignals } from "./output/signals.js";

interface CommandRow {
  /** What the command is for, as the help shows it. */
  readonly summary: string;
  /** Its file, which adds flags and action. It is loaded only once the command is named, since that takes a while. */
  readonly load: () => Promise<{ setUp(command: Command): void }>;
  /** Whether it describes the others, which then are loaded too. */
  readonly needsAll?: true;
}

/** All commands, in the order of the help. */
const COMMANDS: Readonly<Record<string, CommandRow>> = {
  doctor: {
    summary: "show the WebGPU adapter, its driver, limits and features, what is missing, and how to fix it",
    load: () => import("./commands/doctor.js"),
  },
  data: { summary: "check labelled images, or compose new ones", load: () => import("./commands/data.js") },
  models: {
    summary: "list the nets, or describe one: parameters, stride, published weights, layers",
    load: () => import("./commands/models.js"),
  },
  weights: {
    summary: "list published weights, fetch them, or say where they are",
    load: () => import("./commands/weights.js"),
  },
  train: {
    summary: "train a net on a folder of labelled images, which is checked first",
    load: () => import("./commands/train.js"),
  },
  sweep: {
    summary: "train a net with many combinations of settings, here or on the workers of a queue, and compare them",
    load: () => import("./commands/sweep.js"),
  },
  eval: {
    summary: "score a net on labelled images: the four metrics, each class, boundaries, and sizes of objects",
    load: () => import("./commands/eval.js"),
  },
  compare: {
    summary: "draw the curves, scores and differing settings of training runs on one page",
    load: () => import("./commands/compare.js"),
  },
  predict: {
    summary: "label every pixel of images; the exit code is 1 if any of them failed",
    load: () => import("./commands/predict.js"),
  },
  worker: {
    summary: "work for a queue: predictions, evaluations and trials that were asked for on any machine",
    load: () => import("./commands/worker.js"),
  },
  jobs: {
    summary: "show what runs, waits and failed on a queue, and where; retry, cancel, drain",
    load: () => import("./commands/jobs.js"),
  },
  convert: {
    summary: "convert weights of PyTorch, Caffe, NumPy, TensorFlow.js or safetensors to .safetensors or .npz",
    load: () => import("./commands/convert.js"),
  },
  export: {
    summary: "write a net for other runtimes, as an ONNX model that takes images of any size",
    load: () => import("./commands/export.js"),
  },
  tune: {
    summary: "measure which convolution tiles are fastest for a net on this adapter, and keep them for all commands",
    load: () => import("./commands/tune.js"),
  },
  bench: {
    summary: "time a net on this adapter: forward pass, training pass, images per second, peak memory",
    load: () => import("./commands/bench.js"),
  },
  demo: {
    summary: "train FCN-32s, 16s and 8s on real satellite imagery, and write images, weights and a report",
    load: () => import("./commands/demo.js"),
  },
  completion: {
    summary: "print a script with which bash, zsh or fish completes commands, options and names",
    load: () => import("./commands/completion.js"),
    needsAll: true,
  },
};

/** Builds the `fcn` command line; `version` is what `--version` prints. */
export function createProgram(version: string): Command {
  const program = new Command("fcn")
    .description("Fully convolutional networks for semantic segmentation, trained and run on WebGPU")
    .version(version, "-V, --version", "print the version")
    .option("--verbose", "show the stack trace of an error")
    .helpOption("-h, --help", "show this help")
    .helpCommand("help [command]", "show the help of a command")
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .showHelpAfterError(false)
    .configureOutput({ outputError: () => {} })
    .exitOverride();
  for (const [name, { summary }] of Object.entries(COMMANDS)) program.command(name).description(summary);
  return program.hook("preSubcommand", async (_, command) => {
    const named = program.commands.filter((each) => each === command || COMMANDS[command.name()]?.needsAll);
    for (const each of named) (await COMMANDS[each.name()]?.load())?.setUp(each);
    if (process.stderr.isTTY) await quietNativeLines();
  });
}

/**
 * Runs one command line as the whole work of this process: {@link runCommand}, and what signals and a closed output
 * call for.
 */
export function main(argv: readonly string[]): Promise<number> {
  watchOutput();
  cleanUpOnSignals();
  return runCommand(argv);
}

/**
 * Runs one command line; a process may run several, one after another.
 *
 * @param argv the arguments after the program's name
 * @returns the exit code: 0 for success, 1 for a failure or Ctrl-C, 2 for wrong usage; 143 or 129 if SIGTERM or SIGHUP
 * stopped a training
 */
export async function runCommand(argv: readonly string[]): Promise<number> {
  const program = createProgram(await packageVersion());
  const first = argv.find((argument) => !argument.startsWith("-"));
  // Otherwise, commander would show the help of a command without loading it.
  const line = first === "help" ? [...argv.filter((argument) => argument !== first), "--help"] : [...argv];
  try {
    checkCommand(program, line);
    program.hook("preSubcommand", () => checkCommand(program, line));
    const code = await program.parseAsync(line, { from: "user" }).then(() => 0, helpCode);
    // A stream reports its error only after the write that failed.
    await new Promise(setImmediate);
    const unwritten = outputFailure();
    if (unwritten) throw unwritten;
    return code;
  } catch (error) {
    const { describeFailure } = await import("./output/errors.js");
    const name = line.find((argument) => !argument.startsWith("-"));
    const command = program.commands.find((candidate) => candidate.name() === name)?.name();
    const failure = describeFailure(error, { verbose: argv.includes("--verbose"), command });
    process.stderr.write(failure.text);
    return failure.exitCode;
  }
}

/** Spares people the lines that Dawn prints on a terminal whenever it looks for adapters. */
async function quietNativeLines(): Promise<void> {
  const { wrapAdapterRequests } = await import("@fcn/tensor/internal");
  const { withoutUselessLines } = await import("./output/nativeLines.js");
  wrapAdapterRequests(withoutUselessLines);
}

/**
 * Rejects an unknown command such as `fcn nothing --help`, for which commander prints the general help as if all were
 * well.
 */
function checkCommand(program: Command, argv: readonly string[]): void {
  let command = program;
  for (const argument of argv) {
    if (command.commands.length === 0) return;
    if (argument.startsWith("-") || argument === "help") continue;
    const next = command.commands.find((candidate) => candidate.name() === argument);
    if (!next) {
      const found = didYouMean(
        argument,
        command.commands.map((candidate) => candidate.name()),
      );
      const hint = found === undefined ? "" : `\n(${found})`;
      throw new CommanderError(2, "commander.unknownCommand", `error: unknown command '${argument}'${hint}`);
    }
    command = next;
  }
}

/**
 * The exit code for help and version, for which commander throws too. `commander.help` is the help shown for a missing
 * command.
 */
function helpCode(error: unknown): number {
  const code = error instanceof CommanderError ? error.code : "";
  if (code === "commander.help") return 2;
  if (code === "commander.helpDisplayed" || code === "commander.version") return 0;
  throw error;
}
