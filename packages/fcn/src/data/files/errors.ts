import { type ErrorCode, TensorError } from "@fcn/tensor";
import { brief, guessContent } from "@fcn/tensor/internal";

/** A remedy that reads differently in code and at the command line. */
export interface Remedy {
  readonly code: string;
  readonly command: string;
}

/** Characters of a problem or a remedy: both may quote the file. */
const LONGEST = 1500;
/** Characters of a path that an annotation or a list made up; systems allow 4096. */
const LONGEST_PATH = 400;

/** Text that may quote a file, as it may stand in a message: not endless, and without control characters. */
export const quoted = (text: string): string => brief(text, LONGEST);

/** A path as it stands in messages. */
export const pathText = (path: string): string =>
  path.length > LONGEST_PATH ? `${path.slice(0, LONGEST_PATH)}...` : path;

/** An error about one file of a data set; the message names it. */
export function fileError(
  code: ErrorCode,
  file: string,
  problem: string,
  fix: string | Remedy,
  cause?: unknown,
): TensorError {
  const quotedFix = typeof fix === "string" ? quoted(fix) : { code: quoted(fix.code), command: quoted(fix.command) };
  const message = `${pathText(file)}: ${quoted(problem)}`;
  return new TensorError({ code, message, fix: quotedFix }, cause === undefined ? {} : { cause });
}

/** A file that is cut off, damaged or of another format than its name says. */
export function damagedFile(file: string, problem: string, cause?: unknown): TensorError {
  return fileError("corrupt-file", file, problem, "write or fetch the file again, or leave it out", cause);
}

/**
 * The error for a file that is of another kind than `wanted` by its first bytes; undefined where nothing is guessed of
 * them.
 */
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

/**
 * A file that is not of the kind `wanted`: what it is by its first bytes, else that it is damaged in the words of
 * `problem`.
 */
export function notOfKind(file: string, bytes: Uint8Array, wanted: string, problem: string): TensorError {
  return wrongContent("corrupt-file", file, guessContent(bytes), wanted) ?? damagedFile(file, problem);
}

/** An error as it stands in results: plain data, with a remedy for the command line where that is another one. */
export interface ToldError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly fix: string;
  readonly commandFix?: string;
}

export function toldOf({ code, message, fix, commandFix = fix }: TensorError): ToldError {
  return { code, message, fix, ...(commandFix === fix ? {} : { commandFix }) };
}

/** As many pixels as `sharp` takes. */
export const MOST_PIXELS = 16383 ** 2;

/**
 * An image that is too large to be decoded; `size` says "it is 20000x20000,", or "it has" where its sides are not
 * known.
 */
export function tooManyPixels(file: string, size: string, cause?: unknown): TensorError {
  const problem = `${size} more than ${MOST_PIXELS} pixels`;
  return fileError("unsupported-file", file, problem, "cut it into smaller images", cause);
}

/** The first line of whatever was thrown. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.trim().split("\n")[0] ?? "";
}
