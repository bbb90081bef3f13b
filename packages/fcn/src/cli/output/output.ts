import { fstatSync, writeSync } from "node:fs";
import { io } from "@fcn/tensor";

const NAME = "standard output";
let failure: unknown;
/**
 * The reader, such as `head`, has what it wanted: the rest is said to nobody, and the work goes on, since files are
 * what it is for.
 */
let isUnread = false;

function noteFailure(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code === "EPIPE") isUnread = true;
  if (!isUnread) failure ??= error;
}

/** Lines of progress that cannot be written do not end a command: {@link outputFailure} tells at its end. */
export function watchOutput(): void {
  process.stdout.on("error", noteFailure);
  // There is no place left to say so.
  process.stderr.on("error", () => {});
}

/** The error for what could not be written to standard output; undefined where all was. */
export const outputFailure = (): Error | undefined =>
  failure === undefined ? undefined : io.unwritable("fcn", NAME, failure);

/**
 * Writes the result of a command to standard output. Node's own stream drops the rest of what a nearly full disk takes
 * only a part of, and says nothing; this throws a TensorError, "disk-full" or "unwritable-file". Where nobody reads,
 * nothing is written.
 */
export async function print(text: string): Promise<void> {
  if (failure !== undefined) throw outputFailure();
  if (isUnread) return;
  try {
    if (fstatSync(process.stdout.fd).isFile()) writeAll(new TextEncoder().encode(text));
    else await new Promise<void>((done, fail) => process.stdout.write(text, (error) => (error ? fail(error) : done())));
  } catch (cause) {
    noteFailure(cause);
    if (!isUnread) throw io.unwritable("fcn", NAME, cause);
  }
}

function writeAll(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(process.stdout.fd, bytes, at);
}

/** A result as text for people, or as one JSON object. */
export const printResult = <T>(result: T, describe: (result: T) => string, json = false): Promise<void> =>
  print(json ? `${JSON.stringify(result, null, 2)}\n` : describe(result));
