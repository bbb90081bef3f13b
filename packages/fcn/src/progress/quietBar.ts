import type { Options } from "cli-progress";
import { progressBar } from "./bar.js";

/** How far work is that tells no more than that. */
export interface QuietBar {
  readonly update: (done: number, total: number) => void;
  readonly stop: () => void;
}

/**
 * A bar on a terminal, which begins with the first report; elsewhere nothing. `shown` gives the words of `format`
 * beside cli-progress's own.
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

/** Shows how far the check of a data set is. */
export const createCheckBar = (stream: NodeJS.WriteStream): QuietBar =>
  createQuietBar(stream, "checking {bar} {value}/{total}", { clearOnComplete: true });
