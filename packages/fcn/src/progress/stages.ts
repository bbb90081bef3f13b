import type { TrainProgress } from "../training/settings/trainOptions.js";
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
export const createStageView = (stream: NodeJS.WriteStream): StageView =>
  stream.isTTY ? barView(stream) : lineView(stream);

const EMPTY = { loss: "-", meanIU: "-", speed: "-", left: "-" };

function barView(stream: NodeJS.WriteStream): StageView {
  const format = "{name} {bar} {value}/{total}  loss {loss}  mean IU {meanIU}  {speed} images/s  {left}";
  const bar = progressBar(stream, format, { barsize: 28 });
  // The bar keeps what an update leaves out.
  return {
    start: (name, steps, from = 0) => bar.start(steps, from, { ...EMPTY, name }),
    progress: ({ step, loss, imagesPerSecond, secondsLeft }) => {
      const speed = imagesPerSecond.toFixed(1);
      bar.update(step, { loss: formatLoss(loss), speed, left: formatSeconds(secondsLeft) });
    },
    validation: (step, meanIU) => bar.update(step, { meanIU: meanIU.toFixed(3) }),
    end: () => bar.stop(),
  };
}

function lineView(stream: NodeJS.WriteStream): StageView {
  let stage = "";
  const line = (text: string): void => void stream.write(`${stage}: ${text}\n`);
  return {
    start: (name, steps, from = 0) => {
      stage = name;
      line(`${steps} steps${from > 0 ? `, going on after ${from}` : ""}`);
    },
    progress: ({ step, steps, loss, imagesPerSecond, secondsLeft }) => {
      const speed = `${imagesPerSecond.toFixed(1)} images/s`;
      line(`step ${step}/${steps}, loss ${formatLoss(loss)}, ${speed}, ${formatSeconds(secondsLeft)}`);
    },
    validation: (step, meanIU) => line(`step ${step}, validation mean IU ${meanIU.toFixed(3)}`),
    end: () => {},
  };
}

/** Three decimals, or none for a summed loss, which is large. */
const formatLoss = (loss: number): string => (loss < 1000 ? loss.toFixed(3) : loss.toFixed(0));

/** Formats a duration, such as "1 min 05 s left". */
export function formatSeconds(seconds: number): string {
  const whole = Math.round(seconds);
  const rest = String(whole % 60);
  return whole < 60 ? `${rest} s left` : `${Math.floor(whole / 60)} min ${rest.padStart(2, "0")} s left`;
}
