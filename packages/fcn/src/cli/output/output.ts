import { fstatSync, writeSync } from "node:fs";
import { unwritable } from "@fcn/tensor/io";
import { jsonPieces } from "./json.js";

const NAME = "standard output";
/** Characters that are printed at a time, about. */
const PRINTED = 2 ** 16;
let failure: unknown;
/**
 * Whether the reader, such as `head`, has closed the output. Then nothing more is printed, but the work continues,
 * because it is done for its files.
 */
let isUnread = false;

function noteFailure(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code === "EPIPE") isUnread = true;
  if (!isUnread) failure ??= error;
}

/** Keeps a command running if its output cannot be written. {@link outputFailure} reports that at the end. */
export function watchOutput(): void {
  process.stdout.on("error", noteFailure);
  // There is nowhere left to report this.
  process.stderr.on("error", () => {});
}

/** The error for output that could not be written to standard output, or undefined if all was. */
export const outputFailure = (): Error | undefined =>
  failure === undefined ? undefined : unwritable("fcn", NAME, failure);

/**
 * Writes the result of a command to standard output. If a nearly full disk takes only a part, Node's own stream drops
 * the rest silently; this function throws `disk-full` or `unwritable-file` instead. Writes nothing if the reader has
 * gone.
 */
export async function print(text: string): Promise<void> {
  if (failure !== undefined) throw outputFailure();
  if (isUnread) return;
  try {
    if (fstatSync(process.stdout.fd).isFile()) writeAll(new TextEncoder().encode(text));
    else await new Promise<void>((done, fail) => process.stdout.write(text, (error) => (error ? fail(error) : done())));
  } catch (cause) {
    noteFailure(cause);
    if (!isUnread) throw unwritable("fcn", NAME, cause);
  }
}

function writeAll(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(process.stdout.fd, bytes, at);
}

/** Prints a result as text for people, or as one JSON object, which may be longer than a string can be. */
export async function printResult<T>(result: T, describe: (result: T) => string, json = false): Promise<void> {
  if (!json) return print(describe(result));
  let text = "";
  for (const piece of jsonPieces(result)) {
    text += piece;
    if (text.length < PRINTED) continue;
    await print(text);
    text = "";
  }
  await print(`${text}\n`);
}
