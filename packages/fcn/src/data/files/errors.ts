import { type ErrorCode, hasCode, TensorError } from "@fcn/tensor";
import { brief } from "@fcn/tensor/internal";

/** A remedy that differs between code and the command line. */
export interface Remedy {
  readonly code: string;
  readonly command: string;
}

/** The longest problem or remedy in characters; both may quote the file. */
const LONGEST = 1500;
/** The longest path in characters; annotations and lists may hold invented ones, and systems allow 4096. */
const LONGEST_PATH = 400;

/** Makes text that may quote a file fit for a message: bounded, and without control characters. */
export const quoted = (text: string): string => brief(text, LONGEST);

/** A path as shown in messages. */
const pathText = (path: string): string => (path.length > LONGEST_PATH ? `${path.slice(0, LONGEST_PATH)}...` : path);

/** An error about one file of a data set, named in the message. */
export function fileError(
  code: ErrorCode,
  file: string,
  problem: string,
  fix: string | Remedy,
  cause?: unknown,
): TensorError {
  const quotedFix = typeof fix === "string" ? quoted(fix) : { code: quoted(fix.code), command: quoted(fix.command) };
  const details = { file, problem: quoted(problem) };
  const message = `${pathText(file)}: ${details.problem}`;
  return new TensorError({ code, message, fix: quotedFix, details }, cause === undefined ? {} : { cause });
}

/** The file and the problem of an error that {@link fileError} made; undefined for any other. */
export function fileFaultOf({ details }: TensorError): { readonly file: string; readonly problem: string } | undefined {
  const { file, problem } = details ?? {};
  return typeof file === "string" && typeof problem === "string" ? { file, problem } : undefined;
}

/** The error for a file that is truncated, damaged or of another format than its name says. */
export function damagedFile(file: string, problem: string, cause?: unknown): TensorError {
  return fileError("corrupt-file", file, problem, "write or fetch the file again, or leave it out", cause);
}

/** The error for a file whose first bytes show another kind than `wanted`; undefined if they show nothing. */
export function wrongContent(
  code: ErrorCode,
  file: string,
  guess: { readonly what: string; readonly fix?: string | undefined } | undefined,
  wanted: string,
  cause?: unknown,
): TensorError | undefined {
  if (guess === undefined) return undefined;
  const fix = guess.fix ?? `put ${wanted} in its place, or leave it out`;
  return fileError(code, file, `it is ${guess.what}, not ${wanted}`, fix, cause);
}

/** An error as plain data in results, with a remedy for the command line if that differs. */
export interface ToldError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly fix: string;
  readonly commandFix?: string;
  /** The file that the message begins with, if it is about one. */
  readonly file?: string;
}

export function toldOf(error: TensorError): ToldError {
  const { code, message, fix, commandFix = fix } = error;
  const file = fileFaultOf(error)?.file;
  return { code, message, fix, ...(commandFix === fix ? {} : { commandFix }), ...(file === undefined ? {} : { file }) };
}

/** The error that {@link toldOf} told of. */
export function errorOf({ code, message, fix, commandFix = fix, file }: ToldError): TensorError {
  const details = file === undefined ? undefined : { file, problem: message.slice(file.length + 2) };
  return new TensorError({ code, message, fix: { code: fix, command: commandFix }, details });
}

/** The number of pixels that `sharp` accepts at most. */
export const MOST_PIXELS = 16383 ** 2;

const CUT = {
  code: "cut it into smaller images",
  command:
    "cut it into smaller images; as a tiled TIFF (vips copy IN OUT.tif[tile,bigtiff]) fcn predict takes it as it is",
};

/**
 * The error for an image too large to decode; `size` is such as "it is 20000x20000,", or "it has" if its sides are
 * unknown.
 */
export function tooManyPixels(file: string, size: string, cause?: unknown): TensorError {
  const problem = `${size} more than ${MOST_PIXELS} pixels`;
  return fileError("unsupported-file", file, problem, CUT, cause);
}

/** For `catch`: what stands for a file that cannot be read. Throws again where it could not be reached at all. */
export const unlessAway =
  <T>(value: T) =>
  (error: unknown): T => {
    if (hasCode(error, "no-network")) throw error;
    return value;
  };

/** The first line of the message of anything thrown. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.trim().split("\n")[0] ?? "";
}
