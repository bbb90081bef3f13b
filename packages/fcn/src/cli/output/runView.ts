import { progressBar } from "../../progress/bar.js";
import type { FollowOptions, RunProgress } from "../../queue/runs/follow.js";
import { stopOnInterrupt } from "./signals.js";

/** Milliseconds between two lines of a log. */
const EVERY = 5000;

/**
 * Shows the progress of a run of a queue while `use` waits for it. Ctrl-C ends the waiting; the run goes on, and the
 * error says how to come back. `again` is that command line without its run.
 */
export async function watchRun<T>(
  stream: NodeJS.WriteStream,
  { what, again, queue }: { readonly what: string; readonly again: string; readonly queue: string },
  use: (options: FollowOptions & { readonly onStart: (id: string) => void }) => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  let id = "";
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  const onStart = (started: string): void => {
    id = started;
    say(`run ${id}; it goes on without this command, which can come back: ${again} --attach ${id}`);
  };
  const { unlisten } = stopOnInterrupt(() => stop.abort());
  const view = viewOf(stream, what, queue, say);
  try {
    return await use({ onStart, onProgress: view.progress, signal: stop.signal });
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    const left = new Error(`${what}: this command ended, and run ${id} goes on`);
    throw Object.assign(left, {
      fix: `come back: ${again} --attach ${id}; or end it: fcn jobs --queue ${queue} --cancel ${id}`,
    });
  } finally {
    view.end();
    unlisten();
  }
}

function viewOf(stream: NodeJS.WriteStream, what: string, queue: string, say: (text: string) => void) {
  const bar = stream.isTTY
    ? progressBar(stream, `${what} {bar} {value}/{total}  {workers}`, { barsize: 28 })
    : undefined;
  let [last, told, isOn] = [Number.NEGATIVE_INFINITY, "", false];
  let before: RunProgress | undefined;
  const once = (text: string): void => {
    if (text !== "" && text !== told) say(text);
    told = text;
  };
  return {
    progress: (progress: RunProgress): void => {
      const { done, total, workers, problem } = progress;
      const number = `${workers} ${workers === 1 ? "worker" : "workers"}`;
      if (problem) once(`the run does not go on: ${problem.message}; ${problem.commandFix ?? problem.fix}`);
      else once(workers > 0 || done === total ? "" : `no worker is connected; start one: fcn worker --queue ${queue}`);
      if (bar) {
        if (isOn) bar.setTotal(total);
        else bar.start(total, done, { workers: number });
        isOn = true;
        bar.update(done, { workers: number });
        return;
      }
      const isNews = before === undefined || before.done !== done || before.total !== total;
      if (!isNews || (performance.now() - last < EVERY && done < total)) return;
      stream.write(`${what} ${done}/${total}, ${number}\n`);
      [last, before] = [performance.now(), progress];
    },
    end: (): void => bar?.stop(),
  };
}
