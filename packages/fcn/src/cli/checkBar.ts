import { Presets, SingleBar } from "cli-progress";

/** Shows how far the check of a data set is: a bar on a terminal, else nothing. */
export function createCheckBar(stream: NodeJS.WriteStream): {
  update: (done: number, total: number) => void;
  stop: () => void;
} {
  if (!stream.isTTY) return { update: () => {}, stop: () => {} };
  const format = "checking {bar} {value}/{total}";
  const bar = new SingleBar({ format, stream, hideCursor: true, clearOnComplete: true }, Presets.shades_classic);
  let isStarted = false;
  return {
    update: (done, total) => {
      if (!isStarted) bar.start(total, 0);
      isStarted = true;
      bar.update(done);
      if (done === total) bar.stop();
    },
    stop: () => bar.stop(),
  };
}
