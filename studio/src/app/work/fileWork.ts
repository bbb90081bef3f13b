import { proxy, transfer, wrap } from "comlink";
import { store } from "../keeping.js";
import { learner } from "../learning.js";
import type { FileWork, Sources } from "./fileWorker.js";

/**
 * Runs work on files in a worker of its own, which ends with it.
 *
 * @param strokesOnTop whether what is painted covers the net's labels
 */
export async function inFileWorker<Result>(
  run: (work: FileWork, sources: Sources) => Promise<Result>,
  tell: (done: number) => void = () => undefined,
  strokesOnTop = false,
): Promise<Result> {
  const worker = new Worker(new URL("./fileWorker.ts", import.meta.url), { type: "module" });
  const sources: Sources = {
    image: (id) => store().image(id),
    labels: async (id) => {
      const found = await learner().labels(id, { strokesOnTop });
      return transfer(found, [found.labels.buffer as ArrayBuffer]);
    },
    told: tell,
  };
  try {
    return await run(wrap<FileWork>(worker) as unknown as FileWork, proxy(sources));
  } finally {
    worker.terminate();
  }
}
