import { TensorError } from "@fcn/tensor";

/** An error about one file of a data set; the message names it. */
export function fileError(code: string, file: string, problem: string, fix: string, cause?: unknown): TensorError {
  return new TensorError({ code, message: `${file}: ${problem}`, fix }, cause === undefined ? {} : { cause });
}

/** A file that is cut off, damaged or of another format than its name says. */
export function damagedFile(file: string, problem: string, cause?: unknown): TensorError {
  return fileError("corrupt-file", file, problem, "write or fetch the file again, or leave it out", cause);
}

/** The first line of whatever was thrown. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.trim().split("\n")[0] ?? "";
}
