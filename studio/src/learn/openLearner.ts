import * as comlink from "comlink";
import { StudioError } from "../session/errors.js";
import type { Learner, Note } from "./learner.js";

/** A learner in a worker of its own. Canvases that it is given are its own from then on. */
export interface OpenLearner extends Learner {
  /** Ends the worker at once. */
  end(): void;
}

/** Starts the worker. It opens no device before `open`. Rejections are a {@link StudioError}. */
export function openLearner(): OpenLearner {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  const remote = comlink.wrap<Learner>(worker);
  return {
    open: ({ train }, tell) => told(remote.open({ train, base: document.baseURI }, comlink.proxy(tell))),
    setSession: (session) => told(remote.setSession(session)),
    setSettings: (settings) => told(remote.setSettings(settings)),
    train: (on) => told(remote.train(on)),
    show: (imageId, view) => told(remote.show(imageId, view)),
    setCanvas: (canvas) => told(remote.setCanvas(comlink.transfer(canvas, [canvas]))),
    compare: (canvases) =>
      told(remote.compare(canvases && comlink.transfer(canvases, Object.values<OffscreenCanvas>(canvases)))),
    reset: () => told(remote.reset()),
    loadWeights: (file) => told(remote.loadWeights(file)),
    save: () => told(remote.save()),
    weights: () => told(remote.weights()),
    onnx: () => told(remote.onnx()),
    labels: (imageId, options) => told(remote.labels(imageId, options)),
    end: () => worker.terminate(),
  };
}

/** The worker throws notes, since what is more than the message of an Error does not cross to the page. */
async function told<Result>(call: Promise<Result>): Promise<Result> {
  try {
    return await call;
  } catch (error) {
    const { code, message, fix } = error as Note;
    throw new StudioError(code, message, fix ?? "");
  }
}
