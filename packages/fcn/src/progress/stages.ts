import type { SingleBar } from "cli-progress";
import type { TrainProgress } from "../training/options.js";
import { progressBar } from "./bar.js";

/** Shows the progress of a training stage. */
export interface StageView {
  /** @param from number of steps done before */
  start(name: string, steps: number, from?: number): void;
  progress(progress: TrainProgress): void;
  validation(step: number, meanIU: number): void;
  end(): void;
}

/** Shows a progress bar on a terminal, and plain lines in a pipe or a log file. */
export function createStageView(stream: NodeJS.WriteStream): StageView {
  return stream.isTTY ? new BarView(stream) : new LineView(stream);
}

class BarView implements StageView {
  private readonly bar: SingleBar;
  private payload = { name: "", loss: "-", meanIU: "-", speed: "-", left: "-" };

  constructor(stream: NodeJS.WriteStream) {
    const format = "{name} {bar} {value}/{total}  loss {loss}  mean IU {meanIU}  {speed} images/s  {left}";
    this.bar = progressBar(stream, format, { barsize: 28 });
  }

  start(name: string, steps: number, from = 0): void {
    this.payload = { name, loss: "-", meanIU: "-", speed: "-", left: "-" };
    this.bar.start(steps, from, this.payload);
  }

  progress({ step, loss, imagesPerSecond, secondsLeft }: TrainProgress): void {
    const speed = imagesPerSecond.toFixed(1);
    this.payload = { ...this.payload, loss: formatLoss(loss), speed, left: formatSeconds(secondsLeft) };
    this.bar.update(step, this.payload);
  }

  validation(step: number, meanIU: number): void {
    this.payload = { ...this.payload, meanIU: meanIU.toFixed(3) };
    this.bar.update(step, this.payload);
  }

  end(): void {
    this.bar.stop();
  }
}

class LineView implements StageView {
  private name = "";

  constructor(private readonly stream: NodeJS.WriteStream) {}

  start(name: string, steps: number, from = 0): void {
    this.name = name;
    this.stream.write(`${name}: ${steps} steps${from > 0 ? `, going on after ${from}` : ""}\n`);
  }

  progress({ step, steps, loss, imagesPerSecond, secondsLeft }: TrainProgress): void {
    const speed = `${imagesPerSecond.toFixed(1)} images/s`;
    this.stream.write(
      `${this.name}: step ${step}/${steps}, loss ${formatLoss(loss)}, ${speed}, ${formatSeconds(secondsLeft)}\n`,
    );
  }

  validation(step: number, meanIU: number): void {
    this.stream.write(`${this.name}: step ${step}, validation mean IU ${meanIU.toFixed(3)}\n`);
  }

  end(): void {
    this.name = "";
  }
}

/** Three decimals, or none for a summed loss, which is large. */
const formatLoss = (loss: number): string => (loss < 1000 ? loss.toFixed(3) : loss.toFixed(0));

/** Formats a duration, such as "1 min 05 s left". */
export function formatSeconds(seconds: number): string {
  const whole = Math.round(seconds);
  const rest = String(whole % 60);
  return whole < 60 ? `${rest} s left` : `${Math.floor(whole / 60)} min ${rest.padStart(2, "0")} s left`;
}
