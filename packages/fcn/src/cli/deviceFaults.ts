import { TensorError } from "@fcn/tensor";

/** What is said of a command whose device failed. */
export interface FaultAdvice {
  /** What was done until then. */
  readonly state: string;
  /** Flags by which the command takes less memory. */
  readonly less: string;
}

/** A failure of the device with what was done until then and what to do at the command line; any other error as it is. */
export function deviceFault(error: unknown, { state, less }: FaultAdvice): unknown {
  if (!(error instanceof TensorError)) return error;
  const remedies: Readonly<Record<string, string>> = {
    "device-lost": `run the same command again; if the device is lost each time, take less at a time (${less})`,
    "out-of-memory": `take less at a time (${less}), or end other programs that use the GPU, and run the command again`,
  };
  const commandFix = Object.hasOwn(remedies, error.code) ? remedies[error.code] : undefined;
  if (commandFix === undefined) return error;
  const message = `${error.message}; ${state}`;
  return new TensorError({ code: error.code, message, fix: error.fix, commandFix }, { cause: error });
}
