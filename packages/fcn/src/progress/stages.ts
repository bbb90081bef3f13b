import type { TrainProgress } from "../training/settings/trainOptions.js";
import { progressBar } from "./bar.js";

/** Shows the progress of a training stage. */
export interface StageView {
  /**
   * @param from number of steps done before
   * @param stepsPerEpoch steps in one pass over the training images; without it, no epochs are shown
   */
  start(name: string, steps: number, from?: number, stepsPerEpoch?: number): void;
  progress(progress: TrainProgress): void;
  validation(step: number, meanIU: number, loss?: number): void;
  end(): void;
}

/** Shows a progress bar on a terminal, and plain lines in a pipe or a log file. */
export const createStageView = (stream: NodeJS.WriteStream): StageView =>
  stream.isTTY ? barView(stream) : lineView(stream);

const EMPTY = { loss: "-", meanIU: "-", speed: "-", left: "-" };

function barView(stream: NodeJS.WriteStream): StageView {
  const format = "{name} {bar} {value}/{total}{epoch}  loss {loss}  mean IU {meanIU}  {speed} images/s  {left}";
  const bar = progressBar(stream, format, { barsize: 28 });
  let epochAt = epochText(0);
  // The bar keeps what an update leaves out.
  return {
    start: (name, steps, from = 0, stepsPerEpoch) => {
      epochAt = epochText(steps, stepsPerEpoch);
      bar.start(steps, from, { ...EMPTY, name, epoch: epochAt(from) });
    },
    progress: ({ step, loss, imagesPerSecond, secondsLeft }) => {
      const speed = imagesPerSecond.toFixed(1);
      bar.update(step, { epoch: epochAt(step), loss: formatLoss(loss), speed, left: formatSeconds(secondsLeft) });
    },
    validation: (step, meanIU, loss) => {
      bar.update(step, { meanIU: `${meanIU.toFixed(3)}${loss === undefined ? "" : ` (loss ${formatLoss(loss)})`}` });
    },
    end: () => bar.stop(),
  };
}

function lineView(stream: NodeJS.WriteStream): StageView {
  let stage = "";
  let epochAt = epochText(0);
  const line = (text: string): void => void stream.write(`${stage}: ${text}\n`);
  return {
    start: (name, steps, from = 0, stepsPerEpoch) => {
      stage = name;
      epochAt = epochText(steps, stepsPerEpoch);
      line(`${steps} steps${from > 0 ? `, going on after ${from}` : ""}`);
    },
    progress: ({ step, steps, loss, imagesPerSecond, secondsLeft }) => {
      const speed = `${imagesPerSecond.toFixed(1)} images/s`;
      line(`step ${step}/${steps}${epochAt(step)}, loss ${formatLoss(loss)}, ${speed}, ${formatSeconds(secondsLeft)}`);
    },
    validation: (step, meanIU, loss) => {
      const found = loss === undefined ? "" : `, validation loss ${formatLoss(loss)}`;
      line(`step ${step}, validation mean IU ${meanIU.toFixed(3)}${found}`);
    },
    end: () => {},
  };
}

/** The pass over the images in which a step lies, such as ", epoch 2 of 20"; nothing where that is not known. */
function epochText(steps: number, stepsPerEpoch?: number): (step: number) => string {
  if (stepsPerEpoch === undefined) return () => "";
  // A step belongs to the pass in which it begins.
  const epochAt = (step: number): number => Math.floor(Math.max(0, step - 1) / stepsPerEpoch) + 1;
  return (step) => `, epoch ${epochAt(step)} of ${epochAt(steps)}`;
}

/** Three decimals, or none for a summed loss, which is large. */
const formatLoss = (loss: number): string => (loss < 1000 ? loss.toFixed(3) : loss.toFixed(0));

/** Formats a duration, such as "1 min 05 s left". */
export function formatSeconds(seconds: number): string {
  const whole = Math.round(seconds);
  const rest = String(whole % 60);
  return whole < 60 ? `${rest} s left` : `${Math.floor(whole / 60)} min ${rest.padStart(2, "0")} s left`;
}
