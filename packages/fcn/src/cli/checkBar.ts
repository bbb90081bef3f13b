import { progressBar } from "../report/progressBar.js";

/** Shows how far the check of a data set is: a bar on a terminal, else nothing. */
export function createCheckBar(stream: NodeJS.WriteStream): {
  update: (done: number, total: number) => void;
  stop: () => void;
} {
  if (!stream.isTTY) return { update: () => {}, stop: () => {} };
  const bar = progressBar(stream, "checking {bar} {value}/{total}", { clearOnComplete: true });
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
