import { type ErrorCode, TensorError } from "@fcn/tensor";
import { reworded } from "@fcn/tensor/internal";

/** What to tell the user of a command whose device failed. */
export interface FaultAdvice {
  /** What was done before the failure. */
  readonly state: string;
  /** Flags that make the command use less memory. */
  readonly less: string;
}

/**
 * Adds to a failure of the device what was done so far and what to do at the command line. Returns any other error
 * unchanged.
 */
export function deviceFault(error: unknown, { state, less }: FaultAdvice): unknown {
  const remedies: Partial<Record<ErrorCode, string>> = {
    "device-lost": `run the same command again; if the device is lost each time, process less at a time (${less})`,
    "out-of-memory": `process less at a time (${less}), or close other programs that use the GPU, and run the command again`,
  };
  const command = error instanceof TensorError ? remedies[error.code] : undefined;
  if (!(error instanceof TensorError) || command === undefined) return error;
  return reworded(error, { message: `${error.message}; ${state}`, fix: { code: error.fix, command } });
}
