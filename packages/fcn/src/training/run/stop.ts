import { TensorError } from "@fcn/tensor";

/**
 * Throws `aborted` if the signal is aborted, since a run has nothing new to keep before its first step. `from` is the
 * step that it continues from.
 */
export function throwIfStopped(signal: AbortSignal | undefined, from = 0): void {
  if (!signal?.aborted) return;
  throw new TensorError({
    code: "aborted",
    message: `train: stopped before ${from > 0 ? `a step after ${from}` : "the first step"}`,
    fix: "run the same command again",
  });
}

/** The result of `work`. Throws `aborted` if the signal is aborted by its end, even if `work` fails. */
export async function unlessStopped<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return work.finally(() => throwIfStopped(signal));
}

/** The result of `work`, or undefined if the signal ended it. Rethrows any other error. */
export async function unlessInterrupted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (signal?.aborted && error === signal.reason) return undefined;
    throw error;
  }
}
