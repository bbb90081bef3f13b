import { type ErrorDetails, type Fix, oneLine, type TensorCode, TensorError } from "../../plain/errors.js";

/** Where a problem is, for messages: the function that reads, and the file or part of a file. */
export interface Place {
  readonly reader: string;
  readonly file: string;
}

/** An error about a file. Its `details.problem` is the message without the place. */
export function fileError(at: Place, code: TensorCode, problem: string, fix: Fix, details?: ErrorDetails): TensorError {
  const text = oneLine(problem);
  return new TensorError({
    code,
    message: `${at.reader}: ${at.file}: ${text}`,
    fix,
    details: { problem: text, ...details },
  });
}

export const corruptFile = (at: Place, problem: string): TensorError =>
  fileError(
    at,
    "corrupt-file",
    problem,
    "fetch or write the file again: it is incomplete, damaged or of another format",
  );

export const unsupportedFile = (at: Place, problem: string, fix: Fix): TensorError =>
  fileError(at, "unsupported-file", problem, fix);

/** The first name that two items have. */
export function firstTwice(items: readonly { readonly name: string }[]): string | undefined {
  const seen = new Set<string>();
  for (const { name } of items) {
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return undefined;
}

/** A part of the same file. */
export const within = (at: Place, part: string): Place => ({ reader: at.reader, file: `${at.file}, ${part}` });

const MIB = 2 ** 20;
const ALWAYS = 64 * MIB;
const RATIO = 100;

/**
 * A small file can describe a large array: compressed zeros, or one number repeated by strides. Real weights hardly
 * compress, so a file that claims more than 100 times its size, and more than 64 MiB, is refused before anything is
 * allocated.
 */
export function checkExpansion(at: Place, claimed: number, fileSize: number): void {
  if (claimed <= Math.max(ALWAYS, RATIO * fileSize)) return;
  const mib = Math.ceil(claimed / MIB);
  const problem = `its ${fileSize} bytes claim to unpack to ${mib} MiB, more than ${RATIO} times as much`;
  throw unsupportedFile(at, problem, "save the arrays without compression and as they are, not expanded");
}
