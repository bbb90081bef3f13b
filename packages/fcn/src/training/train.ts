import { crossEntropy, type Device, optim, type Tensor, TensorError } from "@fcn/tensor";
import { BatchSampler, stackSamples, toTensors } from "../data/batches.js";
import type { Preprocessing } from "../data/preprocessing.js";
import { checkSample, type SegmentationSample, VOID_LABEL } from "../data/sample.js";
import { mainLogits, type SegmentationNet } from "./model.js";

/** Where training stands; `loss` is the mean over the steps since the last report. */
export interface TrainProgress {
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
  readonly learningRate: number;
  /** Seconds left at the speed so far. */
  readonly secondsLeft: number;
}

export interface TrainOptions {
  readonly device: Device;
  readonly model: SegmentationNet;
  readonly data: readonly SegmentationSample[];
  readonly preprocessing: Preprocessing;
  readonly numClasses: number;
  readonly steps: number;
  readonly batchSize: number;
  /** Learning rate of the first step; it falls to 0 as (1 - step / steps) ^ power. */
  readonly learningRate: number;
  readonly power?: number;
  readonly momentum?: number;
  readonly weightDecay?: number;
  /** One weight a class in the loss. */
  readonly classWeights?: readonly number[];
  /** Fixes the order of the samples and their mirroring. */
  readonly seed: number;
  readonly mirror?: boolean;
  /** Steps between two readings of the loss; each one waits for the GPU. Default 10. */
  readonly readEvery?: number;
  /** Awaited after each reading of the loss: validation may run here. */
  readonly onProgress?: (progress: TrainProgress) => void | Promise<void>;
}

export interface TrainResult {
  /** One entry a reading of the loss: the last step of the interval and the mean over it. */
  readonly losses: readonly { readonly step: number; readonly loss: number }[];
  readonly seconds: number;
}

/**
 * Trains with SGD (PyTorch's momentum form), the polynomial schedule and pixel-wise cross-entropy, where void pixels do not count. Memory on
 * the device stays flat: each step frees all it made. Throws when a label is out of range or the loss stops being finite.
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  checkOptions(options);
  const { model, steps } = options;
  const sampler = new BatchSampler(options.data, options);
  const optimizer = new optim.SGD(model.parameters(), {
    lr: options.learningRate,
    momentum: options.momentum ?? 0.9,
    weightDecay: options.weightDecay ?? 5e-4,
  });
  const schedule = optim.lrScheduler.poly(optimizer, { totalSteps: steps, power: options.power ?? 0.9 });
  const readEvery = options.readEvery ?? 10;
  const losses: { step: number; loss: number }[] = [];
  const start = performance.now();
  let pending: Tensor[] = [];
  model.train();
  for (let step = 1; step <= steps; step++) {
    const learningRate = optimizer.lr;
    pending.push(await trainStep(options, optimizer, sampler.next()));
    schedule.step();
    if (step % readEvery !== 0 && step !== steps) continue;
    const loss = await readMean(pending, step, options);
    pending = [];
    losses.push({ step, loss });
    const secondsLeft = ((performance.now() - start) / 1000 / step) * (steps - step);
    await options.onProgress?.({ step, steps, loss, learningRate, secondsLeft });
    model.train();
  }
  optimizer.dispose();
  return { losses, seconds: (performance.now() - start) / 1000 };
}

async function trainStep(
  options: TrainOptions,
  optimizer: optim.SGD,
  samples: readonly SegmentationSample[],
): Promise<Tensor> {
  const { device, model, classWeights } = options;
  const batch = stackSamples(samples, options.preprocessing);
  return device.scope(async () => {
    const { images, labels } = toTensors(device, batch);
    const logits = mainLogits(model.forward(images));
    const weight = classWeights ? device.tensor(Float32Array.from(classWeights), [classWeights.length]) : undefined;
    const loss = crossEntropy(logits, labels, { ignoreIndex: VOID_LABEL, ...(weight ? { weight } : {}) });
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss.detach();
  });
}

async function readMean(losses: readonly Tensor[], step: number, { learningRate }: TrainOptions): Promise<number> {
  let sum = 0;
  for (const loss of losses) {
    sum += await loss.item();
    loss.dispose();
  }
  const mean = sum / losses.length;
  if (Number.isFinite(mean)) return mean;
  throw new TensorError({
    code: "diverged",
    message: `train: the loss became ${mean} within the ${losses.length} steps before step ${step}, at a learning rate of ${learningRate}`,
    fix: "lower the learning rate, and check the images for NaN",
  });
}

function checkOptions({ data, numClasses, steps, readEvery = 10, learningRate }: TrainOptions): void {
  for (const sample of data) checkSample("train", sample, numClasses);
  const whole = (value: number): boolean => Number.isInteger(value) && value >= 1;
  if (whole(steps) && whole(readEvery) && learningRate > 0) return;
  throw new TensorError({
    code: "invalid-argument",
    message: `train: steps ${steps}, readEvery ${readEvery}, learningRate ${learningRate}; steps and readEvery must be whole and at least 1, the rate above 0`,
    fix: "correct the value",
  });
}
