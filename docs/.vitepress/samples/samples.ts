import type { Answer, Asked, Failure } from "./worker.js";

/** A sample of the page that is shown, with what a reader made of it. */
export interface Sample {
  readonly index: number;
  readonly text: () => string;
}

const shownSamples = new Map<number, Sample>();

export function register(sample: Sample): () => void {
  shownSamples.set(sample.index, sample);
  return () => shownSamples.delete(sample.index);
}

/** Samples of a page go on from those above them. */
const upTo = (index: number): string[] =>
  [...shownSamples.values()]
    .filter((sample) => sample.index <= index)
    .sort((a, b) => a.index - b.index)
    .map(({ text }) => text());

export interface Reader {
  onShown(answer: Extract<Answer, { shown: unknown }>["shown"]): void;
  onEnd(failure: Failure | undefined): void;
}

/** Runs a sample of the page after those above it; returns what stops it. */
export function runSample(index: number, { onShown, onEnd }: Reader): () => void {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  const samples = upTo(index);
  const end = (failure?: Failure): void => {
    worker.terminate();
    onEnd(failure);
  };
  worker.onmessage = ({ data }: MessageEvent<Answer>) => {
    if ("shown" in data) onShown(data.shown);
    else end("failed" in data ? data.failed : undefined);
  };
  worker.onerror = (event) =>
    end({ message: event.message || "the worker of the sample did not start", sample: index });
  worker.postMessage({ samples } satisfies Asked);
  return () => end();
}
