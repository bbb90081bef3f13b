import { TensorError } from "@fcn/tensor";

/**
 * Throws "aborted" where the signal is: before its first step a run has nothing new to keep. `from` is the step that it
 * goes on from.
 */
export function throwIfStopped(signal: AbortSignal | undefined, from = 0): void {
  if (!signal?.aborted) return;
  throw new TensorError({
    code: "aborted",
    message: `train: stopped before ${from > 0 ? `a step after ${from}` : "the first step"}`,
    fix: "run the same command again",
  });
}

/** What `work` gives; throws "aborted" where it fails because the signal ended it. */
export async function unlessStopped<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throwIfStopped(signal);
    throw error;
  }
}

/** What `work` gives; undefined where the signal ended it. Any other error is thrown. */
export async function unlessInterrupted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (signal?.aborted && error === signal.reason) return undefined;
    throw error;
  }
}
