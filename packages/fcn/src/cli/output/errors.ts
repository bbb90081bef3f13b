import { hasCode, TensorError } from "@fcn/tensor";
import { CommanderError } from "commander";
import { commandRemedy, helpOf } from "./remedies.js";

/**
 * Wrong use of the command line that commander itself cannot detect, such as two mutually exclusive options. Exit code
 * 2.
 */
export class UsageError extends TensorError {
  constructor(message: string, fix: string) {
    super({ code: "usage", message, fix });
    this.name = "UsageError";
  }
}

/** Makes an invalid argument wrong usage if it comes from flags that only the net can judge. */
export const asUsage = (error: unknown, isFlag: boolean): unknown =>
  isFlag && hasCode(error, "invalid-argument") ? new UsageError(error.message, error.fix) : error;

/**
 * What the command line prints to standard error for a failure, and the exit code: 1 for a failure, 2 for wrong usage,
 * or that of the signal that stopped it.
 */
export interface Failure {
  text: string;
  exitCode: number;
}

/**
 * Formats an error as two lines, `error: ...` and `fix: ...`, followed by the stack if `verbose`.
 *
 * @param command the sub-command that ran, if any; wrong usage points to its help
 */
export function describeFailure(error: unknown, options: { verbose: boolean; command?: string | undefined }): Failure {
  const usage = hasCode(error, "usage") || error instanceof CommanderError;
  const [text, hint] = withoutHint(messageOf(error));
  const message = oneLine(text).replace(/^error: /, "");
  const fix = fixOf(error, options.command) ?? hint + defaultFix(usage, options.command);
  const lines = [`error: ${message}`, `fix: ${fix}`];
  if (options.verbose && error instanceof Error && error.stack) lines.push(error.stack, ...causes(error));
  return { text: `${lines.join("\n")}\n`, exitCode: codeOf(error) ?? (usage ? 2 : 1) };
}

/**
 * A function of the library before what it was called for: `fetchWeights NAME: ...`, `models.create NAME: ...`. They
 * are listed, because a folder of the user may stand there too.
 */
const CALLER = new RegExp(
  "^(?:models\\.create|models\\.info|classWeights|composeSamples|contactSheet|createDevice|createEventFile|" +
    "inceptionV3FromKeras|measurePreprocessing|mobilenetV2FromTensorFlow|parameterGroups|splitComposite|" +
    "stackSamples|tilePositions|(?:encode|export|fetch|load|open|read|save|write)" +
    "(?:Caffemodel|Composite|Folder|IndexedPng|Model|Npy|Npz|Onnx|Pth|Safetensors|StateDict|Tfjs|Weights))" +
    "(?:: | (?=[^\\s:]+: ))",
);

/** The message of an error, without the function that threw it, which no one called who types a command. */
function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return error instanceof TensorError ? message.replace(CALLER, "") : message;
}

/** Takes commander's "(Did you mean ...?)", which is a remedy, off a message. */
function withoutHint(message: string): [message: string, hint: string] {
  const [whole, names] = /\n\(did you mean (.*)\?\)$/i.exec(message) ?? [];
  if (whole === undefined) return [message, ""];
  return [message.slice(0, -whole.length), `did you mean ${names?.replace(/^one of /, "")}? `];
}

/** The exit code that an error carries. Commander's errors carry 1 even for wrong usage, so theirs is ignored. */
function codeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || error instanceof CommanderError || !("exitCode" in error)) return undefined;
  return typeof error.exitCode === "number" ? error.exitCode : undefined;
}

function oneLine(text: string): string {
  return text
    .trim()
    .split(/\s*\n\s*/)
    .join("; ");
}

function fixOf(error: unknown, command: string | undefined): string | null {
  const remedy = commandRemedy(error, command);
  if (remedy !== undefined) return oneLine(remedy);
  const { fix } = (error ?? {}) as { fix?: unknown };
  return typeof fix === "string" && fix !== "" ? oneLine(fix) : null;
}

function defaultFix(usage: boolean, command: string | undefined): string {
  return usage ? helpOf(command) : "run the command again with --verbose to see where it failed";
}

function causes(error: Error): string[] {
  const cause = error.cause;
  if (!(cause instanceof Error)) return [];
  return [`caused by ${cause.stack ?? cause.message}`, ...causes(cause)];
}
