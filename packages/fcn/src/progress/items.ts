import type { SingleBar } from "cli-progress";
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
  return stream.isTTY ? new BarView(stream, what, total) : new LineView(stream);
}

class BarView implements ProgressView {
  readonly #bar: SingleBar;
  readonly #start = performance.now();
  readonly #failures: string[] = [];
  #done = 0;

  constructor(stream: NodeJS.WriteStream, what: string, total: number) {
    const format = `${what} {bar} {value}/{total}  {rate}/s  {eta_formatted} left`;
    this.#bar = progressBar(stream, format, { barsize: 28, etaBuffer: 50 });
    this.#bar.start(total, 0, { rate: "-" });
  }

  step(text: string, hasFailed = false): void {
    this.#done++;
    const rate = (1000 * this.#done) / (performance.now() - this.#start);
    this.#bar.update(this.#done, { rate: rate.toPrecision(3) });
    if (hasFailed) this.#failures.push(text);
  }

  end(): void {
    this.#bar.stop();
    for (const text of this.#failures) process.stderr.write(`${text}\n`);
  }
}

class LineView implements ProgressView {
  constructor(private readonly stream: NodeJS.WriteStream) {}

  step(text: string, hasFailed = false): void {
    (hasFailed ? process.stderr : this.stream).write(`${text}\n`);
  }

  end(): void {}
}
