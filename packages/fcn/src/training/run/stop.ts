import { TensorError } from "@fcn/tensor";

/** Throws "aborted" where the signal is: before its first step a run has nothing to keep. */
export function throwIfStopped(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  throw new TensorError({
    code: "aborted",
    message: "train: stopped before the first step",
    fix: "run the same command again",
  });
}
