import { io } from "@fcn/tensor";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Leaves no half written files behind when a signal ends the program, as it still does. */
export function cleanUpOnSignals(): void {
  for (const signal of SIGNALS) process.on(signal, endBy);
}

function endBy(signal: NodeJS.Signals): void {
  // A command that listens as well, such as train, ends by itself.
  if (process.listenerCount(signal) > 1) return;
  io.removeUnfinished();
  process.off(signal, endBy);
  process.kill(process.pid, signal);
}
