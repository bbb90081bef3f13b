import { add, type Device, optim, type Tensor, TensorError } from "@fcn/tensor";
import { BatchSampler, type HostBatch, stackSamples, toTensors } from "../data/batches.js";
import { createRandom } from "../data/random.js";
import type { SegmentationSample } from "../data/sample.js";
import { seedFor } from "../models/graph/initialise.js";
import { type Freeze, freezeAllBut, freezeBatchNorm } from "./freezing.js";
import { countLoss, headLoss, lossDivisor } from "./losses.js";
import { sampleLabels } from "./lossSampling.js";
import { deviceOf } from "./model.js";
import { type ResolvedOptions, resolveTraining, type TrainOptions } from "./options.js";
import { type LearningGroup, parameterGroups } from "./parameterGroups.js";
import { makeSchedule, type Optimizer } from "./schedules.js";

export interface TrainResult {
  /** One entry a reading of the loss: the last step of the interval and the mean over it. */
  readonly losses: readonly { readonly step: number; readonly loss: number }[];
  /** That of the first step. */
  readonly learningRate: number;
  /** Time for the whole call, with what `onProgress` took. */
  readonly seconds: number;
}

/** What the steps of one call share. */
interface Run {
  readonly options: ResolvedOptions;
  readonly device: Device;
  readonly optimizer: Optimizer;
  readonly freeze: Freeze | undefined;
}

/**
 * Trains with pixel-wise cross-entropy, where void pixels do not count. Memory on the device stays flat: each step frees all it made, and
 * optimiser state and gradients are freed at the end. The same seed gives the same weights on a device.
 * Throws when an option or a label is out of range, before the first step, and when the loss stops being finite.
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const resolved = resolveTraining(options);
  const { model, trainable } = resolved;
  const freeze = trainable === undefined ? undefined : freezeAllBut(model, trainable);
  try {
    const { learningRate, optimizer: make = sgd(resolved) } = resolved;
    using optimizer = make(parameterGroups(model, resolved), learningRate);
    return await trainSteps({ options: resolved, device: deviceOf(model), optimizer, freeze });
  } finally {
    freeze?.undo();
    model.zeroGrad();
  }
}

const sgd =
  ({ momentum, weightDecay }: ResolvedOptions) =>
  (groups: LearningGroup[], lr: number): optim.SGD =>
    new optim.SGD(groups, { lr, momentum, weightDecay });

async function trainSteps(run: Run): Promise<TrainResult> {
  const { options, optimizer } = run;
  const { data, steps, batchSize, iterSize, seed, mirror, readEvery } = options;
  const sampler = new BatchSampler(data, { batchSize, seed, mirror });
  const schedule = makeSchedule(options.schedule, optimizer, steps);
  const losses: { step: number; loss: number }[] = [];
  const start = performance.now();
  let unread: Tensor[] = [];
  for (let step = 1; step <= steps; step++) {
    const learningRate = optimizer.lr;
    const batches = Array.from({ length: iterSize }, () => sampler.next());
    unread.push(await trainStep(run, step, batches));
    schedule.step();
    if (step % readEvery !== 0 && step !== steps) continue;
    const loss = await readMean(unread, step, options);
    unread = [];
    losses.push({ step, loss });
    const secondsLeft = ((performance.now() - start) / 1000 / step) * (steps - step);
    await options.onProgress?.({ step, steps, loss, learningRate, secondsLeft });
  }
  return { losses, learningRate: options.learningRate, seconds: (performance.now() - start) / 1000 };
}

/** Forward and backward on each batch, and one update; answers the loss, still on the device. */
async function trainStep(run: Run, step: number, batches: readonly (readonly SegmentationSample[])[]): Promise<Tensor> {
  const { options, device, optimizer } = run;
  enterTraining(run);
  optimizer.zeroGrad();
  const counts = countLoss(batches.flat(), options.classWeights);
  const divisor = lossDivisor(options.loss, counts) * (options.lossSampling?.probability ?? 1);
  const losses: Tensor[] = [];
  for (const [i, samples] of batches.entries()) {
    const batch = sampled(options, stackSamples(samples, options.preprocessing), `${step}/${i}`);
    losses.push(await device.scope(() => backward(run, batch, divisor)));
  }
  return device.scope(() => {
    if (options.clipNorm !== undefined) {
      const parameters = optimizer.groups.flatMap(({ params }) => params);
      optim.clipGradNorm(parameters, options.clipNorm);
    }
    optimizer.step();
    const total = losses.reduce((a, b) => add(a, b));
    for (const loss of losses) if (loss !== total) loss.dispose();
    return total;
  });
}

function enterTraining({ options, freeze }: Run): void {
  options.model.train();
  if (options.freezeBatchNorm) freezeBatchNorm(options.model);
  freeze?.apply();
}

/** Each batch has a random stream of its own, so that none depends on how many came before. */
function sampled({ lossSampling, seed }: ResolvedOptions, batch: HostBatch, place: string): HostBatch {
  if (lossSampling === undefined) return batch;
  const [, , height, width] = batch.shape;
  const random = createRandom(seedFor(seed, `lossSampling ${place}`));
  return { ...batch, labels: sampleLabels(batch.labels, [height, width], lossSampling, random) };
}

/** Adds the gradients of a batch's share of the loss, which is returned. */
function backward({ options, device }: Run, batch: HostBatch, divisor: number): Tensor {
  const { images, labels } = toTensors(device, batch);
  const { model, heads, classWeights } = options;
  const weights = classWeights ? device.tensor(classWeights) : undefined;
  const loss = headLoss(model.forward(images), labels, { heads, divisor, classWeights: weights });
  loss.backward();
  return loss.detach();
}

async function readMean(losses: readonly Tensor[], step: number, { learningRate }: ResolvedOptions): Promise<number> {
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
