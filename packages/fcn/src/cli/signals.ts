import { io } from "@fcn/tensor";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Leaves no half written files behind when a signal ends the program, as it still does. */
export function cleanUpOnSignals(): void {
  for (const signal of SIGNALS) process.on(signal, endUnlessStopping);
}

function endUnlessStopping(signal: NodeJS.Signals): void {
  // A command that listens as well, such as train, ends by itself.
  if (process.listenerCount(signal) === 1) end(signal);
}

function end(signal: NodeJS.Signals): void {
  io.removeUnfinished();
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

/** Milliseconds. A launcher may pass on the Ctrl-C that the terminal sends as well, so that it arrives twice. */
const SAME_PRESS = 500;

/** Calls `stop` on the first Ctrl-C; another one ends the program at once. Answers what ends that. */
export function stopOnInterrupt(stop: () => void): () => void {
  let first: number | undefined;
  const onInterrupt = (): void => {
    if (first === undefined) {
      first = performance.now();
      stop();
    } else if (performance.now() - first > SAME_PRESS) end("SIGINT");
  };
  process.on("SIGINT", onInterrupt);
  return () => process.off("SIGINT", onInterrupt);
}
