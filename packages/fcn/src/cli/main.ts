import { readFile } from "node:fs/promises";
import { Command, CommanderError } from "commander";
import { registerBench } from "./bench.js";
import { registerConvert } from "./convert.js";
import { registerData } from "./data.js";
import { registerDemo } from "./demo.js";
import { registerDoctor } from "./doctor.js";
import { describeFailure } from "./errors.js";
import { registerEval } from "./eval.js";
import { registerExport } from "./export.js";
import { outputFailure, watchOutput } from "./output.js";
import { registerPredict } from "./predict.js";
import { cleanUpOnSignals } from "./signals.js";
import { registerTrain } from "./train.js";
import { registerTune } from "./tune.js";

/** Builds the whole `fcn` command line; `version` is what `--version` prints. */
export function createProgram(version: string): Command {
  const program = new Command("fcn")
    .description("Fully convolutional networks for semantic segmentation, trained and run on WebGPU")
    .version(version)
    .option("--verbose", "show the stack of an error")
    .showHelpAfterError(false)
    .configureOutput({ outputError: () => {} })
    .exitOverride();
  registerDoctor(program);
  registerData(program);
  registerTrain(program);
  registerEval(program);
  registerPredict(program);
  registerConvert(program);
  registerExport(program);
  registerTune(program);
  registerBench(program);
  registerDemo(program);
  return program;
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
  const program = createProgram(await readVersion());
  try {
    checkCommand(program, argv);
    const code = await program.parseAsync([...argv], { from: "user" }).then(() => 0, helpCode);
    // A stream reports its error only after the write that failed.
    await new Promise(setImmediate);
    const unwritten = outputFailure();
    if (unwritten) throw unwritten;
    return code;
  } catch (error) {
    const first = argv.find((argument) => !argument.startsWith("-"));
    const command = program.commands.find((candidate) => candidate.name() === first)?.name();
    const failure = describeFailure(error, { verbose: argv.includes("--verbose"), command });
    process.stderr.write(failure.text);
    return failure.exitCode;
  }
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
    if (!next) throw new CommanderError(2, "commander.unknownCommand", `error: unknown command '${argument}'`);
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

async function readVersion(): Promise<string> {
  const manifest = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  return manifest.version;
}
