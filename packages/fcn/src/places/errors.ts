import { TensorError } from "@fcn/tensor";
import { reworded } from "@fcn/tensor/internal";
import { fileError } from "../data/files/errors.js";

/** With what messages of helpers begin that want to know who called. */
export const CALLER = "place";

/** The error without the caller before it: messages of places begin with an address. */
export function withoutCaller(error: unknown, address: string): unknown {
  if (!(error instanceof TensorError) || !error.message.startsWith(`${CALLER}: `)) return error;
  const message = error.message.slice(CALLER.length + 2);
  const start = `${address}: `;
  const about = message.startsWith(start) && { details: { file: address, problem: message.slice(start.length) } };
  return reworded(error, { message, ...about });
}

/** What servers answer that are there, and say nothing of a file for now. */
const BUSY = [429, 502, 503, 504];

/** The error for a server that is too busy, which is as one that does not answer; undefined for any other answer. */
export const busyError = (address: string, status = 0, cause?: unknown): TensorError | undefined =>
  BUSY.includes(status)
    ? fileError(
        "no-network",
        address,
        `the server is too busy (${status})`,
        "run again later, or with fewer workers",
        cause,
      )
    : undefined;

/** The error for a file that a place does not have. */
export const noSuchFile = (address: string, cause?: unknown): TensorError =>
  fileError("missing-data", address, "there is no such file", "check the address", cause);
