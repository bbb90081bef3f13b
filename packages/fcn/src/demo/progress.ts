import { Presets, SingleBar } from "cli-progress";
import type { TrainProgress } from "../training/options.js";

/** Shows a training stage as it goes. */
export interface StageView {
  start(name: string, steps: number): void;
  progress(progress: TrainProgress): void;
  validation(step: number, meanIU: number): void;
  end(): void;
}

/** A progress bar on a terminal, plain lines in a pipe or a log file. */
export function createStageView(stream: NodeJS.WriteStream): StageView {
  return stream.isTTY ? new BarView(stream) : new LineView(stream);
}

class BarView implements StageView {
  private readonly bar: SingleBar;
  private payload = { name: "", loss: "-", meanIU: "-", left: "-" };

  constructor(stream: NodeJS.WriteStream) {
    const format = "{name} {bar} {value}/{total}  loss {loss}  mean IU {meanIU}  {left}";
    this.bar = new SingleBar({ format, stream, barsize: 28, hideCursor: true }, Presets.shades_classic);
  }

  start(name: string, steps: number): void {
    this.payload = { name, loss: "-", meanIU: "-", left: "-" };
    this.bar.start(steps, 0, this.payload);
  }

  progress({ step, loss, secondsLeft }: TrainProgress): void {
    this.payload = { ...this.payload, loss: loss.toFixed(3), left: formatSeconds(secondsLeft) };
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

  start(name: string, steps: number): void {
    this.name = name;
    this.stream.write(`${name}: ${steps} steps\n`);
  }

  progress({ step, steps, loss, secondsLeft }: TrainProgress): void {
    this.stream.write(`${this.name}: step ${step}/${steps}, loss ${loss.toFixed(3)}, ${formatSeconds(secondsLeft)}\n`);
  }

  validation(step: number, meanIU: number): void {
    this.stream.write(`${this.name}: step ${step}, validation mean IU ${meanIU.toFixed(3)}\n`);
  }

  end(): void {
    this.name = "";
  }
}

/** Such as "1 min 05 s left". */
export function formatSeconds(seconds: number): string {
  const whole = Math.round(seconds);
  const rest = String(whole % 60);
  return whole < 60 ? `${rest} s left` : `${Math.floor(whole / 60)} min ${rest.padStart(2, "0")} s left`;
}
