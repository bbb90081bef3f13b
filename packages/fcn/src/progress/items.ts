import { progressBar } from "./bar.js";

/** Shows the progress of long work. */
export interface ProgressView {
  /**
   * Reports one more item as done or failed. On a terminal the bar moves; elsewhere the text gets a line of its own.
   */
  step(text: string, hasFailed?: boolean): void;
  end(): void;
}

/**
 * Shows a progress bar on a terminal, and plain lines in a pipe or a log file. Failures are always printed to standard
 * error.
 */
export function createProgress(stream: NodeJS.WriteStream, what: string, total: number): ProgressView {
  if (!stream.isTTY) {
    return {
      step: (text, hasFailed = false) => void (hasFailed ? process.stderr : stream).write(`${text}\n`),
      end: () => {},
    };
  }
  const format = `${what} {bar} {value}/{total}  {rate}/s  {eta_formatted} left`;
  const bar = progressBar(stream, format, { barsize: 28, etaBuffer: 50 });
  const start = performance.now();
  const failures: string[] = [];
  let done = 0;
  bar.start(total, done, { rate: "-" });
  return {
    step: (text, hasFailed = false) => {
      done++;
      const rate = (1000 * done) / (performance.now() - start);
      bar.update(done, { rate: rate.toPrecision(3) });
      if (hasFailed) failures.push(text);
    },
    end: () => {
      bar.stop();
      for (const text of failures) process.stderr.write(`${text}\n`);
    },
  };
}
