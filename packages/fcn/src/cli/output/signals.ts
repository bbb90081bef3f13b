import { removeUnfinished } from "@fcn/tensor/io";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Removes unfinished files when a signal ends the program. The signal still ends it. */
export function cleanUpOnSignals(): void {
  for (const signal of SIGNALS) process.on(signal, endUnlessStopping);
}

function endUnlessStopping(signal: NodeJS.Signals): void {
  // A command that listens too, such as train, ends by itself.
  if (process.listenerCount(signal) === 1) end(signal);
}

function end(signal: NodeJS.Signals): void {
  removeUnfinished();
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

/** Milliseconds. A launcher may pass on a Ctrl-C that the terminal also sends, so that it arrives twice. */
const SAME_PRESS = 500;

/**
 * The exit codes that shells give programs ended by these signals. Ctrl-C is missing because a person presses it, to
 * whom it is a failure like any other.
 */
const EXIT_CODES: Partial<Record<NodeJS.Signals, number>> = { SIGTERM: 143, SIGHUP: 129 };

/**
 * Calls `stop` on the first Ctrl-C, SIGHUP (end of the terminal) or SIGTERM, as batch systems and containers send it. A
 * second one ends the program at once. `unlisten` undoes this. `exitCode()` is that of the signal, if one came.
 */
export function stopOnInterrupt(stop: () => void): { unlisten(): void; exitCode(): number | undefined } {
  let first: { readonly signal: NodeJS.Signals; readonly time: number } | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (first === undefined) {
      first = { signal, time: performance.now() };
      stop();
    } else if (performance.now() - first.time > SAME_PRESS) end(signal);
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return {
    unlisten: () => {
      for (const signal of SIGNALS) process.off(signal, onSignal);
    },
    exitCode: () => first && EXIT_CODES[first.signal],
  };
}
