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

/** Answers of a server, or of what stands before it, that is overloaded or not ready. */
export const NOT_NOW = [429, 502, 503, 504] as const;

/** The error for an answer after which the server is to be asked again later. */
export function notNow(address: string, server: string, status: number, cause?: unknown): TensorError {
  const problem = `${server} answers ${status}: it is overloaded or not ready`;
  return fileError("no-network", address, problem, "run again later, or with fewer workers", cause);
}

/** The error for a file that a place does not have. */
export const noSuchFile = (address: string, cause?: unknown): TensorError =>
  fileError("missing-data", address, "there is no such file", "check the address", cause);
