/** Options of work that can be aborted. */
export interface Abortable {
  /** Aborts the work, which then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Settles like `promise`, but rejects with the signal's reason as soon as the signal is aborted. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  let stop = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
