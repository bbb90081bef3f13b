import { proxy, transfer, wrap } from "comlink";
import { store } from "../keeping.js";
import { learner } from "../learning.js";
import type { PageWork, Sources } from "./pageWorker.js";

/**
 * Runs work in a worker of its own, which ends with it.
 *
 * @param strokesOnTop whether what is painted covers the net's labels
 */
export async function inWorker<Result>(
  run: (work: PageWork, sources: Sources) => Promise<Result>,
  tell: (done: number) => void = () => undefined,
  strokesOnTop = false,
): Promise<Result> {
  const worker = new Worker(new URL("./pageWorker.ts", import.meta.url), { type: "module" });
  const sources: Sources = {
    image: (id) => store().image(id),
    labels: async (id) => {
      const found = await learner().labels(id, { strokesOnTop });
      return transfer(found, [found.labels.buffer as ArrayBuffer]);
    },
    told: tell,
  };
  try {
    return await run(wrap<PageWork>(worker) as unknown as PageWork, proxy(sources));
  } finally {
    worker.terminate();
  }
}
