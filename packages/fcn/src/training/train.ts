import { crossEntropy, optim, type Tensor, TensorError } from "@fcn/tensor";
import { BatchSampler, stackSamples, toTensors } from "../data/batches.js";
import type { Preprocessing } from "../data/preprocessing.js";
import { checkSample, type SegmentationSample, VOID_LABEL } from "../data/sample.js";
import { deviceOf, freezeBatchNorm, mainLogits, type SegmentationNet } from "./model.js";

type LRScheduler = ReturnType<typeof optim.lrScheduler.poly>;

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
  readonly model: SegmentationNet;
  /** Samples of one size. */
  readonly data: readonly SegmentationSample[];
  readonly preprocessing: Preprocessing;
  readonly numClasses: number;
  readonly steps: number;
  readonly batchSize: number;
  /** Learning rate of the first step; unless `schedule` says otherwise it falls to 0 as (1 - step / steps) ^ 0.9. */
  readonly learningRate: number;
  /** Default: SGD with momentum 0.9 and weight decay 5e-4. */
  readonly optimizer?: (parameters: Tensor[], learningRate: number) => optim.SGD | optim.AdamW;
  readonly schedule?: (optimizer: optim.SGD | optim.AdamW, steps: number) => LRScheduler;
  /** One weight a class in the loss. */
  readonly classWeights?: readonly number[];
  /** Fixes the order of the samples and their mirroring. Default 0. */
  readonly seed?: number;
  /** Flip samples left to right at random. Default true. */
  readonly mirror?: boolean;
  /**
   * Batch norm normalises by its running statistics and keeps them, as fine-tuning on small batches needs; its weight and bias still learn.
   * Default false.
   */
  readonly freezeBatchNorm?: boolean;
  /** Steps between two readings of the loss; each one waits for the GPU. Default 10. */
  readonly readEvery?: number;
  /** Awaited after each reading of the loss: validation may run here. */
  readonly onProgress?: (progress: TrainProgress) => void | Promise<void>;
}

export interface TrainResult {
  /** One entry a reading of the loss: the last step of the interval and the mean over it. */
  readonly losses: readonly { readonly step: number; readonly loss: number }[];
  /** Time for the whole call, with what `onProgress` took. */
  readonly seconds: number;
}

/**
 * Trains with pixel-wise cross-entropy, where void pixels do not count. Memory on the device stays flat: each step frees all it made, and
 * optimiser state and gradients are freed at the end. The same seed gives the same weights on a device.
 * Throws when a label is out of range or the loss stops being finite.
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  checkOptions(options);
  const { model, learningRate } = options;
  using optimizer = (options.optimizer ?? sgd)(model.parameters(), learningRate);
  try {
    return await trainSteps(options, optimizer);
  } finally {
    model.zeroGrad();
  }
}

function sgd(parameters: Tensor[], lr: number): optim.SGD {
  return new optim.SGD(parameters, { lr, momentum: 0.9, weightDecay: 5e-4 });
}

async function trainSteps(options: TrainOptions, optimizer: optim.SGD | optim.AdamW): Promise<TrainResult> {
  const { model, data, steps, batchSize, seed = 0, mirror = true, readEvery = 10 } = options;
  const sampler = new BatchSampler(data, { batchSize, seed, mirror });
  const schedule = options.schedule?.(optimizer, steps) ?? optim.lrScheduler.poly(optimizer, { totalSteps: steps });
  const losses: { step: number; loss: number }[] = [];
  const start = performance.now();
  let unread: Tensor[] = [];
  for (let step = 1; step <= steps; step++) {
    const learningRate = optimizer.lr;
    model.train();
    if (options.freezeBatchNorm) freezeBatchNorm(model);
    unread.push(await trainStep(options, optimizer, sampler.next()));
    schedule.step();
    if (step % readEvery !== 0 && step !== steps) continue;
    const loss = await readMean(unread, step, options);
    unread = [];
    losses.push({ step, loss });
    const secondsLeft = ((performance.now() - start) / 1000 / step) * (steps - step);
    await options.onProgress?.({ step, steps, loss, learningRate, secondsLeft });
  }
  return { losses, seconds: (performance.now() - start) / 1000 };
}

/** Forward, backward and update on one batch; answers the loss, still on the device. */
async function trainStep(
  { model, preprocessing, classWeights }: TrainOptions,
  optimizer: optim.SGD | optim.AdamW,
  samples: readonly SegmentationSample[],
): Promise<Tensor> {
  const device = deviceOf(model);
  const batch = stackSamples(samples, preprocessing);
  return device.scope(() => {
    const { images, labels } = toTensors(device, batch);
    const logits = mainLogits(model.forward(images));
    const weight = classWeights ? { weight: device.tensor(classWeights) } : {};
    const loss = crossEntropy(logits, labels, { ignoreIndex: VOID_LABEL, ...weight });
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
