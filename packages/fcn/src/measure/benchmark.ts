import { type Device, TensorError } from "@fcn/tensor";
import type { create } from "../models/index.js";
import { makeWork, type WorkOptions } from "./work.js";

export interface BenchmarkOptions extends Omit<WorkOptions, "training"> {
  readonly repeats: number;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Times of one kind of pass. */
export interface PassTime {
  /** Time of a pass in milliseconds: the median and the least. */
  readonly median: number;
  readonly least: number;
  /** Derived from the median. */
  readonly imagesPerSecond: number;
  /** The most bytes allocated on the GPU at once, weights included (`device.memory().peakBytes`). */
  readonly peakBytes: number;
}

export interface Benchmark {
  readonly inference: PassTime;
  /**
   * Forward and backward passes without the optimiser; the error if the net cannot be trained on this work, for example
   * because batch norm has too few values or memory runs out.
   */
  readonly training: PassTime | FailedPass;
}

/** The error of a failed pass, in the fields of a TensorError. */
export interface FailedPass {
  readonly error: Pick<TensorError, "code" | "message" | "fix" | "commandFix">;
}

/** Times a net's forward pass and its training pass. Each is compiled and run once before it is timed. */
export async function benchmark(
  device: Device,
  net: ReturnType<typeof create>,
  { repeats, onProgress = () => {}, ...work }: BenchmarkOptions,
): Promise<Benchmark> {
  const total = 2 * (repeats + 1);
  let done = 0;
  const measure = async (training: boolean): Promise<PassTime> => {
    const pass = makeWork(device, net, { ...work, training });
    const times: number[] = [];
    device.resetPeakMemory();
    for (let i = 0; i <= repeats; i++) {
      await device.sync();
      const start = performance.now();
      await device.scope(async () => {
        pass();
        await device.sync();
      });
      times.push(performance.now() - start);
      onProgress(++done, total);
    }
    const sorted = times.slice(1).sort((a, b) => a - b);
    const median = sorted[sorted.length >> 1] as number;
    const imagesPerSecond = (1000 * work.batchSize) / median;
    return { median, least: sorted[0] as number, imagesPerSecond, peakBytes: device.memory().peakBytes };
  };
  const inference = await measure(false);
  const training = await measure(true).catch((error: unknown): FailedPass => {
    if (!(error instanceof TensorError)) throw error;
    const { code, message, fix, commandFix } = error;
    return { error: { code, message, fix, commandFix } };
  });
  return { inference, training };
}
