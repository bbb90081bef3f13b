import type { Options } from "cli-progress";
import { progressBar } from "./bar.js";

/** The progress of work that reports nothing but counts. */
export interface QuietBar {
  readonly update: (done: number, total: number) => void;
  readonly stop: () => void;
}

/**
 * Shows a bar on a terminal from the first report on, and nothing elsewhere. `shown` provides the words of `format`
 * that cli-progress does not.
 */
export function createQuietBar(
  stream: NodeJS.WriteStream,
  format: string,
  options: Options = {},
  shown: (done: number, total: number) => Readonly<Record<string, unknown>> = () => ({}),
): QuietBar {
  if (!stream.isTTY) return { update: () => {}, stop: () => {} };
  const bar = progressBar(stream, format, options);
  let isStarted = false;
  return {
    update: (done, total) => {
      if (isStarted) bar.update(done, shown(done, total));
      else bar.start(total, done, shown(done, total));
      isStarted = true;
      if (done === total) bar.stop();
    },
    stop: () => bar.stop(),
  };
}

/** Shows the progress of a data set's check. */
export const createCheckBar = (stream: NodeJS.WriteStream): QuietBar =>
  createQuietBar(stream, "checking {bar} {value}/{total}", { clearOnComplete: true });

const MIB = 2 ** 20;

/** Shows how many bytes of a file have come. */
export const createFetchBar = (stream: NodeJS.WriteStream): QuietBar =>
  createQuietBar(stream, "{bar} {done} of {all} MiB", { barsize: 28 }, (done, total) => ({
    done: Math.round(done / MIB),
    all: Math.round(total / MIB),
  }));
